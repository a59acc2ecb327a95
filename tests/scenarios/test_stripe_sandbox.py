"""Payments through `localstripe`, a stand-in for Stripe's API, as a process of its own.

It speaks Stripe's version of 2017-08-15. Of what is needed here it sends events of PaymentIntents
alone, signed, a second after they happen; it tells no details of the card, has no disputes and no
Checkout, and says nothing of refunds: those are read with `gateway stripe-backfill`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.ids import encode_global_id
from gateway.principal import Role
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.invariants import check_books
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import (
    GatewayProcess,
    answering,
    free_port,
    gateway_process,
    running,
)
from tests.support.stripe import SECRET
from tests.support.tables import table_rows

KEY = "sk_test_sandbox"
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000341"
PURCHASES = """
query ($account: ID!) {
  account(id: $account) {
    balance { available { amount } }
    creditPurchases(first: 10) {
      nodes {
        status amount { amount } tax { amount } bonus { amount } refunded { amount }
        failureReason receipt { total { amount } }
        refunds { status amount { amount } receipt { total { amount } } }
      }
    }
  }
}
"""


@pytest.fixture
async def stripe() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sandbox that has just begun."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)]
    async with (
        running(*command, quiet=True) as process,
        httpx.AsyncClient(base_url=url, auth=(KEY, ""), timeout=30) as client,
    ):
        await answering(f"{url}/v1/customers", process)
        yield client


async def make(stripe: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
    """Post a form; return the object."""
    answer = await stripe.post(f"/v1/{path}", data=fields)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def customer_with(stripe: httpx.AsyncClient, number: str) -> dict[str, str]:
    """Return a new customer and a card of theirs."""
    customer = await make(stripe, "customers", email="ada@example.com")
    card = {"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"}
    fields = {f"card[{name}]": value for name, value in card.items()}
    method = await make(stripe, "payment_methods", type="card", **fields)
    await make(stripe, f"payment_methods/{method['id']}/attach", customer=customer["id"])
    return {"customer": customer["id"], "payment_method": method["id"]}


async def shown(gateway: GatewayProcess, account_id: int) -> dict[str, Any]:
    data = await gateway.ask("ada", PURCHASES, account=encode_global_id("Account", account_id))
    account: dict[str, Any] = data["account"]
    return account


async def shown_with(gateway: GatewayProcess, account_id: int, status: str) -> dict[str, Any]:
    """Wait until the newest purchase has a status; return the account."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        account = await shown(gateway, account_id)
        nodes = account["creditPurchases"]["nodes"]
        if nodes and nodes[0]["status"] == status:
            return account
        assert time.monotonic() < deadline, account
        await asyncio.sleep(0.1)


def money(amount: str) -> dict[str, str]:
    return {"amount": amount}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_card_is_charged_refunded_and_declined(
    stripe: httpx.AsyncClient, database: Database, database_url: str, tmp_path: Path
) -> None:
    account = await Books(database).account("acme", members=[("ada", Role.OWNER)])
    async with gateway_process(database_url, tmp_path, stripe_webhook_secrets=SECRET) as gateway:
        hook = {"url": f"{gateway.url}/webhooks/stripe", "secret": SECRET}
        assert (await stripe.post("/_config/webhooks/gateway", json=hook)).status_code == 200
        payment = await make(
            stripe,
            "payment_intents",
            amount="11900",
            currency="usd",
            confirm="true",
            **{"metadata[account]": "acme", "metadata[bonus]": "10", "metadata[tax]": "19.00"},
            **await customer_with(stripe, GOOD_CARD),
        )
        settled: dict[str, Any] = {
            "status": "SUCCEEDED",
            "amount": money("100.00"),
            "tax": money("19.00"),
            "bonus": money("10.00"),
            "refunded": money("0.00"),
            "failureReason": None,
            "receipt": {"total": money("119.00")},
            "refunds": [],
        }
        assert await shown_with(gateway, account, "SUCCEEDED") == {
            "balance": {"available": money("110.00")},
            "creditPurchases": {"nodes": [settled]},
        }

        await make(stripe, "refunds", payment_intent=payment["id"], amount="5950")
        backfill = {
            "GATEWAY_STRIPE_API_KEY": KEY,
            "GATEWAY_STRIPE_API_BASE": str(stripe.base_url),
        }
        # The PaymentIntent and its charge as they are now, and the refund.
        printed = await gateway.command("stripe-backfill", **backfill)
        assert printed == "3 applied, 2 lists not there"
        back = {"status": "SUCCEEDED", "amount": money("50.00")}
        refunded = settled | {
            "status": "PARTIALLY_REFUNDED",
            "refunded": money("50.00"),
            "refunds": [back | {"receipt": {"total": money("-59.50")}}],
        }
        assert await shown(gateway, account) == {
            "balance": {"available": money("60.00")},
            "creditPurchases": {"nodes": [refunded]},
        }
        before = await table_rows(database, "ledger_entry")
        printed = await gateway.command("stripe-backfill", **backfill)
        assert printed == "3 duplicate, 2 lists not there"
        assert await table_rows(database, "ledger_entry") == before

        declined = await stripe.post(
            "/v1/payment_intents",
            data={
                "amount": "5000",
                "currency": "usd",
                "confirm": "true",
                "metadata[account]": "acme",
                **await customer_with(stripe, DECLINED_CARD),
            },
        )
        assert declined.status_code == 402
        newest = (await shown_with(gateway, account, "FAILED"))["creditPurchases"]["nodes"][0]
        assert (newest["failureReason"], newest["receipt"]) == ("Your card was declined.", None)
    assert await check_books(database) == [usd("60")]
