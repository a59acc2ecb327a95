"""Files that say again what earlier ones said: known, more, or a restatement; on both databases."""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import FixedClock
from gateway.errors import Conflict
from gateway.exports.export import ExportFormat
from gateway.exports.focus.imports import comparison, importer
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.reader import FocusRejected, read_focus
from gateway.exports.focus.imports.report import ImportReport
from gateway.exports.focus.imports.rows import FocusAccount
from gateway.store import Database
from tests.gateway.billing.reconciliation.test_accounts import found_in
from tests.gateway.exports.focus.imports.cost_files import ROW, as_csv, write
from tests.support.books import NOW
from tests.support.focus_files import usage_content
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows
from tests.support.usage_files import NAMES, file_rows

Changes = tuple[dict[str, str], ...]
"""What the rows of a file change in ROW, for `write`."""

TAX = {"ChargeCategory": "Tax", "BilledCost": "0.19", "ResourceId": "", "ConsumedQuantity": ""}
NEXT_HOUR = {
    "ChargePeriodStart": "2024-09-18 23:00:00",
    "ChargePeriodEnd": "2024-09-19 00:00:00",
}


async def take(database: Database, path: Path, **choices: Any) -> ImportReport:
    return await import_focus(database, path, clock=FixedClock(NOW), **choices)


async def check(database: Database) -> list[int]:
    """Return the balances of books that nothing is wrong with."""
    balances = await check_books(database)
    assert await found_in(database) == []
    return balances


async def test_another_project_is_the_same_charge(database: Database, tmp_path: Path) -> None:
    tagged = {"Tags": '{"team": "maps"}'}
    assert added(await take(database, write(tmp_path, tagged), project_tag="team")) == (1, 0)
    assert added(await take(database, write(tmp_path, tagged, tagged | NEXT_HOUR))) == (1, 0)
    dearer = write(tmp_path, tagged | {"BilledCost": "2"}, tagged | NEXT_HOUR)
    restated = await take(database, dearer, restate=True)
    assert (added(restated), corrected(restated)) == ((1, 0), (1, 0))
    await check(database)
    spent = {"maps": 0, "acme-research": 0}
    for row in await table_rows(database, "rollup_project"):
        spent[row["project"]] += row["spent_nanos"]
    assert spent == {"maps": 0, "acme-research": 3_250_000_000}


async def balances(database: Database) -> dict[str, int]:
    rows = await table_rows(database, "account")
    return {row["external_id"]: row["balance_nanos"] for row in rows}


def added(report: ImportReport) -> tuple[int, int]:
    return report.usage_added, report.adjustments_added


def corrected(report: ImportReport) -> tuple[int, int]:
    return report.usage_corrected, report.adjustments_corrected


@pytest.mark.parametrize(
    "change",
    [
        {"InvoiceId": "INV-7", "InvoiceIssuerName": "Cloud Inc."},
        {"Tags": '{"team":  "ml", "env": "dev"}'},
        {"BilledCost": "1.2500", "ConsumedQuantity": "1.50", "PricingQuantity": "3.00"},
        {"ChargePeriodStart": "2024-09-18T22:00:00.000000000Z", "BillingAccountName": "Acme"},
        {"BilledCost": "1.2500000000001", "SubAccountName": "R&D", "ResourceName": "other"},
        {"BillingPeriodStart": "2024-09-01", "ListCost": "2", "x_Project": "green"},
    ],
    ids=["invoice", "tags", "zeros", "instants", "names", "more columns"],
)
async def test_the_same_charge_in_other_words_is_known(
    database: Database, tmp_path: Path, change: dict[str, str]
) -> None:
    await take(database, write(tmp_path, {}, {"BilledCost": "0.19", **TAX}))
    before = await table_rows(database, "account")
    tax = {name: text for name, text in change.items() if not name.endswith("Quantity")}
    report = await take(database, write(tmp_path, change, {**tax, **TAX}))
    assert (added(report), report.usage_known, report.adjustments_known) == ((0, 0), 1, 1)
    assert await table_rows(database, "account") == before


