"""The domain's enumerations as GraphQL enums, with what each value means."""

from collections.abc import Mapping
from enum import StrEnum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from gateway.billing.balance.runway import RunwayStatus
from gateway.billing.usage.breakdown import UsageDimension, UsageGroup
from gateway.exports.export import ExportFormat
from gateway.models import (
    CreditPurchaseKind,
    CreditPurchaseStatus,
    DisputeStatus,
    LedgerCause,
    LowBalance,
    PaymentMethodType,
    RefundStatus,
)
from gateway.principal import Role
from gateway.windows import Interval

__all__ = [
    "BalanceCause",
    "CreditPurchaseKind",
    "CreditPurchaseStatus",
    "DisputeStatus",
    "ExportFormat",
    "Interval",
    "LedgerCause",
    "LowBalance",
    "PaymentMethodType",
    "RefundStatus",
    "Role",
    "RunwayStatus",
    "UsageDimension",
    "UsageGroup",
    "describe",
]


class BalanceCause(StrEnum):
    """The ledger's causes, and those of updates that no entry made."""

    PURCHASE = "PURCHASE"
    BONUS = "BONUS"
    REFUND = "REFUND"
    DISPUTE = "DISPUTE"
    USAGE = "USAGE"
    ADJUSTMENT = "ADJUSTMENT"
    THRESHOLD = "THRESHOLD"
    SNAPSHOT = "SNAPSHOT"


def describe(
    enum: type[StrEnum], description: str, values: Mapping[StrEnum, str], *, name: str | None = None
) -> None:
    """Make an enumeration a GraphQL enum; `values` says what each of its values means."""
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # set by the line above
    for value in definition.values:
        value.description = values[enum(value.value)]


