"""Inputs that once gave a key more than its scopes: what each key is answered, and that nothing
changes.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.principal import Permission, Role
from gateway.store import Database
from tests.support.books import Books
from tests.support.served import Served, serving
from tests.support.tables import table_rows

TABLES = ("account", "account_member", "usage_event", "ledger_entry", "credit_purchase")
EVERY = tuple(scope for scope in Permission if scope is not Permission.ADMIN)
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
ACME: dict[str, Any] = {"name": "Acme", "currency": "USD"}
BACK: dict[str, Any] = {
    "account": "acme",
    "source": "meter-1",
    "id": "back",
    "resource": "GPU",
    "quantity": "1",
    "unit": "gpu-hour",
    "amount": "-5000000",
    "correction": True,
    "currency": "USD",
    "start": HOUR.isoformat(),
    "end": HOUR.isoformat(),
}
CREDIT = {"account": "acme", "kind": "ADJUSTMENT", "amount": "5000000", "currency": "USD"}
LOOKALIKE = "grace@demo\u202e"


class Input(NamedTuple):
    method: str
    path: str
    body: Any = None


INPUTS: dict[str, Input] = {
    "customer": Input("PUT", "/accounts/acme", ACME | {"stripeCustomerId": "cus_2"}),
    "member": Input(
        "PUT", "/accounts/acme", ACME | {"members": [{"subject": "eve", "role": "OWNER"}]}
    ),
    "correction": Input("POST", "/usage-events", [BACK]),
    "adjustment": Input("POST", "/credits", CREDIT),
    "subject": Input(
        "PUT", "/accounts/acme", ACME | {"members": [{"subject": LOOKALIKE, "role": "OWNER"}]}
    ),
    "account id": Input("PUT", "/accounts/acme%E2%80%AE", ACME),
    "event's account": Input("POST", "/usage-events", [BACK | {"account": "acme\u202e"}]),
    "event's id": Input("POST", "/usage-events", [BACK | {"id": "back\u202e"}]),
    "read": Input("GET", "/accounts/acme"),
    "read members": Input("GET", "/accounts/acme/members"),
    "read a lookalike": Input("GET", "/accounts/acme%E2%80%AE"),
}
KEYS: dict[str, tuple[str | None, tuple[Permission, ...]]] = {
    "other account, admin": ("other", (Permission.ADMIN,)),
    "other account, every scope": ("other", EVERY),
    "own account, meter and accounts": (
        "acme",
        (Permission.ACCOUNTS_WRITE, Permission.USAGE_WRITE),
    ),
    "platform, accounts:write": (None, (Permission.ACCOUNTS_WRITE,)),
    "platform, usage:write": (None, (Permission.USAGE_WRITE,)),
    "platform, billing:read": (None, (Permission.BILLING_READ,)),
}
ANSWERS: dict[str, tuple[object, ...]] = {
    "customer": (403, 403, 403, 200, 403, 403),
    "member": (403, 403, 403, 403, 403, 403),
    "correction": ("INVALID", "INVALID", "FORBIDDEN", 403, "FORBIDDEN", 403),
    "adjustment": (404, 404, 403, 403, 403, 403),
    "subject": (403, 403, 403, 403, 403, 403),
    "account id": (400, 400, 400, 400, 403, 403),
    "event's account": ("INVALID", "INVALID", "INVALID", 403, "INVALID", 403),
    "event's id": ("INVALID", "INVALID", "INVALID", 403, "INVALID", 403),
    "read": (404, 404, 403, 403, 403, 200),
    "read members": (404, 404, 403, 403, 403, 403),
    "read a lookalike": (404, 404, 403, 403, 403, 404),
}
"""For each input what the keys are answered, in their order. The one 200 of a write is the key's to
do: the platform names an account's customer.
"""


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        yield served


async def ask(served: Served, sent: Input, headers: dict[str, str]) -> object:
    """Return the status of an answer, or the code of the event that was refused."""
    answer = await served.client.request(
        sent.method,
        f"/v1{sent.path}",
        headers=headers | {"idempotency-key": "k"},
        json=sent.body,
    )
    if answer.status_code == 200 and sent.path == "/usage-events":
        (item,) = answer.json()["rejected"]
        return item["code"]
    return answer.status_code


async def test_a_key_gets_no_more_than_its_scopes(served: Served) -> None:
    books = Books(served.database)
    ids: dict[str | None, int | None] = {None: None}
    for name in ("acme", "other"):
        ids[name] = await books.account(name, members=[("ada", Role.OWNER)])
    keys = {
        name: await served.key(*scopes, account_id=ids[account])
        for name, (account, scopes) in KEYS.items()
    }
    before = {table: await table_rows(served.database, table) for table in TABLES}
    answers = {
        name: tuple([await ask(served, sent, key) for key in keys.values()])
        for name, sent in INPUTS.items()
    }
    assert answers == ANSWERS
    after = {table: await table_rows(served.database, table) for table in TABLES}
    for row in after["account"]:
        if row["account_id"] == ids["acme"]:
            assert row["stripe_customer_id"] == "cus_2"
            row |= {"stripe_customer_id": None, "name": "Acme"}
    assert after == before
