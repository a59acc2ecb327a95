"""The one answer to a credential that does not hold, and the header that goes with it."""

from gateway.errors import Unauthenticated


class Rejected(Unauthenticated):
    """A credential was sent and does not hold.

    The client hears one sentence whatever was wrong; `reason` is for the log. It never quotes the
    credential.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("The credential is malformed, expired or not valid here.")
        self.reason = reason


def challenge(error: Unauthenticated) -> str:
    """Return the value of `WWW-Authenticate` for an answer 401 (RFC 6750, section 3)."""
    return 'Bearer error="invalid_token"' if isinstance(error, Rejected) else "Bearer"
