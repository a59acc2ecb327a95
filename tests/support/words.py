"""The words of the page, read from its sources."""

import json
import subprocess
from functools import cache

from hatch_build import CONSOLE, NODE

PROPER = frozenset(
    {
        "",
        "—",
        "Bonus",
        "CPU",
        "Deployment",
        "Deployments",
        "Details",
        "Details: \u2068gpu-hour\u2069",
        "Filter",
        "GPU",
        "Live",
        "Offline",
        "Status",
    }
)
"""What German has in common with English: terms of the trade, and names."""


@cache
def words() -> dict[str, dict[str, str]]:
    """Return the words by language and path: `shared.retry`."""
    script = [str(NODE / "bin" / "node"), "scripts/words.mjs"]
    printed = subprocess.run(script, cwd=CONSOLE, check=True, stdout=subprocess.PIPE)
    found: dict[str, dict[str, str]] = json.loads(printed.stdout)
    return found


def english_only() -> frozenset[str]:
    """Return the words that are on no page in German."""
    return frozenset(words()["en"].values()) - PROPER - frozenset(words()["de"].values())