async def test_preview_headers_are_the_same_charge(database: Database, tmp_path: Path) -> None:
    await take(database, write(tmp_path, {}))
    old = {"ProviderName": "Provider", "RegionId": "Region"}
    old |= {"ConsumedQuantity": "UsageQuantity", "ConsumedUnit": "UsageUnit"}
    path = tmp_path / "preview.csv"
    path.write_text(as_csv({old.get(name, name): text for name, text in ROW.items()}), "utf-8")
    [expected] = read_focus(write(tmp_path, {})).rows()
    assert list(read_focus(path).rows()) == [expected]
    report = await take(database, path)
    assert (report.usage_known, report.usage_added) == (1, 0)


async def test_a_month_to_date_grows_without_a_flag(database: Database, tmp_path: Path) -> None:
    rows = [
        {"ChargePeriodStart": f"2024-09-{day:02}", "ChargePeriodEnd": f"2024-09-{day + 1:02}"}
        for day in range(1, 6)
    ]
    for days in (1, 3, 3, 5):
        await take(database, write(tmp_path, *rows[:days], TAX))
    assert await check(database) == [-5 * 1_250_000_000 - 190_000_000]


async def test_a_changed_period_is_refused_whole(database: Database, tmp_path: Path) -> None:
    await take(database, write(tmp_path, {}, NEXT_HOUR, TAX))
    before = await all_rows(database)
    with pytest.raises(FocusRejected) as caught:
        await take(database, write(tmp_path, {"BilledCost": "2"}, NEXT_HOUR))
    assert caught.value.message == (
        "cost.csv lacks 2 rows imported before for account acme, provider Cloud, billing account "
        "acme, from 2024-09-18T22:00:00Z to 2024-09-19T00:00:00Z; the first of them starts at "
        "2024-09-18T22:00:00Z, the last at 2024-09-18T22:00:00Z. Nothing was imported. If they "
        "were changed or taken back (a month that is not closed, another cost column), import the "
        "file with --restate, which corrects them and books what is new. If the file is only a "
        "part of that time, import the whole."
    )
    assert await all_rows(database) == before


