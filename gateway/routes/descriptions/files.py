"""`/exports/…`: files of an account's rows."""

from enum import StrEnum
from typing import Final

from gateway.exports.export import ExportFormat
from gateway.exports.request import FILTERS, MAX_SEARCH, UsageRows
from gateway.exports.tables.parquet import ParquetWriter
from gateway.exports.tables.xlsx import XlsxWriter
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from gateway.routes.descriptions.refusals import (
    CREDENTIAL_LIMITS,
    FORBIDDEN,
    NOT_FOUND,
    READ,
    THROTTLED,
    TIMEOUT,
)
from gateway.routes.openapi.operation import (
    READER,
    Answer,
    Example,
    Operation,
    Parameter,
    Refusal,
)
from gateway.store.usage_filter import UsageDimension
from gateway.windows import Interval

TAG: Final = "Exports"
ACCOUNT: Final = Parameter(
    name="account",
    place="query",
    text="The account's id in GraphQL (`acct_…`) or its external id; required without a signed "
    "link.",
)
_FORMAT: Final = Parameter(
    name="format",
    place="query",
    text="`CSV` (RFC 4180, UTF-8 with BOM, formulas escaped), `JSONL` (one object per line, "
    "with the names of the GraphQL schema), `FOCUS` (1.2, CSV), `XLSX` (a workbook) or `PARQUET` "
    "(amounts as decimal(38, 9); where it is installed).",
    schema={"enum": [*ExportFormat], "default": "CSV"},
)
_WINDOW: Final = (
    Parameter(
        name="from",
        place="query",
        text="First day (inclusive), `YYYY-MM-DD`.",
        schema={"type": "string", "format": "date"},
    ),
    Parameter(
        name="to",
        place="query",
        text="Last day (inclusive), `YYYY-MM-DD`.",
        schema={"type": "string", "format": "date"},
    ),
    Parameter(
        name="timeZone",
        place="query",
        text="IANA name of the time zone of the days. Default: the account's.",
    ),
)
LIMITS: Final = (
    "export_slots",
    "export_account_slots",
    "export_principal_slots",
    "export_seconds",
    "export_unread_seconds",
    "link_seconds",
    *CREDENTIAL_LIMITS,
)
_ROWS: Final = Answer(
    status=200,
    text="All rows, oldest first: streamed; as XLSX and Parquet with a `Content-Length`. If "
    "anything fails midway the connection is cut, so a partial file cannot pass for a whole one.",
    content={
        "text/csv": {"type": "string"},
        "application/x-ndjson": {"type": "string"},
        XlsxWriter.media_type: {"type": "string", "format": "binary"},
        ParquetWriter.media_type: {"type": "string", "format": "binary"},
    },
    headers=("Content-Disposition", "X-Export-Rows"),
)
BUSY: Final = Refusal(
    status=429,
    codes=("THROTTLED",),
    text="Too many exports of this account are running, the caller has too few points, or too many "
    "requests of this client address had no valid credential.",
    headers=("Retry-After",),
)
REFUSALS: Final = (
    *(each for each in READ if each not in {THROTTLED, FORBIDDEN}),
    Refusal(
        status=403,
        codes=("FORBIDDEN",),
        text="The link is invalid or has expired, or the caller's role does not include these "
        "rows.",
    ),
    NOT_FOUND,
    BUSY,
    TIMEOUT,
)
_ROW_REFUSALS: Final = (
    *REFUSALS,
    Refusal(
        status=507,
        codes=("STORAGE_FULL",),
        text="There is no room for the temporary file of an XLSX or Parquet file.",
    ),
)


def _list(name: str, text: str, values: type[StrEnum]) -> Parameter:
    allowed = ", ".join(f"`{each}`" for each in values)
    sentence = f"{text}, separated by commas: {allowed}. Default: all."
    return Parameter(name=name, place="query", text=sentence)


