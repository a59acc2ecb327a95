"""The GraphQL types of credit purchases, their connection and its totals."""

from datetime import datetime
from typing import ClassVar, Final, NamedTuple, TypeAlias

import strawberry

from gateway.exports.writers import PURCHASE_WRITERS
from gateway.instants import EARLIEST, LATEST
from gateway.links import PURCHASES_PATH
from gateway.models import charged_nanos
from gateway.store import Page, Selection
from gateway.store.purchase_listing import PurchaseTotals
from gateway.store.rows import CreditPurchaseRow
from resolvers.columns import (
    attribute,
    column,
    converted,
    converted_attributes,
    global_id,
    itself,
    money,
    related,
    resolved,
)
from resolvers.connection import Connection, Pages
from resolvers.context import Info
from resolvers.costs import LINK, LONG_TEXT, ONE_ROW, REFUNDS
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


def _all_refunds(account_id: int, purchase_id: int) -> Page:
    refunds = Selection(scope=(account_id, purchase_id), lower=(EARLIEST, -1), upper=(LATEST, -1))
    return Page(selection=refunds, ascending=True, limit=MAX_REFUNDS)


PurchasePages: TypeAlias = Pages[CreditPurchaseRow, PurchaseTotals]


class SelectedTotals(NamedTuple):
    """The totals of a selection of purchases, in their account's currency."""

    selection: Selection
    currency: str
    paid_nanos: int
    tax_nanos: int
    bonus_nanos: int
    refunded_nanos: int


async def load_totals(root: strawberry.Parent[PurchasePages]) -> SelectedTotals:
    totals = await root.totals.load(root.selection)
    assert root.account is not None  # noqa: S101  # purchases are always an account's
    return SelectedTotals(
        selection=root.selection,
        currency=root.account["currency"],
        paid_nanos=totals["paid_nanos"],
        tax_nanos=totals["tax_nanos"],
        bonus_nanos=totals["bonus_nanos"],
        refunded_nanos=totals["refunded_nanos"],
    )


async def load_refunded_tax(root: strawberry.Parent[SelectedTotals], info: Info) -> Amount:
    refunds = await info.context.loaders.refund_totals_by_selection.load(root.selection)
    return refunds["refund_tax_nanos"], root.currency


async def load_refunded_total(root: strawberry.Parent[SelectedTotals], info: Info) -> Amount:
    refunds = await info.context.loaders.refund_totals_by_selection.load(root.selection)
    return with_tax(refunds["refund_nanos"], refunds["refund_tax_nanos"], root.currency)


def _charged(kind: str, amount_nanos: int, tax_nanos: int, currency: str) -> Amount:
    return charged_nanos(kind, amount_nanos, tax_nanos), currency


def sign_export_url(root: strawberry.Parent[PurchasePages], info: Info, format_: Format) -> str:
    assert root.account is not None  # noqa: S101  # purchases are always an account's
    assert root.exported is not None  # noqa: S101  # and can be exported
    account_id = root.account["account_id"]
    return sign_export(
        info, PURCHASES_PATH, account_id, format_, root.exported.parameters(), PURCHASE_WRITERS
    )


def _credited(paid_nanos: int, bonus_nanos: int, refunded_nanos: int, currency: str) -> Amount:
    return paid_nanos + bonus_nanos - refunded_nanos, currency


