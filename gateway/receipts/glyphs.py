"""The fonts of documents and their glyphs.

No font of the system is used: the same text gives the same bytes on every machine that has these
packages. A character that none of them has becomes U+FFFD, because a tagged PDF must not hold one
without a glyph.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

LATIN: Final = ("fontpkg-inter", "fontpkg-noto-sans")
RIGHT_TO_LEFT: Final = ("fontpkg-ibm-plex-sans-arabic", "fontpkg-noto-sans-arabic")
"""Arabic first from a font that draws a letter as one glyph: Noto's draws its dots apart, and then
the letter stands twice in the document's text. Noto's has more letters.
"""
OWN: Final = Path(__file__).parent / "fonts"
"""Noto Sans Hebrew, unchanged, with its licence: no package on PyPI brings it alone."""
CJK: Final = ("noto-cjk-sans-otc",)
"""Installed by the extra `cjk`."""

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
LONGEST_WORD: Final = 40
"""Widths of a small letter; a longer word may be broken, because no column has room for it."""

_BREAK: Final = "\N{ZERO WIDTH SPACE}"
_JOINERS: Final = "\u200c\u200d"
_INVISIBLE: Final = frozenset({"Cc", "Cf"})
_NOT_TEXT: Final = frozenset({"Cn", "Co", "Cs"})
_VARIATIONS: Final = range(0xFE00, 0xFE10)


class Font:
    """One font file; its coverage is read on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def characters(self) -> frozenset[int]:
        """The code points that it has a glyph for."""
        number = 0 if self.path.suffix == ".ttc" else -1
        with TTFont(self.path, lazy=True, fontNumber=number) as font:
            return frozenset(font.getBestCmap())

    def has(self, cluster: str) -> bool:
        """Whether it prints the whole of a cluster: a letter and its marks."""
        return all(ord(each) in self.characters or each in _JOINERS for each in cluster)


class Glyphs:
    """The fonts that are installed, in the order in which they are looked at, then our own."""

    def __init__(self, packages: Sequence[str] = (*LATIN, *RIGHT_TO_LEFT, *CJK)) -> None:
        paths = [path for package in packages for path in _paths(package)]
        self._fonts = [Font(path) for path in (*paths, *sorted(OWN.glob("*.ttf")))]
        self.folders = sorted({str(font.path.parent) for font in self._fonts})

    def printable(self, text: str) -> str:
        """Return the text as it can be printed: composed, on one line, without invisible
        characters, U+FFFD in place of what no font has, long words breakable.
        """
        composed = " ".join(unicodedata.normalize("NFC", text).split())
        clusters = (
            cluster if self._has(cluster) else REPLACEMENT for cluster in _clusters(composed)
        )
        return "".join(_breakable(clusters))

    def _has(self, cluster: str) -> bool:
        is_text = unicodedata.category(cluster[0]) not in _NOT_TEXT
        return is_text and any(font.has(cluster) for font in self._fonts)


def is_right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction is of a script that runs right to left."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False


def _clusters(text: str) -> Iterator[str]:
    """Yield each character with the marks and joiners that follow it."""
    cluster = ""
    for character in text:
        category = unicodedata.category(character)
        if ord(character) in _VARIATIONS:
            continue
        if cluster and (character in _JOINERS or category.startswith("M")):
            cluster += character
            continue
        if cluster:
            yield cluster
        cluster = "" if category in _INVISIBLE else character
    if cluster:
        yield cluster


def _breakable(clusters: Iterable[str]) -> Iterator[str]:
    """Yield the clusters, with a place to break a line wherever a word gets too long."""
    width = 0
    for cluster in clusters:
        own = 2 if cluster.isupper() else 1
        width = 0 if cluster == " " else width + own
        if width > LONGEST_WORD:
            yield _BREAK
            width = own
        yield cluster


def _paths(package: str) -> list[Path]:
    """Return the upright fonts of an installed package, none where it is not installed."""
    try:
        found = files(package) or []
    except PackageNotFoundError:
        return []
    fonts = [each for each in found if each.suffix in {".ttf", ".ttc"}]
    return [Path(str(each.locate())) for each in fonts if "Italic" not in each.name]
