"""The project of a row of a FOCUS cost file: its sub-account, or the value of a tag.

A tag's key is matched as it is written. FOCUS has keys without a value as `true`, which names no
project; a number is taken by its digits.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from gateway import strict_json
from gateway.errors import BadUserInput

OWN: Final = "x_Project"
"""The column in which `gateway export` writes an event's project."""


def project_of(
    cells: Mapping[str, str], *, tag: str | None, by_sub_account: bool, own: bool
) -> tuple[str, str | None]:
    """Return the column that names a row's project, and the project.

    With a `tag`, that is its value. Else a row of this gateway (`own`) has a column for it, and
    every other row its sub-account, unless sub-accounts are accounts of their own here. Raises
    BadUserInput for tags that are no JSON object.
    """
    if tag is not None:
        return "Tags", _tags(cells.get("Tags", "{}")).get(tag)
    if own:
        return OWN, cells.get(OWN)
    return "SubAccountId", None if by_sub_account else cells.get("SubAccountId")


@lru_cache(maxsize=4096)
def _tags(text: str) -> Mapping[str, str]:
    try:
        tags = strict_json.loads(text.encode())
    except ValueError:
        tags = None
    if not isinstance(tags, dict):
        raise BadUserInput("Tags must be a JSON object.", argument="Tags")
    return {
        str(key): str(value)
        for key, value in tags.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    }
