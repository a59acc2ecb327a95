"""Stripe's lists at the edge of the network, as they are at an instant of the stories."""

from collections.abc import Sequence
from typing import Any, Final

import httpx

from tests.support.histories.shapes import Json
from tests.support.histories.story import BASIL

LISTS: Final = {
    "payment_intents": "payment_intent",
    "charges": "charge",
    "checkout/sessions": "checkout.session",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "refunds": "refund",
    "disputes": "dispute",
    "balance_transactions": "balance_transaction",
}
_PAGING: Final = {"limit", "starting_after", "ending_before", "expand[]"}
_SHOWN_OF_A_LIST: Final = 10
"""How many objects an expanded list shows before there is more of it."""


class ListApi:
    """Answers GET requests for lists and objects of one version of the API."""

    def __init__(self, version: str, objects: Sequence[Json], page: int = 3) -> None:
        self.version, self.page = version, page
        self.objects = sorted(objects, key=lambda each: each["created"], reverse=True)
        self.by_id = {each["id"]: each for each in objects}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1/")
        parameters = request.url.params.multi_items()
        expanded = [value for name, value in parameters if name.startswith("expand")]
        if path == "invoice_payments" and self.version < BASIL:
            return httpx.Response(404)
        if "data.payments" in expanded and self.version < BASIL:
            return httpx.Response(400)
        if path not in LISTS:
            found = self.by_id.get(path.rpartition("/")[2])
            return httpx.Response(200, json=found) if found else httpx.Response(404)
        filters = {name: value for name, value in parameters if name not in _PAGING}
        listed = [each for each in self._of(LISTS[path]) if _fits(each, filters)]
        return httpx.Response(200, json=self._page(path, listed, parameters, expanded))

    def _of(self, kind: str) -> list[Json]:
        return [each for each in self.objects if each["object"] == kind]

    def _page(
        self,
        path: str,
        listed: list[Json],
        parameters: list[tuple[str, str]],
        expanded: list[str],
    ) -> Json:
        wanted = dict(parameters)
        ids = [each["id"] for each in listed]
        start = ids.index(wanted["starting_after"]) + 1 if "starting_after" in wanted else 0
        size = min(self.page, int(wanted.get("limit", "10")))
        shown = [self._expand(each, expanded) for each in listed[start : start + size]]
        more = len(listed) > start + size
        return {"object": "list", "url": f"/v1/{path}", "data": shown, "has_more": more}

    def _expand(self, subject: Json, expanded: list[str]) -> Json:
        shown = dict(subject)
        if "data.balance_transaction" in expanded:
            shown["balance_transaction"] = self.by_id.get(shown["balance_transaction"])
        if "data.payments" in expanded and shown["object"] == "invoice":
            of_invoice = [
                each for each in self._of("invoice_payment") if each["invoice"] == shown["id"]
            ]
            shown["payments"] = {
                "object": "list",
                "url": "/v1/invoice_payments",
                "data": of_invoice[:_SHOWN_OF_A_LIST],
                "has_more": len(of_invoice) > _SHOWN_OF_A_LIST,
            }
        return shown


def _fits(subject: Json, filters: dict[str, Any]) -> bool:
    return all(_value(subject, name) == value for name, value in filters.items())


def _value(subject: Json, name: str) -> Any:
    """Return a field by its name in a query: `payment[payment_intent]` is a field of a field."""
    found: Any = subject
    for part in name.replace("]", "").split("["):
        found = found.get(part) if isinstance(found, dict) else None
    return found
