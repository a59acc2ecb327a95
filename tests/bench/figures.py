"""What measurements found, by name: each command writes its figures, the table of the bar reads
them.
"""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

Figures: TypeAlias = Mapping[str, float]
"""A figure's name is a path, as `page/gateway/16/rate`; its unit is in its last word."""


def add_option(parser: ArgumentParser) -> None:
    parser.add_argument("--figures", type=Path, metavar="FILE", help="write them there as JSON too")


def write(path: Path | None, figures: Figures) -> None:
    """Add figures to those of a file."""
    if path:
        path.write_text(json.dumps({**read(path), **figures}, indent=1), "utf-8")


def read(path: Path) -> Figures:
    """Return the figures of a file; none if there is no such file."""
    found: dict[str, float] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found
