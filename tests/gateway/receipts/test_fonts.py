"""Each font that receipts are printed with comes with its licence, and ours is unchanged."""

import hashlib
from importlib.metadata import Distribution, distribution

import pytest
from fontTools.ttLib import TTFont

from gateway.receipts.glyphs import CJK, LATIN, OWN, RIGHT_TO_LEFT, Glyphs

LICENCE = "SIL OPEN FONT LICENSE Version 1.1"
LICENCE_URL = 14
"""The name record of a font that has its licence's address (OpenType, `name`)."""


@pytest.mark.parametrize("package", [*LATIN, *RIGHT_TO_LEFT, *CJK])
def test_each_font_package_carries_its_licence(package: str) -> None:
    found = distribution(package)
    assert found.metadata["License-Expression"] == "OFL-1.1"
    assert LICENCE in licences(found)


def licences(found: Distribution) -> str:
    files = [each for each in found.files or () if "LICENSE" in each.name]
    return "\n".join(each.read_text("utf-8") for each in files)


def test_each_font_names_that_licence() -> None:
    for font in Glyphs()._fonts:
        number = 0 if font.path.suffix == ".ttc" else -1
        with TTFont(font.path, lazy=True, fontNumber=number) as opened:
            url = opened["name"].getDebugName(LICENCE_URL)
        assert url.endswith(("://scripts.sil.org/OFL", "://openfontlicense.org")), font.path.name


def test_fonts_in_the_tree_are_as_published() -> None:
    sums = (OWN / "SHA256SUMS").read_text("ascii").splitlines()
    listed = {name: digest for digest, name in (line.split("  ", 1) for line in sums)}
    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in OWN.glob("*.ttf")}
    assert found == listed
    assert LICENCE in (OWN / "OFL.txt").read_text("utf-8")


def test_a_font_of_the_tree_prints_hebrew() -> None:
    assert Glyphs(()).printable("חברת המחשוב") == "חברת המחשוב"
