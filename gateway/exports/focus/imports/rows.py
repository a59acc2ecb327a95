"""Reads one row of a FOCUS cost file: the meaning of its cells, and the refused values.

What a charge becomes, by `ChargeCategory`:

    Usage        a usage event
    Credit       an adjustment of the balance
    Adjustment   an adjustment of the balance
    Tax          an adjustment of the balance
    Purchase     an adjustment of the balance: what is paid for a commitment or a licence is no
                 consumption of its period, and a year's fee on its first day would be read as that
                 day's burn

A cost reduces the balance, so an adjustment's amount is the cost with its sign changed.

A row with something in `x_PurchaseId` is credit that a gateway sold, from its export of purchases:
what was paid for credit would be taken off the balance. A file with such rows is refused whole.

Which resource a charge is for, by `ServiceCategory` (`OTHER` for those that are not here):

    Compute                    CPU; but a size by the hour is MEMORY, a size by the month STORAGE
                               and a size alone NETWORK, as disks and transfer are billed under it
    Storage                    STORAGE
    Networking                 NETWORK
    AI and Machine Learning    GPU

A row with a resource of ours in `x_Resource` was written by `gateway export`: the columns `x_…` say
what FOCUS has no column for, and its unit, provider, service and project are the meter's.
Of every other row the sub-account is the project, or the value of a tag where one is chosen.

Numbers are digits with an optional `-` and fraction, also in E notation, and the 0 before a point
may be left out; a currency sign, thousands separators and a `+` are refused, as the specification
forbids them. Dates are ISO 8601 in its extended format, with `T` or a space, in UTC where they have
no offset, and what is less than a microsecond is cut off; a spreadsheet's `5/1/25` is refused,
because it can be read as two days.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from sqlmodel import SQLModel

from gateway.errors import BadUserInput
from gateway.exports.focus.imports.projects import project_of
from gateway.instants import EARLIEST, LATEST
from gateway.models import (
    Account,
    Deployment,
    LedgerEntry,
    Resource,
    UsageEvent,
    table_of,
)
from gateway.money import MAX_TEXT, minor_digits, parse_nanos, parse_quantity
from gateway.text import is_identifier


class FocusCost(StrEnum):
    """The column that counts: what is invoiced, or the same with upfront fees spread over their
    term.
    """

    BILLED = "BilledCost"
    EFFECTIVE = "EffectiveCost"


class FocusAccount(StrEnum):
    """The column of a file that names the account. A charge without a sub-account belongs
    to its billing account.
    """

    BILLING = "billing"
    SUB = "sub"


class ChargeCategory(StrEnum):
    USAGE = "Usage"
    PURCHASE = "Purchase"
    TAX = "Tax"
    CREDIT = "Credit"
    ADJUSTMENT = "Adjustment"


class FocusColumns(NamedTuple):
    """The columns that say what counts, who pays and, where a tag is named, for which project."""

    cost: FocusCost = FocusCost.BILLED
    account_by: FocusAccount = FocusAccount.BILLING
    project_tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusRow:
    """A row. Instants are in UTC; `line` is where it begins in the file.

    Texts of numbers are those that arrived; nanos are rounded half-even, once. A row that names no
    resource has no deployment. `correction`: the cost is negative, or the row says so. `issuer` and
    `billing_account` are the provider that sent the file and its account there, empty where the row
    has none; `provider` is who ran what was used.
    """

    line: int
    category: ChargeCategory
    description: str
    account_external_id: str
    account_name: str
    issuer: str
    billing_account: str
    currency: str
    cost_text: str
    cost_nanos: int
    started_at: datetime
    ended_at: datetime
    deployment_external_id: str | None
    deployment_name: str | None
    provider: str | None
    gpu_model: str | None
    region: str | None
    service: str | None
    sku: str | None
    project: str | None
    resource: Resource
    unit: str
    quantity_text: str
    quantity_nanos: int
    correction: bool

    @property
    def is_usage(self) -> bool:
        """Whether this is a usage event; everything else adjusts the balance."""
        return self.category is ChargeCategory.USAGE

    @property
    def adjustment_nanos(self) -> int:
        """The row's change of the balance: a cost reduces the balance."""
        return -self.cost_nanos


SOLD: Final = "x_PurchaseId"
"""The column that only credit which a gateway sold has something in."""

IDENTIFIERS: Final = frozenset({"BillingAccountId", "SubAccountId", "ResourceId"})
"""Columns that name accounts and deployments: kept as they are, but for blanks around a cell."""

MANDATORY: Final = (
    "BillingAccountId",
    "BillingCurrency",
    "ChargeCategory",
    "ChargePeriodStart",
    "ChargePeriodEnd",
)

