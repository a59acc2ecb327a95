"""Verifiers of passwords are those that Postgres makes itself."""

import base64
import hashlib
import hmac

import pytest

from gateway.migrations.scram import scram_verifier

# The exchange in section 3 of RFC 7677.
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
MESSAGE = (
    b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
)
CLIENT_PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SERVER_SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_the_exchange_of_rfc_7677_verifies() -> None:
    mechanism, rounds, keys = scram_verifier("pencil", SALT).split("$")
    assert (mechanism, rounds) == ("SCRAM-SHA-256", "4096:W22ZaJ0SNY7soEsUEjb6gQ==")
    stored, server = map(base64.b64decode, keys.split(":"))
    assert hmac.digest(server, MESSAGE, "sha256") == base64.b64decode(SERVER_SIGNATURE)
    mask = hmac.digest(stored, MESSAGE, "sha256")
    client = bytes(a ^ b for a, b in zip(base64.b64decode(CLIENT_PROOF), mask, strict=True))
    assert hashlib.sha256(client).digest() == stored


def test_each_verifier_has_its_own_salt() -> None:
    assert scram_verifier("pencil") != scram_verifier("pencil")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [  # examples of RFC 4013, section 3, then what cannot be prepared and stays
        ("I\u00adX", "IX"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
    ],
)
def test_passwords_that_saslprep_holds_equal_are(password: str, prepared: str) -> None:
    assert scram_verifier(password, SALT) == scram_verifier(prepared, SALT)


@pytest.mark.parametrize("password", ["I\u00adX\x07", "\u00ad"])
def test_a_password_that_saslprep_refuses_stays_as_it_is(password: str) -> None:
    others = {scram_verifier(each, SALT) for each in ("IX\x07", "IX", "", "I", "a")}
    assert scram_verifier(password, SALT) not in others
