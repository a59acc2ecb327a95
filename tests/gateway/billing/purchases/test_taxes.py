"""Tax lines and the buyer's details on documents."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.purchases.taxes import share_of
from gateway.money import from_minor_units
from gateway.store.engine.stored_json import loads
from gateway.store.taxes import TaxLine
from tests.support.books import Books, usd
from tests.support.facts import day, purchase, refund, rows_of, save, save_together

VAT = TaxLine("VAT", "19", usd("15"))
CITY = TaxLine("City tax", None, usd("4"))
BILLING: Any = {"name": "Acme Billing", "address": ["Main St 1", "Berlin"], "taxId": "DE 1"}


async def documents(books: Books, account_id: int) -> list[dict[str, Any]]:
    """Return the frozen data of an account's documents, in the order of their numbers."""
    rows = await rows_of(books.database, "receipt", account_id)
    return [loads(row["data"]) for row in sorted(rows, key=lambda row: row["number"])]


@given(
    lines=st.lists(st.integers(0, 10**13), max_size=5),
    part=st.integers(0, 1_000),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_shares_of_lines_add_up_and_are_never_negative(
    lines: list[int], part: int, currency: str
) -> None:
    unit = from_minor_units(1, {"USD": 2, "JPY": 0, "KWD": 3}[currency])
    known = [TaxLine(str(index), None, nanos // unit * unit) for index, nanos in enumerate(lines)]
    whole = sum(line.nanos for line in known)
    tax = whole * part // 1_000 // unit * unit
    shares = share_of(known, tax, currency)
    assert sum(line.nanos for line in shares) == tax
    assert all(line.nanos >= 0 and line.nanos % unit == 0 for line in shares)
    if tax:
        assert [line.name for line in shares] == [line.name for line in known]
    if tax == whole:
        assert shares == known


async def test_documents_name_the_taxes_as_the_provider_did(books: Books) -> None:
    account_id = await books.account("acme")
    bought = purchase(account_id, succeeded_at=day(1), taxes=[VAT, CITY])
    await save(books, account_id, bought, refund("re_1", "50"))
    receipt, note = await documents(books, account_id)
    assert receipt["taxes"] == [
        {"name": "VAT", "percentage": "19", "amount": "15.00"},
        {"name": "City tax", "amount": "4.00"},
    ]
    assert [tax["amount"] for tax in note["taxes"]] == ["-7.50", "-2.00"]
    await save(books, account_id, refund("re_1", "50", status="FAILED", has_succeeded=True))
    *_, cancellation = await documents(books, account_id)
    assert [tax["amount"] for tax in cancellation["taxes"]] == ["7.50", "2.00"]


async def test_without_names_a_document_has_no_tax_lines(books: Books) -> None:
    account_id = await books.account("acme")
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)))
    (receipt,) = await documents(books, account_id)
    assert "taxes" not in receipt
    assert receipt["buyer"] == {"name": "Acme", "externalId": "acme"}


async def test_a_document_keeps_the_buyers_details_of_its_issue(books: Books) -> None:
    account_id = await books.account("acme", billing=BILLING, keeps_billing=False)
    settled = purchase(account_id, succeeded_at=day(1))
    await save_together(books, account_id, settled)
    await books.account("acme", name="Acme AG")
    moved = BILLING | {"name": None, "address": ["Elsewhere"]}
    await save(books, account_id, refund("re_1", "1"))
    await books.account("acme", billing=moved, keeps_billing=False)
    await save(books, account_id, refund("re_2", "1"))
    await books.account("acme", billing=None, keeps_billing=False)
    await save(books, account_id, refund("re_3", "1"))
    buyers = [document["buyer"] for document in await documents(books, account_id)]
    assert [buyer.get("billing") for buyer in buyers] == [BILLING, BILLING, moved, None]
