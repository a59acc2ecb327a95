"""The domain's enumerations as GraphQL enums, each value with a description."""

from collections.abc import Mapping
from enum import StrEnum

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from gateway.audit.account_deeds import DEEDS, AccountActorKind
from gateway.audit.deeds import Deed
from gateway.billing.balance.runway import RunwayStatus
from gateway.billing.usage.breakdown import UsageGroup
from gateway.billing.usage.forecast import ForecastStatus
from gateway.errors import BadUserInput, Conflict, NotFound
from gateway.exports.export import ExportFormat
from gateway.exports.request import UsageRows
from gateway.models import (
    CreditPurchaseKind,
    CreditPurchaseStatus,
    DisputeStatus,
    LedgerCause,
    LowBalance,
    PaymentMethodType,
    ReceiptKind,
    RefundStatus,
    UsageRange,
)
from gateway.principal import Role
from gateway.store.usage_filter import UsageDimension
from gateway.windows import Interval

__all__ = [
    "AccountActorKind",
    "AccountDeed",
    "BalanceCause",
    "CreditPurchaseKind",
    "CreditPurchaseStatus",
    "DisputeStatus",
    "ExportFormat",
    "ForecastStatus",
    "Interval",
    "LedgerCause",
    "LowBalance",
    "PaymentMethodType",
    "ReceiptKind",
    "RefundStatus",
    "Role",
    "RunwayStatus",
    "UsageDimension",
    "UsageGroup",
    "UsageRange",
    "UsageRows",
    "UserErrorCode",
    "describe",
]


class BalanceCause(StrEnum):
    """Causes of balance updates: the ledger's causes, THRESHOLD and SNAPSHOT."""

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
    """Make an enumeration a GraphQL enum; `values` holds the description of each value."""
    strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__  # type: ignore[attr-defined]  # set by the line above
    for value in definition.values:
        value.description = values[enum(value.value)]


class UserErrorCode(StrEnum):
    """Codes of faults in a mutation's input."""

    BAD_USER_INPUT = BadUserInput.code
    NOT_FOUND = NotFound.code
    CONFLICT = Conflict.code


