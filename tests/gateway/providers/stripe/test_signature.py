"""Signatures: which are taken, and what is said of the others."""

import pytest

from gateway.errors import BadRequest, ConfigurationError
from gateway.providers.stripe.signature import check_signature, parse_secrets
from tests.support.books import NOW
from tests.support.stripe import SECRET, signed

BODY = b'{"id":"evt_1"}'
AT = NOW.timestamp()
OLD = "whsec_" + "f" * 32


@pytest.mark.parametrize("late", [-300, -1, 0, 299, 300])
def test_a_signature_holds_for_five_minutes_both_ways(late: int) -> None:
    check_signature(BODY, signed(BODY, at=AT + late), [SECRET], NOW)


@pytest.mark.parametrize("late", [-3600, -301, 301, 3600])
def test_an_older_or_a_later_one_is_refused(late: int) -> None:
    with pytest.raises(BadRequest, match="300 s"):
        check_signature(BODY, signed(BODY, at=AT + late), [SECRET], NOW)


def test_several_secrets_and_several_signatures_are_taken() -> None:
    check_signature(BODY, signed(BODY, at=AT, secret=OLD), [SECRET, OLD], NOW)
    rolled = f"{signed(BODY, at=AT, secret=OLD)},{signed(BODY, at=AT).partition(',')[2]}"
    check_signature(BODY, rolled, [SECRET], NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=ab",
        f"t={int(AT)},v1=",
        f"t={int(AT)},v1=zz\xe9",
        f"t={int(AT)},t={int(AT)},v1=ab",
        "t=\u0661,v1=ab",
        "t=-5,v1=ab",
        f"t={'9' * 400},v1=ab",
        signed(BODY, at=AT).replace("v1=", "v0="),
        signed(BODY, at=AT, secret=OLD),
        signed(BODY + b" ", at=AT),
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        check_signature(BODY, header, [SECRET], NOW)


def test_secrets_are_read_from_one_text() -> None:
    assert parse_secrets(f" {SECRET} , {OLD},") == (SECRET, OLD)


@pytest.mark.parametrize("text", [",", "short", f"{SECRET},short"])
def test_a_secret_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_STRIPE_WEBHOOK_SECRETS"):
        parse_secrets(text)