_RESOURCES: Final = {
    "Compute": Resource.CPU,
    "Storage": Resource.STORAGE,
    "Networking": Resource.NETWORK,
    "AI and Machine Learning": Resource.GPU,
}
_OURS: Final = {resource.value: resource for resource in Resource}
_SIZE: Final = re.compile(r"(?:[KMGT]i?B|gigabyte)(?:[-/ ](?:per )?(hour|month)s?)?", re.IGNORECASE)
_SIZE_BY: Final = {"": Resource.NETWORK, "hour": Resource.MEMORY, "month": Resource.STORAGE}

RENAMED: Final = {
    "Provider": "ProviderName",
    "Region": "RegionId",
    "UsageQuantity": "ConsumedQuantity",
    "UsageUnit": "ConsumedUnit",
}
"""Names since 1.0 of the columns of FOCUS 1.0-preview."""

NEEDED: Final = (("ProviderName",), ("ConsumedQuantity", "PricingQuantity"))
"""Columns of which a file has at least one: else its usage would be nobody's, or of nothing."""

_E_NOTATION: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)[eE][+-]?[0-9]{1,2}", re.ASCII)
_NO_ZERO: Final = re.compile(r"(-?)(\.[0-9]+)", re.ASCII)
_TIME: Final = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_OFFSET: Final = r"Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?"
_INSTANT: Final = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[T ]({_TIME})(?: ?({_OFFSET}))?)?", re.ASCII
)


def _length(model: type[SQLModel], column: str) -> int:
    length: int = getattr(table_of(model).c[column].type, "length", 0)
    return length


_ACCOUNT_ID: Final = _length(Account, "external_id")
_ACCOUNT_NAME: Final = _length(Account, "name")
_DEPLOYMENT_ID: Final = _length(Deployment, "external_id")
_DEPLOYMENT_NAME: Final = _length(Deployment, "name")
_DESCRIPTION: Final = _length(LedgerEntry, "description")
_UNIT: Final = _length(UsageEvent, "unit")
_DIMENSION: Final = min(
    _length(UsageEvent, column) for column in ("provider", "region", "service", "sku", "project")
)


def read_row(cells: Mapping[str, str], *, line: int, columns: FocusColumns) -> FocusRow:
    """Return the charge of a row; `cells` are the non-null cells by their column's name in 1.0.

    Raises BadUserInput, its `argument` the column, for the first cell that cannot be read. Long
    names and descriptions are cut; long ids and dimensions are refused.
    """
    category = _category(cells)
    account_id, account_name = _account(cells, columns.account_by)
    started_at, ended_at = _period(cells)
    cost_text = _required(cells, columns.cost, MAX_TEXT)
    cost_nanos = _nanos(cost_text, columns.cost)
    deployment_id = _identifier(cells, "ResourceId", _DEPLOYMENT_ID)
    deployment_name = cells.get("ResourceName") if deployment_id else None
    quantity_text, quantity_nanos, unit = _quantity(cells)
    own = _own(cells)
    return FocusRow(
        line=line,
        category=category,
        description=_cut(_describe(category, cells.get("ChargeDescription")), _DESCRIPTION),
        account_external_id=account_id,
        account_name=_cut(account_name, _ACCOUNT_NAME),
        issuer=_text(cells, "ProviderName", _DIMENSION) or "",
        billing_account=_identifier(cells, "BillingAccountId", _ACCOUNT_ID) or "",
        currency=_currency(cells),
        cost_text=cost_text,
        cost_nanos=cost_nanos,
        started_at=started_at,
        ended_at=ended_at,
        deployment_external_id=deployment_id,
        deployment_name=_cut(deployment_name, _DEPLOYMENT_NAME) if deployment_name else None,
        provider=_text(cells, "x_ComputeProvider" if own else "ProviderName", _DIMENSION),
        gpu_model=_text(cells, "x_GpuModel", _DIMENSION) if own else None,
        region=_text(cells, "RegionId", _DIMENSION),
        service=_text(cells, "x_Service" if own else "ServiceName", _DIMENSION),
        sku=_text(cells, "SkuId", _DIMENSION) or _text(cells, "SkuPriceId", _DIMENSION),
        project=_project(cells, columns, own=own is not None),
        resource=own or resource_of(cells.get("ServiceCategory"), unit),
        unit=(_text(cells, "x_Unit", _UNIT) or "") if own else unit,
        quantity_text=quantity_text,
        quantity_nanos=quantity_nanos,
        correction=(
            cost_nanos < 0
            or cells.get("ChargeClass") == "Correction"
            or (own is not None and cells.get("x_Correction") == "true")
        ),
    )


def _project(cells: Mapping[str, str], columns: FocusColumns, *, own: bool) -> str | None:
    column, project = project_of(
        cells,
        tag=columns.project_tag,
        by_sub_account=columns.account_by is FocusAccount.SUB,
        own=own,
    )
    return None if project is None else _text({column: project}, column, _DIMENSION)


