"""Names for people are made fit to read; identifiers are kept as they are, or refused."""

import pytest

from gateway.errors import BadUserInput
from gateway.text import checked_identifier, checked_name, is_identifier

DECOMPOSED = "Cafe\u0301"


@pytest.mark.parametrize(
    "text", ["18446744073709551615", "auth0|42", "a b", " a", DECOMPOSED, "\u6771\u4eac", "a" * 200]
)
def test_an_identifier_is_kept_as_it_was_sent(text: str) -> None:
    assert checked_identifier(text, "id", limit=200) == text


@pytest.mark.parametrize(
    "text",
    [
        *("grace@demo\u202e", "\u2066a", "a\u200f", "a\0", "a\n", "a\x7f", "a\x85"),
        *("\ud800", "\uffff", "a\ufffd", "", "a" * 201, 7, None, ["a"]),
    ],
)
def test_no_other_text_is_an_identifier(text: object) -> None:
    with pytest.raises(BadUserInput) as caught:
        checked_identifier(text, "id", limit=200)
    assert caught.value.argument == "id"


def test_a_name_for_people_is_normalised() -> None:
    assert checked_name(f"{DECOMPOSED}\u202e", "name", limit=200) == "Caf\u00e9"
    assert not is_identifier(f"{DECOMPOSED}\u202e")
