"""The answer to an invalid credential, and its header."""

from gateway.errors import Unauthenticated


class Rejected(Unauthenticated):
    """An invalid credential.

    Clients get the same message for every fault; `reason` is for the log and never quotes the
    credential.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("The credential is malformed, expired or not valid here.")
        self.reason = reason


def challenge(error: Unauthenticated) -> str:
    """Return the value of `WWW-Authenticate` for an answer 401 (RFC 6750, section 3)."""
    return 'Bearer error="invalid_token"' if isinstance(error, Rejected) else "Bearer"