AccountDeed = StrEnum("AccountDeed", {each.name: each.name for each in DEEDS})  # type: ignore[misc]
describe(
    AccountDeed,
    "What was done in an account.",
    {
        AccountDeed[deed.name]: text
        for deed, text in {
            Deed.ACCOUNT_CREATED: "The account was created.",
            Deed.ACCOUNT_CHANGED: "The name, currency, buyer's details or Stripe customer changed.",
            Deed.TIME_ZONE_CHANGED: "Another time zone was set; it may be pending first.",
            Deed.LOW_BALANCE_CHANGED: "The thresholds of the low-balance warning changed.",
            Deed.MEMBER_ADDED: "A member was added.",
            Deed.MEMBER_CHANGED: "A member's role changed.",
            Deed.MEMBER_REMOVED: "A member was removed.",
            Deed.API_KEY_CREATED: "An API key of the account was created.",
            Deed.API_KEY_REVOKED: "An API key of the account was revoked.",
            Deed.CREDIT_GIVEN: "Credit was granted.",
            Deed.BALANCE_ADJUSTED: "The balance was adjusted.",
        }.items()
    },
)
describe(
    AccountActorKind,
    "The kind of a deed's author.",
    {
        AccountActorKind.PERSON: "A person.",
        AccountActorKind.API_KEY: "An API key of the account.",
        AccountActorKind.PLATFORM: "The platform: its API keys, staff and jobs.",
    },
)
describe(
    Role,
    "A member's role in an account.",
    {
        Role.OWNER: "Everything.",
        Role.BILLING: "Everything but audit events.",
        Role.VIEWER: "Balance, usage and deployments; no purchases, receipts, statements or "
        "ledger.",
    },
    name="AccountRole",
)
describe(
    UsageGroup,
    "The kind of a row in grouped usage.",
    {
        UsageGroup.VALUE: "One value of the dimension.",
        UsageGroup.NONE: "Usage without a value for the dimension.",
        UsageGroup.OTHER: "All smaller values together.",
    },
)
describe(
    ReceiptKind,
    "The kind of a document.",
    {
        ReceiptKind.RECEIPT: "The receipt of a settled purchase.",
        ReceiptKind.CREDIT_NOTE: "The credit note of a refund.",
        ReceiptKind.CANCELLATION: "Cancels the credit note of a refund that failed or was "
        "canceled.",
    },
)
describe(
    CreditPurchaseKind,
    "The kind of a credit purchase.",
    {
        CreditPurchaseKind.CARD: "Paid with a card or another payment method.",
        CreditPurchaseKind.COUPON: "Granted for a coupon.",
        CreditPurchaseKind.MANUAL_CREDIT: "Granted by the platform's staff.",
        CreditPurchaseKind.TRIAL_GRANT: "Granted to try out the platform.",
    },
)
describe(
    CreditPurchaseStatus,
    "The status of a credit purchase. SUCCEEDED, PARTIALLY_REFUNDED, REFUNDED and DISPUTED are "
    "settled: the credit was added to the balance.",
    {
        CreditPurchaseStatus.PENDING: "Started; the outcome is not known yet.",
        CreditPurchaseStatus.REQUIRES_ACTION: "Waiting for the payer, for example to confirm "
        "the payment.",
        CreditPurchaseStatus.SUCCEEDED: "Paid; the credit was added.",
        CreditPurchaseStatus.PARTIALLY_REFUNDED: "Paid, then partly refunded.",
        CreditPurchaseStatus.REFUNDED: "Paid, then fully refunded.",
        CreditPurchaseStatus.DISPUTED: "Disputed by the cardholder; not decided yet.",
        CreditPurchaseStatus.FAILED: "The payment failed; no credit was added.",
        CreditPurchaseStatus.CANCELED: "Canceled before payment; no credit was added.",
    },
)
describe(
    PaymentMethodType,
    "The type of a payment method.",
    {
        PaymentMethodType.CARD: "A credit or debit card.",
        PaymentMethodType.WALLET: "A wallet such as Apple Pay or Google Pay.",
        PaymentMethodType.LINK: "Link, Stripe's wallet.",
        PaymentMethodType.BANK_ACCOUNT: "A debit or transfer from a bank account.",
        PaymentMethodType.OTHER: "Another payment method, named by `label`.",
    },
)
describe(
    RefundStatus,
    "The status of a refund.",
    {
        RefundStatus.PENDING: "Started; the outcome is not known yet.",
        RefundStatus.SUCCEEDED: "The money was returned.",
        RefundStatus.FAILED: "The provider could not return the money.",
        RefundStatus.CANCELED: "Canceled before money moved.",
    },
)
describe(
    DisputeStatus,
    "The status of a dispute.",
    {
        DisputeStatus.OPEN: "Not decided yet.",
        DisputeStatus.WON: "Decided in favor of the platform.",
        DisputeStatus.LOST: "Decided in favor of the cardholder.",
    },
)
describe(
    LedgerCause,
    "The cause of a change of the balance.",
    {
        LedgerCause.PURCHASE: "Credit was bought.",
        LedgerCause.BONUS: "Credit was granted: a bonus, coupon, trial grant or manual credit. "
        "Negative if a refund or dispute took a bonus back.",
        LedgerCause.REFUND: "Money was refunded. Positive if the refund failed later.",
        LedgerCause.DISPUTE: "A dispute withdrew the funds of a payment, or returned them.",
        LedgerCause.USAGE: "Usage was charged.",
        LedgerCause.ADJUSTMENT: "The platform's staff corrected the balance.",
    },
)
describe(
    LowBalance,
    "The low-balance threshold that a balance has passed; MONEY if both. The state ends when "
    "the balance is 10 % above the threshold.",
    {
        LowBalance.MONEY: "The balance is at or below `LowBalanceThresholds.amount`.",
        LowBalance.DAYS: "The balance is used up, or lasts at most `LowBalanceThresholds.days` "
        "at the higher of the two rates of `Runway.earliest`.",
    },
)
describe(
    Interval,
    "The calendar interval of a bucket, in the time zone of the range.",
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
    "A dimension to group usage by.",
    {
        UsageDimension.DEPLOYMENT: "The deployment.",
        UsageDimension.PROVIDER: "The deployment's provider at the time of the charge.",
        UsageDimension.GPU_MODEL: "The deployment's GPU model at the time of the charge.",
        UsageDimension.PROJECT: "The project that the charge names.",
        UsageDimension.RESOURCE: "The resource: CPU, MEMORY, STORAGE, GPU, NETWORK, IP or OTHER.",
    },
)
describe(
    UsageRange,
    "Days that move with the calendar, in the time zone of the query.",
    {
        UsageRange.LAST_SEVEN_DAYS: "Today and the 6 days before.",
        UsageRange.LAST_THIRTY_DAYS: "Today and the 29 days before.",
        UsageRange.LAST_NINETY_DAYS: "Today and the 89 days before.",
        UsageRange.LAST_TWELVE_WEEKS: "This ISO week up to today, and the 11 weeks before.",
        UsageRange.LAST_TWELVE_MONTHS: "This month up to today, and the 11 months before.",
        UsageRange.LAST_FIVE_YEARS: "This year up to today, and the 4 years before.",
        UsageRange.THIS_MONTH: "This month, up to today, or to its end for a forecast.",
        UsageRange.LAST_MONTH: "The month before this one.",
        UsageRange.THIS_YEAR: "This year, up to today, or to its end for a forecast.",
        UsageRange.LAST_YEAR: "The year before this one.",
    },
)
describe(
    ForecastStatus,
    "Whether the cost of a range can be estimated.",
    {
        ForecastStatus.ESTIMATED: "Estimated; all fields are set.",
        ForecastStatus.INSUFFICIENT_HISTORY: "Not yet: the account has fewer than three complete "
        "days.",
        ForecastStatus.COMPLETE: "Every day of the range is complete: `summary` has its cost.",
    },
)
describe(
    RunwayStatus,
    "Whether the end of a balance can be estimated.",
    {
        RunwayStatus.ESTIMATED: "Estimated; `earliest` is set.",
        RunwayStatus.INSUFFICIENT_HISTORY: "Not yet: the account has no complete day.",
        RunwayStatus.IDLE: "Nothing is being spent.",
        RunwayStatus.DEPLETED: "The balance is zero or negative.",
        RunwayStatus.BEYOND_HORIZON: "The balance lasts for more than 10 years.",
    },
)
describe(
    BalanceCause,
    "The cause of a balance update.",
    {
        BalanceCause.PURCHASE: "Credit was bought or granted.",
        BalanceCause.BONUS: "A bonus came with a purchase.",
        BalanceCause.REFUND: "Money was refunded.",
        BalanceCause.DISPUTE: "A dispute withdrew the funds of a payment, or returned them.",
        BalanceCause.USAGE: "Usage was charged.",
        BalanceCause.ADJUSTMENT: "The platform's staff corrected the balance.",
        BalanceCause.THRESHOLD: "A low-balance state started or ended; the version is unchanged.",
        BalanceCause.SNAPSHOT: "The current balance, sent first by each subscription.",
    },
)
describe(
    UsageRows,
    "The rows of an export of usage.",
    {
        UsageRows.CHARGES: "Every charge.",
        UsageRows.BUCKETS: "Every bucket, with its spend and number of deployments. Not as FOCUS.",
        UsageRows.SERIES: "Every value of a dimension in each bucket with charges of it; there is "
        'no row "Other". Not as FOCUS.',
    },
)
describe(
    ExportFormat,
    "The format of an export.",
    {
        ExportFormat.CSV: "For spreadsheets: RFC 4180, UTF-8 with a byte order mark, timestamps "
        "with the time zone's offset.",
        ExportFormat.JSONL: "For programs: one JSON object per line, with the names of this "
        "schema.",
        ExportFormat.FOCUS: "For cost tools: a FOCUS 1.2 file.",
        ExportFormat.XLSX: "For spreadsheets: a workbook. An amount of more than 15 digits is a "
        "text, because spreadsheets round it.",
        ExportFormat.PARQUET: "For analysis: an Apache Parquet file, amounts as decimal(38, 9). A "
        "BAD_USER_INPUT error where the gateway was installed without it.",
    },
)
describe(
    UserErrorCode,
    "The kind of an error in a mutation's input.",
    {
        UserErrorCode.BAD_USER_INPUT: "A value that is not allowed.",
        UserErrorCode.NOT_FOUND: "An id of nothing that the person has.",
        UserErrorCode.CONFLICT: "A value that something else of the person has already.",
    },
)
