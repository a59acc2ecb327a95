"""The README is short, and its first screen gets a reader started."""

import json
import re

from tests.support.documents import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 200


def test_both_commands_stand_on_the_first_screen() -> None:
    first_screen = "\n".join(README.splitlines()[:40])
    assert "make run" in first_screen
    assert "make test" in first_screen


def test_every_page_is_linked() -> None:
    linked = set(re.findall(r"\]\((docs/[^)#]+)\)", README))
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} == linked


def test_the_answer_that_is_shown_is_json() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    assert json.loads(shown)["data"]