def _own(cells: Mapping[str, str]) -> Resource | None:
    """Return the resource of a row that this gateway wrote, None for those of others."""
    return _OURS.get(cells.get("x_Resource", ""))


def resource_of(service_category: str | None, unit: str) -> Resource:
    """Return the resource that a charge of this category and unit is for."""
    resource = _RESOURCES.get(service_category or "", Resource.OTHER)
    size = _SIZE.fullmatch(unit) if resource is Resource.CPU else None
    return _SIZE_BY[(size[1] or "").lower()] if size else resource


def parse_instant(text: str, *, argument: str) -> datetime:
    """Return the instant in UTC; a date alone is its first moment.

    Raises BadUserInput for anything but ISO 8601's extended format, and outside 2000 to 2100.
    """
    try:
        instant = _instant(text)
    except (ValueError, OverflowError):
        raise BadUserInput(
            "A date must be written as 2024-09-18T23:00:00Z, 2024-09-18 23:00:00 (UTC) or "
            f"2024-09-18. {_quoted(text)} has another format, is ambiguous or does not exist.",
            argument=argument,
        ) from None
    if not EARLIEST <= instant < LATEST:
        raise BadUserInput("A date must be in the years 2000 to 2100.", argument=argument)
    return instant


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime:
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, time, offset = match.groups("")
    zone = offset if offset.startswith(("+", "-")) else "+00"
    return datetime.fromisoformat(f"{day}T{time or '00:00'}{zone}").astimezone(UTC)


def _period(cells: Mapping[str, str]) -> tuple[datetime, datetime]:
    start, end = "ChargePeriodStart", "ChargePeriodEnd"
    started_at = parse_instant(_required(cells, start), argument=start)
    ended_at = parse_instant(_required(cells, end), argument=end)
    if ended_at < started_at:
        raise BadUserInput("A charge period must not end before it starts.", argument=end)
    return started_at, ended_at


def _category(cells: Mapping[str, str]) -> ChargeCategory:
    text = _required(cells, "ChargeCategory")
    try:
        return ChargeCategory(text)
    except ValueError:
        raise BadUserInput(
            f"A charge category must be one of {', '.join(ChargeCategory)}; not {_quoted(text)}.",
            argument="ChargeCategory",
        ) from None


def _account(cells: Mapping[str, str], account_by: FocusAccount) -> tuple[str, str]:
    """Return the account's external id and name; without a name, the id stands in."""
    by_sub = account_by is FocusAccount.SUB and "SubAccountId" in cells
    kind = "SubAccount" if by_sub else "BillingAccount"
    external_id = _required(cells, f"{kind}Id", _ACCOUNT_ID, _identifier)
    return external_id, cells.get(f"{kind}Name", external_id)


def _currency(cells: Mapping[str, str]) -> str:
    currency = _required(cells, "BillingCurrency")
    minor_digits(currency, argument="BillingCurrency")
    return currency


def _quantity(cells: Mapping[str, str]) -> tuple[str, int, str]:
    """Return the consumed quantity, or else the priced one, or else 0: text, nanos and unit."""
    for kind in ("Consumed", "Pricing"):
        if text := _text(cells, f"{kind}Quantity", MAX_TEXT):
            nanos = _nanos(text, f"{kind}Quantity", parse_quantity)
            return text, nanos, _text(cells, f"{kind}Unit", _UNIT) or ""
    return "0", 0, ""


def _nanos(text: str, column: str, parse: Callable[[str], int] = parse_nanos) -> int:
    plain = text
    if _E_NOTATION.fullmatch(text):
        plain = f"{Decimal(text):f}"
    elif short := _NO_ZERO.fullmatch(text):
        plain = f"{short[1]}0{short[2]}"
    try:
        return parse(plain)
    except BadUserInput as error:
        raise BadUserInput(f"{error.message} Not {_quoted(text)}.", argument=column) from None


def _required(
    cells: Mapping[str, str],
    column: str,
    limit: int | None = None,
    read: Callable[[Mapping[str, str], str, int], str | None] | None = None,
) -> str:
    text = (read or _text)(cells, column, limit) if limit else cells.get(column)
    if text is None:
        raise BadUserInput("A value is required.", argument=column)
    return text


def _text(cells: Mapping[str, str], column: str, limit: int) -> str | None:
    text = cells.get(column)
    if text and len(text) > limit:
        raise BadUserInput(f"At most {limit} characters, not {len(text)}.", argument=column)
    return text


def _identifier(cells: Mapping[str, str], column: str, limit: int) -> str | None:
    text = _text(cells, column, limit)
    if text and not is_identifier(text):
        raise BadUserInput(
            "An identifier must not contain control characters, directional controls or U+FFFD.",
            argument=column,
        )
    return text


def _describe(category: ChargeCategory, description: str | None) -> str:
    return f"{category}: {description}" if description else category


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _quoted(text: str) -> str:
    return f'"{_cut(text, 40)}"'
