"""Credit purchases, their connection, and its totals."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Any, ClassVar, Final

import strawberry

from gateway.exports.writers import PURCHASE_WRITERS
from gateway.instants import EARLIEST, LATEST
from gateway.links import PURCHASES_PATH
from gateway.models import charged_nanos
from gateway.store import Page, Row, Selection
from resolvers.columns import column, converted, global_id, itself, money, resolved
from resolvers.connection import Connection, Pages
from resolvers.context import Info
from resolvers.enums import CreditPurchaseKind, CreditPurchaseStatus
from resolvers.exports import Format, sign_export
from resolvers.permissions import Policy
from resolvers.types.account import Account
from resolvers.types.money import Amount, Money, with_tax
from resolvers.types.node import Node
from resolvers.types.payment_method import PaymentMethod
from resolvers.types.receipt import Receipt
from resolvers.types.refund import Refund

MAX_REFUNDS: Final = 100


def load_account(root: strawberry.Parent[Row], info: Info) -> Awaitable[Row | None]:
    return info.context.loaders.account_by_id.load((root["account_id"],))


def load_receipt(root: strawberry.Parent[Row], info: Info) -> Awaitable[Row | None]:
    return info.context.loaders.receipt_by_purchase.load((root["account_id"], root["id"]))


def load_refunds(root: strawberry.Parent[Row], info: Info) -> Awaitable[list[Row]]:
    refunds = Selection(
        scope=(root["account_id"], root["id"]), lower=(EARLIEST, -1), upper=(LATEST, -1)
    )
    page = Page(selection=refunds, ascending=True, limit=MAX_REFUNDS)
    return info.context.loaders.refunds_by_page.load(page)


async def load_totals(root: strawberry.Parent[Pages]) -> dict[str, Any]:
    totals = await root.totals.load(root.selection)
    assert root.account is not None  # noqa: S101  # purchases are always an account's
    return {**totals, "currency": root.account["currency"], "selection": root.selection}


async def load_refunded_tax(root: strawberry.Parent[Any], info: Info) -> Amount:
    refunds = await info.context.loaders.refund_totals_by_selection.load(root["selection"])
    return refunds["refund_tax_nanos"], root["currency"]


async def load_refunded_total(root: strawberry.Parent[Any], info: Info) -> Amount:
    refunds = await info.context.loaders.refund_totals_by_selection.load(root["selection"])
    return with_tax(refunds["refund_nanos"], refunds["refund_tax_nanos"], root["currency"])


def _charged(kind: str, amount_nanos: int, tax_nanos: int, currency: str) -> Amount:
    return charged_nanos(kind, amount_nanos, tax_nanos), currency


def sign_export_url(root: strawberry.Parent[Pages], info: Info, format_: Format) -> str:
    assert root.account is not None  # noqa: S101  # purchases are always an account's
    assert root.exported is not None  # noqa: S101  # and can be exported
    account_id = root.account["account_id"]
    return sign_export(info, PURCHASES_PATH, account_id, format_, root.exported, PURCHASE_WRITERS)


def _credited(paid_nanos: int, bonus_nanos: int, refunded_nanos: int, currency: str) -> Amount:
    return paid_nanos + bonus_nanos - refunded_nanos, currency


@strawberry.type(description="An attempt to add credit to an account.")
class CreditPurchase(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "CreditPurchase", "account_id", "id", description="The purchase's global id."
    )
    created_at: datetime = column("created_at", description="When it was begun.")
    settled_at: datetime | None = column(
        "settled_at", description="When its credit was added to the balance; null until then."
    )
    kind: CreditPurchaseKind = column("kind", description="How the credit came.")
    status: CreditPurchaseStatus = column("status", description="Where it stands.")
    description: str | None = column(
        "description", description="What it was for; at most 2,000 characters."
    )
    failure_reason: str | None = column(
        "failure_reason", description="Why the payment failed; null where it did not."
    )
    amount: Money = money(
        "amount_nanos", description="The credit bought, without tax and without bonus."
    )
    tax: Money = money("tax_nanos", description="The tax that was charged on top of the amount.")
    charged: Money = converted(
        _charged,
        "kind",
        "amount_nanos",
        "tax_nanos",
        "currency",
        description="What the card pays: `amount` + `tax` for kind CARD, 0 for the other kinds. It "
        "has paid once the purchase has settled.",
    )
    bonus: Money = money("bonus_nanos", description="Credit given on top of the amount.")
    bonus_reversed: Money = money(
        "bonus_reversed_nanos",
        description="The part of the bonus that went back with the last of the money.",
    )
    refunded: Money = money(
        "refunded_nanos",
        description="The money taken back to date, without tax: refunds that succeeded, and what "
        "disputes withdrew and did not return.",
    )
    payment_method: PaymentMethod | None = itself(
        when="payment_method_type",
        description="What it was paid with; null where nothing was paid or it is not known.",
    )
    receipt: Receipt | None = resolved(
        load_receipt,
        description="Its receipt; null until it has settled, and where none are issued.",
    )
    refunds: list[Refund] = resolved(
        load_refunds, description="What was taken back, oldest first; at most 100."
    )
    account: Account = resolved(load_account, description="The account that it is for.")


@strawberry.type(
    description="Sums over the settled purchases that the filter selects, on all pages together, "
    "with their refunds to date."
)
class CreditPurchaseTotals:
    POLICY: ClassVar = Policy.PURCHASES

    paid: Money = money("paid_nanos", description="Amounts of kind CARD, without tax.")
    tax: Money = money("tax_nanos", description="Taxes of kind CARD, before refunds.")
    charged: Money = converted(
        with_tax,
        "paid_nanos",
        "tax_nanos",
        "currency",
        description="What cards paid, before refunds: `paid` + `tax`.",
    )
    bonus: Money = money(
        "bonus_nanos",
        description="Bonuses that were not reversed, and amounts of the kinds COUPON, "
        "MANUAL_CREDIT and TRIAL_GRANT.",
    )
    refunded: Money = money("refunded_nanos", description="Money taken back, without tax.")
    refunded_tax: Money = resolved(
        load_refunded_tax,
        description="The tax of refunds that succeeded, a part of `refundedTotal`.",
    )
    refunded_total: Money = resolved(
        load_refunded_total,
        description="What went back by refunds that succeeded, tax included: the sum of their "
        "`total`. A dispute is no refund: its funds count in `refunded` alone.",
    )
    credited: Money = converted(
        _credited,
        "paid_nanos",
        "bonus_nanos",
        "refunded_nanos",
        "currency",
        description="What stayed on the balance: paid + bonus − refunded.",
    )


@strawberry.type(description="Credit purchases, the latest `createdAt` first.")
class CreditPurchaseConnection(Connection[CreditPurchase]):
    POLICY: ClassVar = Policy.PURCHASES

    totals: CreditPurchaseTotals = resolved(
        load_totals, description="Sums over all purchases that the filter selects."
    )
    export_url: str = resolved(
        sign_export_url,
        description="A link to a file of all purchases that the filter selects, the earliest "
        "first, which needs no credential; it is signed anew for each answer and expires within 15 "
        "minutes.",
    )