async def test_every_return_to_earlier_values_counts(database: Database, tmp_path: Path) -> None:
    first: Changes = ({"BilledCost": "0.12345678905"}, {}, TAX, NEXT_HOUR)
    second: Changes = (
        {"BilledCost": "3"},
        {},
        TAX | {"BilledCost": "0.57"},
        NEXT_HOUR,
        {"SkuId": "b"},
    )
    await take(database, write(tmp_path, *first))
    balances = (
        -123_456_789 - 2_500_000_000 - 190_000_000,
        -3 * 10**9 - 3_750_000_000 - 570_000_000,
    )
    for files in (second, first, second, first):
        report = await take(database, write(tmp_path, *files), restate=True)
        assert corrected(report) == ((1, 1) if files is second else (2, 1))
        assert await check(database) == [balances[files is second]]
        again = await take(database, write(tmp_path, *files))
        assert added(again) == (0, 0)
    entries = await table_rows(database, "ledger_entry")
    taxes = [row["amount_nanos"] // 10**7 for row in entries if row["cause"] == "ADJUSTMENT"]
    assert taxes == [-19, 19, -57, 57, -19, 19, -57, 57, -19]
    assert {row["description"] for row in entries if row["cause"] == "ADJUSTMENT"} == {
        "Tax: GPU by the hour"
    }


async def test_a_correction_negates_and_keeps_the_rest(database: Database, tmp_path: Path) -> None:
    await take(database, write(tmp_path, {"BilledCost": "0.12345678905"}))
    await take(database, write(tmp_path, {"ResourceId": "other"}), restate=True)
    first, correction = [
        row
        for row in await table_rows(database, "usage_event")
        if row["event_id"].endswith("-corrected-1") or "-" not in row["event_id"]
    ]
    same = {"fingerprint", "event_id", "ledger_version", "received_at", "correction"}
    numbers = {name for name in first if name.startswith(("amount_", "quantity_"))}
    assert correction["event_id"] == f"{first['event_id']}-corrected-1"
    assert {name for name in first if first[name] != correction[name]} <= same | numbers
    assert correction["amount_nanos"] == -first["amount_nanos"] == -123_456_789
    assert (first["amount_text"], correction["amount_text"]) == ("0.12345678905", "-0.12345678905")
    assert (first["correction"], correction["correction"]) == (False, True)
    spends = {row["external_id"]: row["spend_nanos"] for row in await deployments_of(database)}
    assert spends == {ROW["ResourceId"]: 0, "other": 1_250_000_000}
    assert await check(database) == [-1_250_000_000]


async def test_files_of_restated_usage_add_up_to_its_spend(
    database: Database, tmp_path: Path
) -> None:
    await take(
        database, write(tmp_path, {"BilledCost": "0.12345678905"}, {"SkuId": "b"}, NEXT_HOUR)
    )
    await take(database, write(tmp_path, {"BilledCost": "7"}, NEXT_HOUR), restate=True)
    [account] = await table_rows(database, "account")
    spent = sum(row["spent_nanos"] for row in await table_rows(database, "rollup_day"))
    assert spent == -account["balance_nanos"] == 8_250_000_000
    sums = {}
    for format_ in ExportFormat:
        content, count = await usage_content(database, account, format_)
        rows = file_rows(format_, content)
        assert len(rows) == count == 6
        amounts = [row[NAMES[format_]["amount"]] for row in rows]
        sums[format_] = sum(Decimal(str(amount).lstrip("'")) for amount in amounts)
    assert set(sums.values()) == {Decimal("8.25")}


async def deployments_of(database: Database) -> list[dict[str, Any]]:
    return await table_rows(database, "deployment")


async def test_a_restatement_may_only_take_back(database: Database, tmp_path: Path) -> None:
    await take(database, write(tmp_path, {}, {"SkuId": "b"}, {"SkuId": "c"}, NEXT_HOUR))
    report = await take(database, write(tmp_path, {"SkuId": "c"}, NEXT_HOUR), restate=True)
    assert (corrected(report), added(report), report.usage_known) == ((2, 0), (0, 0), 2)
    assert await check(database) == [-2_500_000_000]


async def test_equal_rows_count_each_through_restatements(
    database: Database, tmp_path: Path
) -> None:
    for count in (3, 2, 3, 1, 4, 3):
        await take(database, write(tmp_path, *[{}] * count), restate=True)
        assert await check(database) == [-count * 1_250_000_000]
        assert added(await take(database, write(tmp_path, *[{}] * count))) == (0, 0)
    with pytest.raises(FocusRejected, match="lacks 1 row imported"):
        await take(database, write(tmp_path, {}, {}))


async def test_another_granularity_is_a_restatement(database: Database, tmp_path: Path) -> None:
    hours = [
        {
            "ChargePeriodStart": f"2024-09-18 {hour:02}:00",
            "ChargePeriodEnd": f"2024-09-18 {hour:02}:59",
        }
        for hour in range(24)
    ]
    await take(database, write(tmp_path, *hours))
    day = {"ChargePeriodStart": "2024-09-18", "ChargePeriodEnd": "2024-09-19", "BilledCost": "30"}
    with pytest.raises(FocusRejected, match="lacks 24 rows"):
        await take(database, write(tmp_path, day))
    await take(database, write(tmp_path, day), restate=True)
    assert await check(database) == [-30 * 10**9]


@pytest.mark.parametrize(
    "other",
    [
        {"ProviderName": "Other Cloud"},
        {"BillingAccountId": "beta"},
        {"SubAccountId": "sales"},
        {"ChargePeriodStart": "2024-08-18", "ChargePeriodEnd": "2024-08-19"},
    ],
    ids=["provider", "billing account", "sub-account", "month"],
)
async def test_files_of_other_scopes_leave_each_other_alone(
    database: Database, tmp_path: Path, other: dict[str, str]
) -> None:
    mine, others = write(tmp_path, {}, TAX), tmp_path / "others.csv"
    others.write_bytes(write(tmp_path, other, TAX | other).read_bytes())
    write(tmp_path, {}, TAX)
    for path in (mine, others, mine, others):
        await take(database, path, account_by=FocusAccount.SUB)
    assert sum(await check(database)) == 2 * (-1_250_000_000 - 190_000_000)
    write(tmp_path, {"BilledCost": "5"}, TAX)
    report = await take(database, mine, account_by=FocusAccount.SUB, restate=True)
    assert corrected(report) == (1, 0)
    assert added(await take(database, others, account_by=FocusAccount.SUB)) == (0, 0)
    assert sum(await check(database)) == -1_250_000_000 - 5 * 10**9 - 2 * 190_000_000


async def test_a_restatement_spans_the_accounts_of_its_file(
    database: Database, tmp_path: Path
) -> None:
    rows = [{"BillingAccountId": name} for name in ("a", "b", "c", "d", "e")]
    await take(database, write(tmp_path, *rows))
    changed = [
        row | ({"BilledCost": "2"} if row["BillingAccountId"] != "c" else {}) for row in rows
    ]
    with pytest.raises(FocusRejected, match=r"lacks 4 rows .* for accounts a, b, d and 1 more, "):
        await take(database, write(tmp_path, *changed))
    await take(database, write(tmp_path, *changed), restate=True)
    await check(database)
    assert await balances(database) == dict.fromkeys("abcde", -2 * 10**9) | {"c": -1_250_000_000}


async def test_any_files_in_turn_end_in_the_last_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 3)
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(comparison, "PAGE", 2)
    chance = random.Random(6)
    choices: dict[str, tuple[str, ...]] = {
        "BilledCost": ("1", "1.0", "2", "-3", "0"),
        "ChargeCategory": ("Usage", "Usage", "Tax"),
        "BillingAccountId": ("a", "b"),
        "ProviderName": ("x", "y"),
        "ConsumedQuantity": ("1", ".5", ""),
        "Tags": ("{}", "{ }"),
    }
    edges = [
        {"BillingAccountId": name, "ProviderName": of, "Tags": ""} for name in "ab" for of in "xy"
    ]
    for _ in range(8):
        rows = edges + [
            {name: chance.choice(texts) for name, texts in choices.items()}
            for _ in range(chance.randrange(12))
        ]
        chance.shuffle(rows)
        await take(database, write(tmp_path, *rows), restate=True)
        spent = {"a": 0, "b": 0}
        for row in read_focus(write(tmp_path, *rows)).rows():
            spent[row.account_external_id] += row.cost_nanos
        await check(database)
        assert await balances(database) == {name: -nanos for name, nanos in spent.items()}
        assert added(await take(database, write(tmp_path, *rows))) == (0, 0)