describe(
    Role,
    "What a member may see of an account.",
    {
        Role.OWNER: "Everything.",
        Role.BILLING: "Everything.",
        Role.VIEWER: "Balance, usage and deployments; no purchases, receipts or ledger.",
    },
    name="AccountRole",
)
describe(
    UsageGroup,
    "What a row of grouped usage stands for.",
    {
        UsageGroup.VALUE: "One value of the dimension.",
        UsageGroup.NONE: "Usage that names no value of the dimension.",
        UsageGroup.OTHER: "All values after the largest ones.",
    },
)
describe(
    CreditPurchaseKind,
    "How credit came to an account.",
    {
        CreditPurchaseKind.CARD: "Paid for, by card or another means of payment.",
        CreditPurchaseKind.COUPON: "Given for a coupon.",
        CreditPurchaseKind.MANUAL_CREDIT: "Given by the platform's staff.",
        CreditPurchaseKind.TRIAL_GRANT: "Given to try the platform out.",
    },
)
describe(
    CreditPurchaseStatus,
    "Where a purchase stands. SUCCEEDED, PARTIALLY_REFUNDED, REFUNDED and DISPUTED are settled: "
    "its credit was added to the balance.",
    {
        CreditPurchaseStatus.PENDING: "Begun; the payment is not decided.",
        CreditPurchaseStatus.REQUIRES_ACTION: "The payer must do something, such as confirm it.",
        CreditPurchaseStatus.SUCCEEDED: "Paid; the credit was added.",
        CreditPurchaseStatus.PARTIALLY_REFUNDED: "Paid; a part of the money was given back.",
        CreditPurchaseStatus.REFUNDED: "Paid; all the money was given back.",
        CreditPurchaseStatus.DISPUTED: "Paid; the card's holder objects, and it is not decided.",
        CreditPurchaseStatus.FAILED: "The payment failed; no credit was added.",
        CreditPurchaseStatus.CANCELED: "Given up before it was paid; no credit was added.",
    },
)
describe(
    PaymentMethodType,
    "What a purchase was paid with.",
    {
        PaymentMethodType.CARD: "A credit or debit card.",
        PaymentMethodType.WALLET: "A wallet such as Apple Pay or Google Pay.",
        PaymentMethodType.LINK: "Link, the provider's stored payment.",
        PaymentMethodType.BANK_ACCOUNT: "A debit or transfer from a bank account.",
        PaymentMethodType.OTHER: "Anything else; the label names it.",
    },
)
describe(
    RefundStatus,
    "Where a refund stands.",
    {
        RefundStatus.PENDING: "Begun; the provider has not decided.",
        RefundStatus.SUCCEEDED: "The money was given back.",
        RefundStatus.FAILED: "The provider could not give the money back.",
        RefundStatus.CANCELED: "Given up before money moved.",
    },
)
describe(
    DisputeStatus,
    "Where a dispute stands.",
    {
        DisputeStatus.OPEN: "Not decided yet.",
        DisputeStatus.WON: "Decided for the platform.",
        DisputeStatus.LOST: "Decided for the cardholder.",
    },
)
describe(
    LedgerCause,
    "Why the balance changed.",
    {
        LedgerCause.PURCHASE: "Credit was bought.",
        LedgerCause.BONUS: "Credit was given: a bonus, a coupon, a trial grant or a manual credit; "
        "negative where a refund or a dispute took a bonus back.",
        LedgerCause.REFUND: "Money was given back; positive where the refund failed later.",
        LedgerCause.DISPUTE: "A dispute took the funds of a payment, or gave them back.",
        LedgerCause.USAGE: "Usage was charged.",
        LedgerCause.ADJUSTMENT: "The platform's staff corrected the balance.",
    },
)
describe(
    LowBalance,
    "Which of an account's low-balance thresholds its balance has passed; MONEY where both are. "
    "It ends when the balance is a tenth above the threshold.",
    {
        LowBalance.MONEY: "The balance is at or below the account's amount.",
        LowBalance.DAYS: "The balance is used up, or lasts no longer than the account's days at "
        "the higher of the two rates of `Runway.earliest`.",
    },
)
describe(
    Interval,
    "What one bucket spans, by the calendar of its zone.",
    {
        Interval.DAY: "A calendar day: 23 to 25 hours where clocks change.",
        Interval.WEEK: "An ISO week, from Monday.",
        Interval.MONTH: "A calendar month.",
        Interval.YEAR: "A calendar year.",
    },
    name="UsageInterval",
)
describe(
    UsageDimension,
    "What usage can be broken down by.",
    {
        UsageDimension.DEPLOYMENT: "What ran.",
        UsageDimension.PROVIDER: "Who ran it, as it was when it was charged.",
        UsageDimension.GPU_MODEL: "The model of its GPUs, as it was when it was charged.",
        UsageDimension.RESOURCE: "What was leased: CPU, memory, storage, GPUs and so on.",
    },
)
describe(
    RunwayStatus,
    "Whether the end of a balance can be told.",
    {
        RunwayStatus.ESTIMATED: "It can; the dates are there.",
        RunwayStatus.INSUFFICIENT_HISTORY: "Not yet: there is less than one complete day.",
        RunwayStatus.IDLE: "Nothing is being spent.",
        RunwayStatus.DEPLETED: "The balance is zero or negative.",
        RunwayStatus.BEYOND_HORIZON: "The balance lasts for more than 10 years.",
    },
)
describe(
    BalanceCause,
    "Why a balance is told.",
    {
        BalanceCause.PURCHASE: "Credit was bought or given.",
        BalanceCause.BONUS: "A bonus came with a purchase.",
        BalanceCause.REFUND: "Money was given back.",
        BalanceCause.DISPUTE: "A dispute took the funds of a payment, or gave them back.",
        BalanceCause.USAGE: "Usage was charged.",
        BalanceCause.ADJUSTMENT: "The platform's staff corrected the balance.",
        BalanceCause.THRESHOLD: "A low-balance state began or ended; the version is repeated.",
        BalanceCause.SNAPSHOT: "Nothing happened: the subscription begins with what there is.",
    },
)
describe(
    ExportFormat,
    "What an export is written in.",
    {
        ExportFormat.CSV: "For spreadsheets: RFC 4180, UTF-8 with a byte order mark, instants with "
        "the zone's offset.",
        ExportFormat.JSONL: "For programs: a JSON object on each line, with this schema's names.",
        ExportFormat.FOCUS: "For cost tools: a FOCUS 1.2 file.",
    },
)