EXPORT_PURCHASES: Final = Operation(
    id="exportCreditPurchases",
    method="GET",
    tag=TAG,
    summary="Export credit purchases",
    text="Exports purchases with the filter of `creditPurchases` in GraphQL, by day of "
    "`createdAt`. Not allowed for a `VIEWER`.",
    access=READER,
    parameters=(
        ACCOUNT,
        _FORMAT,
        *_WINDOW,
        Parameter(
            name="search",
            place="query",
            text="Text or amount to find, as `search` of `creditPurchases` in GraphQL.",
            schema={"type": "string", "minLength": 1, "maxLength": MAX_SEARCH},
        ),
        _list("status", "Only purchases with these statuses", CreditPurchaseStatus),
        _list("kind", "Only purchases of these kinds", CreditPurchaseKind),
    ),
    answers=(_ROWS,),
    refusals=_ROW_REFUSALS,
    limits=LIMITS,
    examples=(
        Example(
            name="coupons",
            text="Coupons as JSONL",
            status=200,
            parameters={"account": "acme", "format": "JSONL", "kind": "COUPON"},
        ),
    ),
)

EXPORT_USAGE: Final = Operation(
    id="exportUsage",
    method="GET",
    tag=TAG,
    summary="Export usage",
    text="Exports the usage events of a date range, as `usage` in GraphQL, each with the start "
    "of its bucket. Without `from` and `to`: the field's default range.",
    access=READER,
    parameters=(
        ACCOUNT,
        _FORMAT,
        Parameter(
            name="interval",
            place="query",
            text="The length of a bucket. Default: the finest with at most 1,100 buckets; `DAY` "
            "if a date is omitted.",
            schema={"enum": [*Interval]},
        ),
        *_WINDOW,
        *(
            Parameter(
                name=name,
                place="query",
                text=f"Only usage with these values, as `{name}` of `UsageFilter` in GraphQL: a "
                'JSON array such as `["a",null]`.',
            )
            for name in FILTERS
        ),
        Parameter(
            name="rows",
            place="query",
            text="Every charge, every bucket, or every value of a dimension in each bucket.",
            schema={"enum": [*UsageRows], "default": UsageRows.CHARGES},
        ),
        *(
            Parameter(
                name=name,
                place="query",
                text=f"The {which} dimension of `SERIES`.",
                schema={"enum": [*UsageDimension]},
            )
            for name, which in (("by", "first"), ("then", "second"))
        ),
    ),
    answers=(_ROWS,),
    refusals=_ROW_REFUSALS,
    limits=LIMITS,
    examples=(
        Example(
            name="month",
            text="A month as JSONL",
            status=200,
            parameters={
                "account": "acme",
                "format": "JSONL",
                "interval": "MONTH",
                "from": "2026-11-01",
                "to": "2026-11-30",
            },
        ),
        Example(
            name="unknown",
            text="An account that does not exist, or without access",
            status=404,
            parameters={"account": "nobody"},
            answer={
                "errors": [
                    {
                        "message": "Account not found, or you don't have access.",
                        "extensions": {"code": "NOT_FOUND"},
                    }
                ]
            },
        ),
    ),
)

EXPORT_LEDGER: Final = Operation(
    id="exportLedger",
    method="GET",
    tag=TAG,
    summary="Export the ledger",
    text="Exports changes of the balance, as `ledger` in GraphQL, by day of `at`. Not allowed "
    "for a `VIEWER`.",
    access=READER,
    parameters=(
        ACCOUNT,
        Parameter(
            name="format",
            place="query",
            text="`CSV`, `JSONL`, `XLSX` or `PARQUET`; `FOCUS` is not available for the ledger.",
            schema={"enum": ["CSV", "JSONL", "XLSX", "PARQUET"], "default": "CSV"},
        ),
        *_WINDOW,
        _list("cause", "Only changes with these causes", LedgerCause),
    ),
    answers=(_ROWS,),
    refusals=_ROW_REFUSALS,
    limits=LIMITS,
    examples=(
        Example(
            name="ledger",
            text="Adjustments and refunds as CSV",
            status=200,
            parameters={"account": "acme", "format": "CSV", "cause": "ADJUSTMENT,REFUND"},
        ),
        Example(
            name="cause",
            text="A cause that does not exist",
            status=400,
            parameters={"account": "acme", "cause": "GIFT"},
            answer={
                "errors": [
                    {
                        "message": f"`cause` must be one of {', '.join(LedgerCause)}.",
                        "extensions": {"code": "BAD_USER_INPUT", "argument": "cause"},
                    }
                ]
            },
        ),
    ),
)