async def test_a_restatement_that_fails_leaves_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(database, write(tmp_path, {}, NEXT_HOUR, TAX))
    before = await all_rows(database)
    book = importer._Import.book

    async def fail_later(self: Any, *arguments: Any) -> int:
        await book(self, *arguments)
        raise RuntimeError("gone")

    monkeypatch.setattr(importer._Import, "book", fail_later)
    with pytest.raises(RuntimeError, match="gone"):
        await take(database, write(tmp_path, {"BilledCost": "2"}, NEXT_HOUR), restate=True)
    assert await all_rows(database) == before


async def test_a_restatement_meanwhile_stops_an_import(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(database, write(tmp_path, {}))
    monkeypatch.setattr(importer, "BATCH", 1)
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0)
    rows = [{}, NEXT_HOUR, NEXT_HOUR | {"SkuId": "b"}]
    path = tmp_path / "mine.csv"
    path.write_bytes(write(tmp_path, *rows).read_bytes())
    restated = write(tmp_path, {"BilledCost": "9"})
    compare = importer._Import.refuse_restatement

    async def restate_after(self: Any, *arguments: Any) -> None:
        monkeypatch.setattr(importer._Import, "refuse_restatement", compare)
        await compare(self, *arguments)
        await take(database, restated, restate=True)

    monkeypatch.setattr(importer._Import, "refuse_restatement", restate_after)
    with pytest.raises(Conflict, match="meanwhile; import the file again"):
        await take(database, path)
    await check(database)
