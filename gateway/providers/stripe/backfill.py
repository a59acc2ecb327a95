"""Past payments, read from Stripe's API and taken like events."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import httpx
import orjson

from gateway.errors import BadRequest, ConfigurationError, NotFound, ServiceUnavailable
from gateway.providers.stripe.events import LISTED, parse_event
from gateway.providers.stripe.inbox import Inbox
from gateway.providers.stripe.texts import Json, id_of, items_of, object_of

PAGE: Final = 100
ATTEMPTS: Final = 5
LISTS: Final[Mapping[str, str]] = {
    "payment_intents": "payment_intent.updated",
    "charges": "charge.updated",
    "checkout/sessions": "checkout.session.updated",
    "invoices": "invoice.paid",
    "refunds": "refund.updated",
    "disputes": "charge.dispute.updated",
}
"""The lists that are read, in this order, and the type of event with the same content."""
EXPANDED: Final[Mapping[str, str]] = {
    "checkout/sessions": "data.total_details.breakdown",
    "invoices": "data.payments",
    "charges": "data.balance_transaction",
    "refunds": "data.failure_balance_transaction",
}
"""Fields that Stripe leaves out of a list unless they are expanded: the taxes of a Checkout Session
with their names, an invoice's payments (since 2025-03-31.basil), and objects that a charge or a
refund has by id."""
REQUIRED: Final = frozenset({"payment_intents", "charges", "refunds"})
"""Lists without which there are no payments; a sandbox may lack the others."""


class Api:
    """Reads lists from Stripe, all pages, with another attempt where Stripe requires one."""

    def __init__(self, client: httpx.AsyncClient, key: str, *, wait_seconds: float = 0.5) -> None:
        self._client = client
        self._headers = {"authorization": f"Bearer {key}"}
        self._wait_seconds = wait_seconds
        self.version: str | None = None
        """The version of the API in which it answered last, where it says so."""

    async def objects(self, path: str, **filters: str) -> AsyncIterator[dict[str, object]]:
        """Yield a list's objects, the newest first. Raises ServiceUnavailable, and NotFound where
        there is no such list.
        """
        query = {"limit": str(PAGE), **filters}
        if path in EXPANDED:
            query["expand[]"] = EXPANDED[path]
        while True:
            page = await self._page(path, query)
            found = items_of(page)
            for each in found:
                yield dict(each)
            after = id_of(found[-1].get("id")) if found else None
            if not page.get("has_more") or after is None:
                return
            query["starting_after"] = after

    async def invoices(self) -> AsyncIterator[dict[str, object]]:
        """Yield the paid invoices, each with all of its payments."""
        async for invoice in self.objects("invoices"):
            if invoice.get("status") != "paid":
                continue
            payments, name = object_of(invoice.get("payments")), id_of(invoice.get("id"))
            if payments.get("has_more") and name is not None:
                every = [each async for each in self.objects("invoice_payments", invoice=name)]
                invoice["payments"] = {**payments, "data": every, "has_more": False}
            yield invoice

    async def _page(self, path: str, query: dict[str, str]) -> Json:
        """Return a page; the query loses what an older version of the API cannot expand."""
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._wait_seconds * 2**attempt)
            try:
                answer = await self._client.get(f"/v1/{path}", params=query, headers=self._headers)
            except httpx.HTTPError as error:
                reason = type(error).__name__
                continue
            if answer.status_code in {401, 403}:
                raise ConfigurationError(
                    f"GATEWAY_STRIPE_API_KEY: Stripe refuses this key for {path}."
                )
            if answer.status_code == 200:
                self.version = answer.headers.get("stripe-version")
                page: object = answer.json()
                return page if isinstance(page, dict) else {}
            if answer.status_code == 400 and query.pop("expand[]", ""):
                # Such a version lists it without `expand[]`.
                continue
            if answer.status_code == 404:
                raise NotFound(f"{path} was not found at this Stripe API.")
            reason = f"status {answer.status_code}"
            if answer.status_code != 429 and answer.status_code < 500:
                break
        raise ServiceUnavailable(f"Stripe did not list {path} ({reason}).")


async def backfill(
    inbox: Inbox,
    api: Api,
    *,
    livemode: bool,
    lists: Mapping[str, str] = LISTS,
    report: Callable[[int, int | None], None] = lambda _done, _all: None,
) -> dict[str, int]:
    """Take everything that is listed; return how much had which outcome.

    An object is an event known by its content: the same again is a duplicate, and a changed one is
    news, so a backfill may be run at any time and any number of times beside webhooks. Its time is
    that of reading it: it shows how the object stands then.
    """
    outcomes: Counter[str] = Counter()
    for path, event_type in lists.items():
        try:
            async for subject in api.invoices() if path == "invoices" else api.objects(path):
                event = _event(subject, event_type, livemode=livemode)
                event |= {"created": int(inbox.now().timestamp()), "api_version": api.version}
                outcomes[await _take(inbox, event)] += 1
                report(outcomes.total(), None)
        except NotFound as error:
            if path in REQUIRED:
                raise ServiceUnavailable(error.message) from None
            outcomes["lists not there"] += 1
    # What an earlier run read before its account was there is known by now, and not taken again.
    await inbox.sweep()
    return outcomes


def _event(subject: dict[str, object], event_type: str, *, livemode: bool) -> dict[str, object]:
    # A link of this kind is another one each time; nothing else changes without a reason.
    subject.pop("receipt_url", None)
    content = orjson.dumps(subject, option=orjson.OPT_SORT_KEYS)
    return {
        "id": f"{LISTED}{hashlib.sha256(content).hexdigest()}",
        "type": event_type,
        "livemode": livemode,
        "data": {"object": subject},
    }


async def _take(inbox: Inbox, event: dict[str, object]) -> str:
    try:
        parsed = parse_event(orjson.dumps(event))
    except BadRequest:
        return "malformed"
    return await inbox.take(parsed)
