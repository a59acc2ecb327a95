"""What is read of Stripe's JSON is fit to store; identifiers are as they were sent."""

import pytest

from gateway.providers.stripe.texts import identifier_of, text_of


@pytest.mark.parametrize("value", [" acme", "cafe\u0301", "a" * 200])
def test_an_accounts_name_is_kept_as_it_was_sent(value: str) -> None:
    assert identifier_of(value, 200) == value


@pytest.mark.parametrize("value", ["acme\0", "acme\u202e", "a" * 201, "", None, 7])
def test_no_other_account_is_read_into_a_name(value: object) -> None:
    assert identifier_of(value, 200) is None


def test_a_text_for_people_is_normalised() -> None:
    assert text_of(" cafe\u0301\0", 200) == "caf\u00e9"
