"""The texts and amounts by which a search finds credit purchases: everything that people read of
them.

- of a purchase: its description, its provider's reference, its payment method (name, brand and last
  four digits, `visa 4242`), its amounts;
- of its receipt, its credit notes and their cancellations: the numbers;
- of its refunds: reason, provider's reference, amounts; of its disputes: the provider's reference.

Each purchase of the selection is looked at once, and the other tables once for the account: their
matches are gathered first, of documents from an index that holds the numbers. What the text cannot
be (a number, an amount) is not looked for: such a search has a statement of its own.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Table,
    bindparam,
    func,
    literal,
    or_,
    select,
)

from gateway.models import Dispute, Receipt, Refund, table_of
from gateway.money import amounts_as_written
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import Expression, Query
from gateway.store.search import contained, contains

_REFUND: Final = table_of(Refund)
_DISPUTE: Final = table_of(Dispute)
_RECEIPT: Final = table_of(Receipt)

_NUMBER: Final = re.compile(r"[0-9A-Za-z-]+", re.ASCII)
_APART: Final = "\n"
"""Separator of texts that are searched together; no search text contains this character."""

TEXT: Final = "search_text"
AMOUNTS: Final = "search_amounts"
OWNER: Final = "search_owner"


def search_condition(text: str, account_id: int) -> tuple[str, tuple[tuple[str, object], ...]]:
    """Return the name of the condition that finds a text (checked), and its parameters."""
    amounts = tuple(sorted(amounts_as_written(text)))
    is_number = _NUMBER.fullmatch(text) is not None
    parameters: list[tuple[str, object]] = [(OWNER, account_id), *contained(TEXT, text)]
    if amounts:
        parameters.append((AMOUNTS, amounts))
    return _name(is_number=is_number, is_amount=bool(amounts)), tuple(parameters)


def _name(*, is_number: bool, is_amount: bool) -> str:
    return f"search{'_number' if is_number else ''}{'_amount' if is_amount else ''}"


def _condition(*, is_number: bool, is_amount: bool) -> Callable[[FromClause], ColumnElement[bool]]:
    def has_text(purchases: FromClause) -> ColumnElement[bool]:
        matches = [contains(_own_text(purchases), TEXT)]
        if is_amount:
            matches += [any_of(each, AMOUNTS) for each in _own_amounts(purchases)]
        elsewhere = [_refunds(is_amount=is_amount), _disputes()]
        if is_number:
            elsewhere.append(_documents())
        return or_(*matches, *(purchases.c.id.in_(each) for each in elsewhere))

    return has_text


def _own_text(purchases: FromClause) -> ColumnElement[str]:
    brand, last4 = purchases.c.payment_method_brand, purchases.c.payment_method_last4
    return _joined(
        purchases.c.description,
        purchases.c.provider_reference,
        func.replace(purchases.c.payment_method_name, "_", " "),
        func.coalesce(brand, "") + " " + func.coalesce(last4, ""),
        purchases.c.payment_method_label,
    )


def _own_amounts(purchases: FromClause) -> Iterator[ColumnElement[int]]:
    yield purchases.c.amount_nanos
    yield purchases.c.amount_nanos + purchases.c.tax_nanos
    yield purchases.c.bonus_nanos
    yield purchases.c.refunded_nanos


def _documents() -> Query:
    return _of_account(_RECEIPT).where(contains(_RECEIPT.c.number, TEXT))


def _refunds(*, is_amount: bool) -> Query:
    matches = [contains(_joined(_REFUND.c.reason, _REFUND.c.provider_reference), TEXT)]
    if is_amount:
        net, tax = _REFUND.c.amount_nanos, _REFUND.c.tax_nanos
        matches += [any_of(each, AMOUNTS) for each in (net, net + tax)]
    return _of_account(_REFUND).where(or_(*matches))


def _disputes() -> Query:
    return _of_account(_DISPUTE).where(contains(_DISPUTE.c.provider_reference, TEXT))


def _of_account(table: Table) -> Query:
    owner = bindparam(OWNER, type_=BigInteger())
    return select(table.c.purchase_id).where(table.c.account_id == owner)


def _joined(*texts: Expression) -> ColumnElement[str]:
    """Return texts joined for one search; nulls are left out."""
    whole: ColumnElement[str] = literal("")
    for text in texts:
        whole += func.coalesce(text, "") + _APART
    return whole


SEARCHES: Final[Mapping[str, Callable[[FromClause], ColumnElement[bool]]]] = {
    _name(is_number=is_number, is_amount=is_amount): _condition(
        is_number=is_number, is_amount=is_amount
    )
    for is_number in (False, True)
    for is_amount in (False, True)
}
"""The conditions that `search_condition` names."""
