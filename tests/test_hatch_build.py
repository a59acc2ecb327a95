"""The page's build, on a page of three lines, in an environment that has next to nothing."""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hatch_build

SCRIPT = Path(__file__).parents[1] / "hatch_build.py"
MAKE = (
    "const fs = require('fs'); fs.rmSync('../gateway/static', {recursive: true, force: true});"
    "fs.mkdirSync('../gateway/static', {recursive: true});"
    "fs.writeFileSync('../gateway/static/index.html',"
    " fs.readFileSync('src/page.html', 'utf8') + process.version);"
)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copyfile(SCRIPT, tmp_path / "hatch_build.py")
    (tmp_path / "schema.graphql").write_text("type Query { a: Int }")
    console = tmp_path / "console"
    (console / "src" / "generated").mkdir(parents=True)
    (console / "src" / "page.html").write_text("one ")
    (console / "make.cjs").write_text(MAKE)
    scripts = {"build": "npm run make", "make": "node make.cjs"}
    package = {"name": "page", "version": "1.0.0", "scripts": scripts}
    (console / "package.json").write_text(json.dumps(package))
    lock = {"name": "page", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {}}}
    (console / "package-lock.json").write_text(json.dumps(lock))
    return tmp_path


@pytest.fixture
def run(checkout: Path) -> Run:
    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "hatch_build.py", *arguments]
        return subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )

    return run


def built(checkout: Path) -> str:
    return (checkout / "gateway" / "static" / "index.html").read_text()


def test_it_builds_with_a_node_of_its_own_and_only_what_changed(checkout: Path, run: Run) -> None:
    first = run(HOME="")
    assert first.returncode == 0, first.stdout + first.stderr
    assert built(checkout).startswith("one v24.")
    assert run().stdout == ""

    (checkout / "console" / "src" / "generated" / "made.ts").write_text("made")
    assert run().stdout == ""
    (checkout / "console" / "src" / "page.html").write_text("two ")
    assert "Building the page" in run().stdout
    assert built(checkout).startswith("two ")
    (checkout / "schema.graphql").write_text("type Query { b: Int }")
    assert "Building the page" in run().stdout


def test_a_failure_shows_the_last_words_and_is_tried_again(checkout: Path, run: Run) -> None:
    (checkout / "console" / "make.cjs").write_text("console.log('It broke.'); process.exit(3)")
    for _ in range(2):
        failed = run()
        assert failed.returncode == 1
        assert "It broke." in failed.stderr
        assert "`npm run build` in console/ failed. GATEWAY_SKIP_CONSOLE=1" in failed.stderr


def test_it_can_be_left_out(checkout: Path, run: Run) -> None:
    assert run(GATEWAY_SKIP_CONSOLE="1").returncode == 0
    assert run("run", "make", GATEWAY_SKIP_CONSOLE="1").returncode == 0
    assert not (checkout / "gateway").exists()
    assert run("run", "make", GATEWAY_SKIP_CONSOLE="0").returncode == 0
    assert built(checkout).startswith("one ")


@pytest.mark.parametrize("parts", [hatch_build.python_parts, hatch_build.page_parts])
def test_the_list_of_parts_has_every_locked_package(parts: Callable[[], Any]) -> None:
    listed = hatch_build.bill_of_materials(parts())
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert listed["metadata"]["component"]["name"] == "billing-usage-gateway"
    urls = [each["purl"] for each in listed["components"]]
    assert urls == [each["bom-ref"] for each in listed["components"]]
    assert len(urls) == len(set(urls)) > 40
    known = {"pkg:pypi/strawberry-graphql@", "pkg:npm/react@", "pkg:npm/%40urql/core@"}
    assert any(each.startswith(tuple(known)) for each in urls)
    assert not any(each.startswith("pkg:npm/vitest@") for each in urls)


def test_a_wheel_takes_both_lists() -> None:
    project = tomllib.loads((SCRIPT.parent / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    hatch_build.write_parts()
    for name in wheel["sbom-files"]:
        assert json.loads((SCRIPT.parent / name).read_text("utf-8"))["components"]
