"""An authenticator of tests that takes a bearer token as the caller's name."""

from dataclasses import dataclass

import httpx

from gateway.auth.rejected import Rejected
from gateway.errors import Unauthenticated
from gateway.principal import Permission, Principal

READ = frozenset({Permission.BILLING_READ})
WITHOUT_SCOPE = frozenset({Permission.USAGE_WRITE})


@dataclass
class Callers:
    """Accepts any name as a person. `key-of-mine` is a key of the account `mine`, `key-of-platform`
    of the platform, `key-without-scope` may not read; `forged` is rejected.
    """

    mine: int = 0

    async def authenticate(self, authorization: str | None) -> Principal:
        if authorization is None:
            raise Unauthenticated("A credential is needed.")
        match authorization.removeprefix("Bearer "):
            case "forged":
                raise Rejected("forged")
            case "key-of-mine":
                return Principal(subject="key", key_id="1", account_id=self.mine, scopes=READ)
            case "key-of-platform":
                return Principal(subject="key", key_id="2", scopes=READ)
            case "key-without-scope":
                return Principal(subject="key", key_id="3", scopes=WITHOUT_SCOPE)
            case name:
                return Principal(subject=name)


def bearer(name: str) -> dict[str, str]:
    """Return the header of a caller."""
    return {"authorization": f"Bearer {name}"}


def refusal_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Return the status, code and message of an answer with one error."""
    (error,) = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"], error["message"]
