"""The README says what is true."""

import json
import re
from pathlib import Path

import pytest

from gateway.cli.main import app
from gateway.settings.table import limits_table, settings_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_tables_of_settings_and_limits_are_those_of_the_code() -> None:
    assert settings_table() in README
    assert limits_table() in README


def test_both_commands_stand_on_the_first_screen() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert "make run" in first_screen
    assert "make test" in first_screen


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_to_a_file_leads_somewhere(path: str) -> None:
    assert (ROOT / path).exists()


def test_every_command_that_is_named_is_one() -> None:
    commands = {
        command.name or command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    } | {group.name for group in app.registered_groups}
    named = set(re.findall(r"(?:^|`|bin/)gateway ([a-z][a-z-]+)", README, re.MULTILINE))
    assert named <= commands


def test_every_target_that_is_named_is_one() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_the_answer_that_is_shown_is_json() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert json.loads(shown)["data"]
