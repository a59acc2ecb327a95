"""Any accent is readable in every place that it stands in, light and dark."""

import re
from itertools import combinations, product
from pathlib import Path

import pytest

from gateway.routes.branding.accent import (
    CONTRAST,
    DARK_SURFACES,
    LIGHT_SURFACES,
    SERIES,
    SPARE,
    Colour,
    contrast,
    derive_theme,
)

TOKENS = Path(__file__).parents[4] / "console" / "src" / "ui" / "tokens.css"
STEPS = range(0, 256, 51)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert contrast("#3b5bdb", "#3b5bdb") == 1


def test_a_colour_is_read_and_written_back() -> None:
    for text in ("#000000", "#ffffff", "#ff6600", "#3b5bdb", "#00cc99"):
        colour = Colour.read(text)
        assert colour.with_(colour.lightness) == text


@pytest.mark.parametrize("red", STEPS)
def test_every_accent_is_readable(red: int) -> None:
    for green, blue in product(STEPS, repeat=2):
        theme = derive_theme(f"#{red:02x}{green:02x}{blue:02x}")
        for shades, surfaces in ((theme.light, LIGHT_SURFACES), (theme.dark, DARK_SURFACES)):
            for surface in (*surfaces, shades["accent-soft"]):
                assert contrast(shades["accent"], surface) >= CONTRAST
            for filled in ("accent", "accent-strong"):
                assert contrast(shades["on-accent"], shades[filled]) >= CONTRAST
            series = [Colour.read(shades[name]) for name in ("chart-1", *SERIES)]
            # The page's own come as near as 0.075 to each other.
            assert min(one.distance(two) for one, two in combinations(series, 2)) > 0.05


def test_a_readable_accent_stays_as_it_is() -> None:
    theme = derive_theme("#3b5bdb")
    assert theme.light["accent"] == "#3b5bdb"
    assert derive_theme("#ff6600").dark["accent"] == "#ff6600"
    assert derive_theme("#ff6600").light["accent"] != "#ff6600"


def test_the_surfaces_are_the_pages() -> None:
    tokens = dict(
        re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\);", TOKENS.read_text("utf-8"))
    )
    pairs = [tokens[name].split(", ") for name in ("surface", "paper", "sunken", "hover")]
    assert [light for light, _ in pairs] == list(LIGHT_SURFACES)
    raised = tokens["raised"].split(", ")[1]
    assert sorted([*(dark for _, dark in pairs), raised]) == sorted(DARK_SURFACES)
    assert {name: tuple(tokens[name].split(", ")) for name in SERIES} == SERIES
    assert tuple(tokens["chart-1"].split(", ")) == SPARE
