"""The signature of a webhook: `Stripe-Signature: t=<seconds>,v1=<hex>,v1=<hex>,…`."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.errors import BadRequest, ConfigurationError

TOLERANCE_SECONDS: Final = 300
_MAX_HEADER: Final = 4096
_MIN_SECRET: Final = 16


def parse_secrets(text: str) -> tuple[str, ...]:
    """Return the secrets of a text, separated by commas. Raises ConfigurationError."""
    secrets = tuple(part for raw in text.split(",") if (part := raw.strip()))
    if not secrets or min(map(len, secrets)) < _MIN_SECRET:
        raise ConfigurationError(
            f"GATEWAY_STRIPE_WEBHOOK_SECRETS: each secret must have at least {_MIN_SECRET} "
            "characters."
        )
    return secrets


def check_signature(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> None:
    """Raise BadRequest unless one `v1` signature of the raw body was made with one of the secrets,
    at most five minutes from now, before or after.
    """
    stamp, signatures = _parse(header)
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        raise BadRequest("The signature's timestamp is more than 300 seconds from now.")
    signed = stamp.encode() + b"." + body
    matched = False
    for secret in secrets:
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        for signature in signatures:
            # Every pair is compared, so that the time taken does not say which one matched.
            matched |= hmac.compare_digest(expected, signature.encode())
    if not matched:
        raise BadRequest("The signature does not match the body.")


def _parse(header: str) -> tuple[str, list[str]]:
    pairs = [part.strip().partition("=") for part in header[:_MAX_HEADER].split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1"]
    stamp = stamps[0] if len(stamps) == 1 else ""
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12 and signatures):
        raise BadRequest("The header Stripe-Signature must have one t= and a v1= signature.")
    return stamp, signatures
