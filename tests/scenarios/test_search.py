"""A search of credit purchases finds what people see in them: in lists, totals and files."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest

from gateway.ids import encode_global_id
from gateway.models import CreditPurchase, Dispute, Receipt, Refund
from gateway.money import parse_nanos
from gateway.store import Database
from tests.scenarios.test_exports import LINKS_TO, file_of, serving, table
from tests.support.graph import PLATFORM, ask, data_of
from tests.support.rows import UNIT, account, dispute, purchase, put, receipt, refund

ACCOUNT, OTHER = 1, 2
SEARCH = f"""query($id: ID!, $filter: CreditPurchaseFilter, $first: Int, $after: String) {{
  account(id: $id) {{ creditPurchases(filter: $filter, first: $first, after: $after) {{
    {LINKS_TO} totalCount totals {{ paid {{ amount }} refundedTotal {{ amount }} }}
    nodes {{ id }} pageInfo {{ endCursor hasNextPage }}
  }} }}
}}"""
TEXTS = (
    *("Invoice 2026/11", "100% off_peak", r"C:\credit", "a*b?[c]", "[a-z]", "^$.|(x)+", "]{2}"),
    *(
        "Straße 5",
        "GROẞE STRASSE",
        "ΚΌΣΜΟΣ κόσμος",
        "Überweisung ÄÖÜ",
        "Москва",
        "日本 50",
        "ǅ ǆ Ǆ",
    ),
    *(
        "K k K",
        "İstanbul",
        "''",
        '"',
        "a--b",
        "🚀 Launch",
        "\N{COMBINING DIAERESIS}",
        "pi",
        "1 000",
    ),
)
NEEDLES = (
    *(
        "visa 4242",
        "VISA",
        "4242",
        "sepa debit",
        "apple",
        "pi_",
        "PI_7",
        "re_1",
        "du_",
        "00000001-2026",
    ),
    *(
        "%",
        "_",
        "*",
        "?",
        "[",
        "]",
        "\\",
        ".",
        "^",
        "$",
        "[a-z]",
        "a*",
        "a.b",
        "-",
        "(x)+",
        "''",
        '"',
    ),
    *(
        "STRASSE",
        "straße",
        "GROSSE",
        "große",
        "κόσμος",
        "ΚΌΣΜΟΣ",
        "κόσμοσ",
        "überweisung ä",
        "МОСКВА",
    ),
    *("日本", "🚀", "ǅ", "k k k", "\N{COMBINING DIAERESIS}", "nothing of that", "pi 50"),
    *("10.00", "$10", "11,00", "1,234.50", "1.234,50", "USD 3", "0", "1.234", "12.5 EUR", "٣"),
)


@dataclass(slots=True)
class Bought:
    """A purchase and all that belongs to it."""

    purchase: CreditPurchase
    documents: list[Receipt] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def texts(self) -> Iterator[str | None]:
        own = self.purchase
        name = own.payment_method_name
        yield from (own.description, own.provider_reference, name and name.replace("_", " "))
        yield from (own.payment_method_brand, own.payment_method_last4, own.payment_method_label)
        if own.payment_method_brand and own.payment_method_last4:
            yield f"{own.payment_method_brand} {own.payment_method_last4}"
        yield from (each.number for each in self.documents)
        yield from chain(*((each.reason, each.provider_reference) for each in self.refunds))
        yield from (each.provider_reference for each in self.disputes)

    def amounts(self) -> Iterator[int]:
        own = self.purchase
        yield from (own.amount_nanos, own.amount_nanos + own.tax_nanos)
        yield from (own.bonus_nanos, own.refunded_nanos)
        for each in self.refunds:
            yield from (each.amount_nanos, each.amount_nanos + each.tax_nanos)

    def has(self, needle: str, amounts: frozenset[int]) -> bool:
        # A wholly different way to the same: Python's own comparison of cases.
        found = re.compile(re.escape(needle), re.IGNORECASE)
        return any(found.search(text) for text in self.texts() if text) or any(
            each in amounts for each in self.amounts()
        )


def buy(key: int, account_id: int, dice: random.Random) -> Bought:
    """Return a purchase with texts and amounts of all kinds; every third has refunds."""
    amount = dice.choice([10 * UNIT, 1_234_500_000_000, 3 * UNIT, 12_500_000_000])
    brand, last4, name = dice.choice(
        [
            ("visa", "4242", None),
            (None, "3000", "sepa_debit"),
            ("visa", "1881", "apple_pay"),
            (None,) * 3,
        ]
    )
    made = Bought(
        purchase(
            account_id,
            key,
            amount_nanos=amount,
            tax_nanos=dice.choice([0, UNIT]),
            bonus_nanos=dice.choice([0, 1_234_000_000_000]),
            refunded_nanos=3 * UNIT if key % 3 == 0 else 0,
            description=dice.choice([None, *TEXTS]),
            provider="stripe",
            provider_reference=f"pi_{key}x{dice.choice('abAB')}",
            payment_method_brand=brand,
            payment_method_last4=last4,
            payment_method_name=name,
            payment_method_label=dice.choice([None, "Fidor Bänk"]),
        )
    )
    made.documents.append(receipt(account_id, 3 * key, key))
    if key % 3 == 0:
        back = refund(
            account_id,
            key,
            key,
            amount_nanos=3 * UNIT,
            tax_nanos=dice.choice([0, UNIT // 2]),
            reason=dice.choice([None, *TEXTS]),
            provider="stripe",
            provider_reference=f"re_{key}",
        )
        made.refunds.append(back)
        made.documents.append(receipt(account_id, 3 * key + 1, key, refund_id=key))
        made.disputes.append(
            dispute(account_id, key, key, provider="stripe", provider_reference=f"du_{key}")
        )
    return made


async def fill(database: Database, rows: list[Bought], account_id: int) -> None:
    await put(database, account(account_id), *(each.purchase for each in rows))
    await put(database, *chain(*(each.refunds for each in rows)))
    await put(database, *chain(*(each.disputes + each.documents for each in rows)))


async def search(database: Database, text: str, **more: Any) -> Any:
    variables = {
        "id": encode_global_id("Account", ACCOUNT),
        "filter": {"search": text},
        "first": 100,
    }
    data = await data_of(database, PLATFORM, SEARCH, variables | more)
    return data["account"]["creditPurchases"]


def nodes(rows: list[Bought]) -> list[str]:
    ids = (encode_global_id("CreditPurchase", ACCOUNT, each.purchase.id) for each in rows)
    return list(ids)


def amounts_of(needle: str) -> frozenset[int]:
    meant = {
        "10.00": "10", "$10": "10", "11,00": "11", "1,234.50": "1234.5", "1.234,50": "1234.5",
        "USD 3": "3", "12.5 EUR": "12.5", "٣": "3", "4242": "4242",
    }  # fmt: skip
    if needle == "1.234":
        return frozenset({parse_nanos("1234"), parse_nanos("1.234")})
    return frozenset({parse_nanos(meant[needle])}) if needle in meant else frozenset()


async def test_a_search_finds_what_python_finds(database: Database) -> None:
    dice = random.Random(20261130)
    rows = [buy(key, ACCOUNT, dice) for key in range(1, 61)]
    await fill(database, rows, ACCOUNT)
    await fill(database, [buy(key, OTHER, dice) for key in range(1, 7)], OTHER)
    texts = [text for each in rows for text in each.texts() if text and len(text) > 4]
    parts = [text[dice.randrange(3) :].swapcase().strip() for text in dice.sample(texts, 30)]
    sizes = set()
    for needle in (*NEEDLES, *(part for part in parts if part.strip())):
        found = await search(database, needle)
        expected = [each for each in reversed(rows) if each.has(needle, amounts_of(needle))]
        assert [node["id"] for node in found["nodes"]] == nodes(expected), needle
        assert found["totalCount"] == len(expected)
        paid = sum(each.purchase.amount_nanos for each in expected)
        assert parse_nanos(found["totals"]["paid"]["amount"]) == paid
        back = sum(r.amount_nanos + r.tax_nanos for each in expected for r in each.refunds)
        assert parse_nanos(found["totals"]["refundedTotal"]["amount"]) == back
        sizes.add(len(expected))
    assert len(sizes) > 10


@pytest.mark.parametrize("text", ["visa 4242", "100%", "κόσμοσ & co=1", "１"])
async def test_files_have_the_rows_of_the_search(database: Database, text: str) -> None:
    dice = random.Random(7)
    rows = [buy(key, ACCOUNT, dice) for key in range(1, 31)]
    rows[4].purchase.description = "ΚΌΣΜΟΣ & CO=1 １"
    await fill(database, rows, ACCOUNT)
    found = await search(database, f" {text}\N{NO-BREAK SPACE}")
    async with serving(database) as client:
        sheet = table(await file_of(client, found["csv"]))
        lines = [*map(json.loads, (await file_of(client, found["jsonl"])).splitlines())]
    expected = [node["id"] for node in reversed(found["nodes"])]
    assert 0 < len(expected) < len(rows)
    assert [row["id"] for row in lines] == [row["Purchase"] for row in sheet] == expected


async def test_pages_of_a_search_follow_each_other(database: Database) -> None:
    dice = random.Random(1)
    rows = [buy(key, ACCOUNT, dice) for key in range(1, 41)]
    await fill(database, rows, ACCOUNT)
    whole = [node["id"] for node in (await search(database, "VISA"))["nodes"]]
    assert len(whole) > 6
    read: list[str] = []
    page: Any = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        page = await search(database, "VISA", first=3, after=page["pageInfo"]["endCursor"])
        read += [node["id"] for node in page["nodes"]]
    assert read == whole
    variables = {
        "id": encode_global_id("Account", ACCOUNT),
        "filter": {"search": "sepa"},
        "after": page["pageInfo"]["endCursor"],
    }
    reply = await ask(database, PLATFORM, SEARCH, variables)
    assert [code for _, code, _ in reply.errors] == ["BAD_CURSOR"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "1 to 100 characters"),
        (" \t ", "1 to 100 characters"),
        ("x" * 101, "1 to 100 characters"),
        ("a\x00b", "control characters"),
        ("a\nb", "control characters"),
    ],
)
async def test_a_search_that_cannot_be_made_says_why(
    database: Database, text: str, reason: str
) -> None:
    await put(database, account(ACCOUNT))
    variables = {"id": encode_global_id("Account", ACCOUNT), "filter": {"search": text}}
    reply = await ask(database, PLATFORM, SEARCH, variables)
    assert [code for _, code, _ in reply.errors] == ["BAD_USER_INPUT"]
    assert "`search`" in reply.errors[0][2]
    assert reason in reply.errors[0][2]
