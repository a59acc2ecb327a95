"""Who asks over HTTP, by a name that a test knows, and how a refusal is read."""

from dataclasses import dataclass

import httpx

from gateway.auth.rejected import Rejected
from gateway.errors import Unauthenticated
from gateway.principal import Permission, Principal

READ = frozenset({Permission.BILLING_READ})
WITHOUT_SCOPE = frozenset({Permission.USAGE_WRITE})


@dataclass
class Doorman:
    """Knows people by name and a few keys."""

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
    return {"authorization": f"Bearer {name}"}


def told(answer: httpx.Response) -> tuple[int, str, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"], error["message"]
