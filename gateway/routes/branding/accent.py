"""The page's colours of a platform's accent: readable on every surface, light and dark.

The accent keeps its hue. Its lightness moves, in OKLCH, as far as 4.5:1 needs (WCAG 2.2, 1.4.3)
against each surface that it stands on; the surfaces are those of `console/src/ui/tokens.css`, where
the names of the colours come from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import atan2, cos, dist, hypot, sin
from typing import Final, NamedTuple, Self

CONTRAST: Final = 4.5
LIGHT_SURFACES: Final = ("#ffffff", "#f6f7f9", "#f3f4f7", "#f1f3f6")
DARK_SURFACES: Final = ("#0e1014", "#12151a", "#16191f", "#1d2129", "#20252e")
SERIES: Final = {
    "chart-2": ("#e08a2e", "#f0a85c"),
    "chart-3": ("#2a9d8f", "#5cc9bb"),
    "chart-4": ("#9b5de5", "#bf97f2"),
    "chart-5": ("#d1495b", "#f08593"),
    "chart-6": ("#5f7a1f", "#a9c45c"),
    "chart-7": ("#85136e", "#c552ae"),
    "chart-8": ("#852a13", "#f5f5bc"),
}
"""The other colours of charts, light and dark."""
SPARE: Final = ("#3b5bdb", "#8ba3ff")
"""In the place of the series that the accent would be taken for."""
APART: Final = 0.1
"""The least distance in OKLab of two series' colours."""

_STEP: Final = 0.005
_WHITE: Final = "#ffffff"


class Colour(NamedTuple):
    """Lightness (0 to 1), and green to red and blue to yellow, of OKLab."""

    lightness: float
    a: float
    b: float

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse `#rrggbb`."""
        red, green, blue = (_linear(channel) for channel in _channels(text))
        long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
        middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
        short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
        return cls(
            0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
        )

    def with_(self, lightness: float, most_chroma: float = 1.0) -> str:
        """Return `#rrggbb` of this hue at a lightness, as vivid as sRGB has it up to a chroma."""
        hue, chroma = atan2(self.b, self.a), min(hypot(self.a, self.b), most_chroma)
        while True:
            channels = _rgb(Colour(lightness, chroma * cos(hue), chroma * sin(hue)))
            if chroma <= 0 or all(-0.001 <= each <= 1.001 for each in channels):
                return "#" + "".join(f"{round(255 * _gamma(each)):02x}" for each in channels)
            chroma -= _STEP

    def distance(self, other: "Colour") -> float:
        return dist(self, other)


def _rgb(colour: Colour) -> tuple[float, float, float]:
    lightness, a, b = colour
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _channels(text: str) -> tuple[float, ...]:
    return tuple(int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(linear: float) -> float:
    linear = min(max(linear, 0.0), 1.0)
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def contrast(one: str, another: str) -> float:
    """Return the contrast of two colours by WCAG 2.2: from 1 to 21."""
    low, high = sorted(_luminance(each) for each in (one, another))
    return (high + 0.05) / (low + 0.05)


def _luminance(text: str) -> float:
    red, green, blue = (_linear(channel) for channel in _channels(text))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Colours by their names in `tokens.css`, for light and dark."""

    light: dict[str, str]
    dark: dict[str, str]

    def style(self) -> str:
        """Return the style sheet that puts them in the place of the page's own."""
        colours = (
            f"--{name}:light-dark({self.light[name]},{self.dark[name]})" for name in self.light
        )
        return f":root:root{{{';'.join(colours)}}}"


def derive_theme(accent: str) -> Theme:
    """Return the colours of an accent (`#rrggbb`): itself where it is readable, else the nearest of
    its hue that is.
    """
    colour = Colour.read(accent)
    light = _shades(
        colour,
        accent,
        soft=colour.with_(0.955, 0.03),
        on=_WHITE,
        surfaces=LIGHT_SURFACES,
        step=-_STEP,
    )
    dark = _shades(
        colour,
        accent,
        soft=colour.with_(0.27, 0.05),
        on=colour.with_(0.19, 0.05),
        surfaces=DARK_SURFACES,
        step=_STEP,
    )
    for at, shades in enumerate((light, dark)):
        shades |= {name: pair[at] for name, pair in SERIES.items()}
        if name := _taken_for(shades["accent"], at):
            shades[name] = SPARE[at]
    return Theme(light=light, dark=dark)


def _shades(
    colour: Colour, accent: str, *, soft: str, on: str, surfaces: Iterable[str], step: float
) -> dict[str, str]:
    surfaces = (*surfaces, soft)
    lightness, shade = colour.lightness, accent
    while any(contrast(shade, each) < CONTRAST for each in surfaces):
        lightness += step
        shade = colour.with_(lightness)
    strong = colour.with_(min(lightness + 12 * step, 0.97))
    return {
        "accent": shade,
        "accent-strong": strong,
        "accent-soft": soft,
        "on-accent": on,
        "chart-1": shade,
    }


def _taken_for(accent: str, at: int) -> str | None:
    """Return the series with a colour (light 0, dark 1) too close to the accent's, closer than the
    spare colour; None without one.
    """
    own = Colour.read(accent)
    distances = {name: own.distance(Colour.read(pair[at])) for name, pair in SERIES.items()}
    nearest = min(distances, key=distances.__getitem__)
    least = min(APART, own.distance(Colour.read(SPARE[at])))
    return nearest if distances[nearest] < least else None
