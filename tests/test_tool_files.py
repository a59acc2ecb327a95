"""The files of editors, hooks and GitHub are valid, and agree with `make check`."""

import configparser
import json
import os
import re
import subprocess
import sys
import tomllib
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from tests.support.documents import ROOT

MAKEFILE: Final = (ROOT / "Makefile").read_text("utf-8")
HOOKS: Final[list[dict[str, Any]]] = [
    hook
    for repository in YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")["repos"]
    for hook in repository["hooks"]
]


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("github-issue-forms", "bug.yml"),
        ("github-issue-forms", "feature.yml"),
        ("github-issue-config", "config.yml"),
    ],
)
def test_a_template_is_valid(schema: str, file: str) -> None:
    path = ROOT / ".github/ISSUE_TEMPLATE" / file
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}")
    done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_hook_is_local() -> None:
    config = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")
    assert {each["repo"] for each in config["repos"]} == {"local"}


def test_hooks_run_what_the_check_runs() -> None:
    lines = re.findall(r"^\t\$\(BIN\)/(.*)$", MAKEFILE, re.MULTILINE)
    checked = {
        each for each in lines if re.search(r" check( |$)|--check|^mypy|^lint-imports", each)
    }
    entries = {each["entry"] for each in HOOKS if each["language"] == "system"}
    assert {each.removeprefix(".venv/bin/") for each in entries} == checked


@pytest.mark.parametrize(
    ("hook", "text", "is_refused"),
    [
        ("subject", "a" * 72 + "\n\n" + "b" * 90, False),
        ("subject", "a" * 73, True),
        ("conflict", "a\n<<<<<<< HEAD\n", True),
        ("conflict", "<<<<<<<<<<", False),
    ],
)
def test_a_hook_refuses_by_its_pattern(hook: str, text: str, *, is_refused: bool) -> None:
    (pattern,) = [each["entry"] for each in HOOKS if each["id"] == hook]
    assert bool(re.search(pattern, text, re.MULTILINE)) is is_refused


def test_editors_know_the_length_of_a_line() -> None:
    editor = configparser.ConfigParser()
    editor.read_string("[top]\n" + (ROOT / ".editorconfig").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert editor.getint("*.py", "max_line_length") == project["tool"]["ruff"]["line-length"]


def test_a_container_for_development_installs_what_ci_does() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
    script, target = container["postCreateCommand"].split(" && make ")
    assert os.access(ROOT / script, os.X_OK)
    assert script in (ROOT / ".ci/run").read_text("utf-8")
    assert target.replace(".venv", "$(VENV)") + ":" in MAKEFILE
    assert container["image"] in (ROOT / "docker/Dockerfile").read_text("utf-8").replace(
        "-slim", ""
    )