@strawberry.type(description="A purchase or grant of credit, whether or not it succeeded.")
class CreditPurchase(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "CreditPurchase", "account_id", "id", description="The purchase's global id."
    )
    created_at: datetime = column("created_at", description="When the purchase was started.")
    settled_at: datetime | None = column(
        "settled_at", description="When the credit was added to the balance; null until then."
    )
    kind: CreditPurchaseKind = column("kind", description="Kind of the purchase.")
    status: CreditPurchaseStatus = column("status", description="Status of the purchase.")
    description: str | None = column(
        "description",
        cost=LONG_TEXT,
        description="Description of the purchase; at most 2,000 characters.",
    )
    failure_reason: str | None = column(
        "failure_reason",
        cost=LONG_TEXT,
        description="Why the payment failed; null if it did not fail.",
    )
    amount: Money = money(
        "amount_nanos", description="The credit bought or granted, without tax and bonus."
    )
    tax: Money = money("tax_nanos", description="The tax charged on top of the amount.")
    charged: Money = converted(
        _charged,
        "kind",
        "amount_nanos",
        "tax_nanos",
        "currency",
        description="The payment: `amount` + `tax` for kind CARD, 0 for other kinds. Paid once "
        "`settledAt` is set.",
    )
    bonus: Money = money("bonus_nanos", description="Bonus credit on top of the amount.")
    bonus_reversed: Money = money(
        "bonus_reversed_nanos",
        description="The part of the bonus taken back when the whole amount was taken back.",
    )
    refunded: Money = money(
        "refunded_nanos",
        description="The amount taken back to date, without tax: succeeded refunds, and funds "
        "withdrawn by disputes and not returned.",
    )
    payment_method: PaymentMethod | None = itself(
        when="payment_method_type",
        description="The payment method; null if nothing was paid or the method is unknown.",
    )
    receipt: Receipt | None = related(
        "receipt_by_purchase",
        "account_id",
        "id",
        description="The receipt; null until the purchase settles, or if the platform issues no "
        "receipts.",
    )
    refunds: list[Refund] = related(
        "refunds_by_page",
        "account_id",
        "id",
        key=_all_refunds,
        cost=REFUNDS,
        description="Refunds, oldest first; at most 100.",
    )
    account: Account = related(
        "account_by_id", "account_id", description="The account that receives the credit."
    )


@strawberry.type(
    description="Totals of all settled purchases that match the filter, on every page, with "
    "their refunds to date."
)
class CreditPurchaseTotals:
    POLICY: ClassVar = Policy.PURCHASES

    paid: Money = attribute(
        "paid_nanos", "currency", description="Amounts of kind CARD, without tax."
    )
    tax: Money = attribute("tax_nanos", "currency", description="Tax of kind CARD, before refunds.")
    charged: Money = converted_attributes(
        with_tax,
        "paid_nanos",
        "tax_nanos",
        "currency",
        description="Payments before refunds: `paid` + `tax`.",
    )
    bonus: Money = attribute(
        "bonus_nanos",
        "currency",
        description="Bonuses, less bonuses taken back, plus amounts of the kinds COUPON, "
        "MANUAL_CREDIT and TRIAL_GRANT.",
    )
    refunded: Money = attribute(
        "refunded_nanos",
        "currency",
        description="Amounts taken back by refunds and disputes, without tax.",
    )
    refunded_tax: Money = resolved(
        load_refunded_tax,
        cost=ONE_ROW,
        description="The tax of succeeded refunds, included in `refundedTotal`.",
    )
    refunded_total: Money = resolved(
        load_refunded_total,
        cost=ONE_ROW,
        description="Sum of the `total` of succeeded refunds, tax included. Disputes are not "
        "refunds: their funds count in `refunded` only.",
    )
    credited: Money = converted_attributes(
        _credited,
        "paid_nanos",
        "bonus_nanos",
        "refunded_nanos",
        "currency",
        description="Net credit added to the balance: `paid` + `bonus` − `refunded`.",
    )


@strawberry.type(description="Credit purchases, latest `createdAt` first.")
class CreditPurchaseConnection(Connection[CreditPurchase]):
    POLICY: ClassVar = Policy.PURCHASES

    totals: CreditPurchaseTotals = resolved(
        load_totals,
        cost=ONE_ROW,
        description="Totals of all purchases that match the filter.",
    )
    export_url: str = resolved(
        sign_export_url,
        cost=LINK,
        description="Signed download link to a file of all purchases that match the filter, "
        "oldest first. The link needs no credential and expires within 15 minutes.",
    )
