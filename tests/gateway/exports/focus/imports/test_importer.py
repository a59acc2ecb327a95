"""Cost files in the books: exact and once, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.clock import FixedClock
from gateway.errors import BadUserInput
from gateway.exports.focus.imports import importer
from gateway.exports.focus.imports.identity import digest_of, event_id_of
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.reader import FocusRejected, read_focus
from gateway.exports.focus.imports.report import ImportReport
from gateway.exports.focus.imports.rows import FocusAccount, FocusCost
from gateway.principal import Role
from gateway.store import Database
from tests.gateway.exports.focus.imports.cost_files import write
from tests.support.books import NOW, Books
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows

SAMPLE = Path(__file__).parents[4] / "data" / "focus-1.0" / "focus_sample.csv"


async def test_real_file_is_booked_to_the_nano_and_a_second_import_changes_nothing(
    database: Database,
) -> None:
    report = await import_focus(database, SAMPLE)
    sums = ImportReport(
        usage_nanos={"USD": 22_861_926_737}, usage_unrounded={"USD": Decimal("22.86192672899")}
    )
    assert report == replace(sums, accounts_added=3, usage_added=997, adjustments_added=3)

    stored = await all_rows(database)
    assert sum(row["amount_nanos"] for row in stored["usage_event"]) == 22_861_926_737
    for name in ("rollup_day", "rollup_slot", "rollup_activity"):
        assert sum(row["spent_nanos"] for row in stored[name]) == 22_861_926_737
    assert sum(row["adjusted_nanos"] for row in stored["rollup_day"]) == 2_341_700_000
    assert sum(row["balance_nanos"] for row in stored["account"]) == 2_341_700_000 - 22_861_926_737
    assert sum(row["spend_nanos"] for row in stored["deployment"]) == sum(
        row["amount_nanos"] for row in stored["usage_event"] if row["deployment_id"]
    )
    assert {row["day"] for row in stored["rollup_day"]} == {date(2024, 9, n) for n in range(1, 31)}

    again = await import_focus(database, SAMPLE)
    assert again == replace(sums, usage_known=997, adjustments_known=3)
    assert await all_rows(database) == stored


async def test_each_account_has_its_rows_of_the_file(database: Database) -> None:
    await import_focus(database, SAMPLE, account_by=FocusAccount.SUB)
    names = {row["account_id"]: row["external_id"] for row in await table_rows(database, "account")}
    spent = dict.fromkeys(names.values(), 0)
    for row in await table_rows(database, "rollup_day"):
        spent[names[row["account_id"]]] += row["spent_nanos"]
    expected = dict.fromkeys(names.values(), 0)
    for charge in read_focus(SAMPLE, account_by=FocusAccount.SUB).rows():
        expected[charge.account_external_id] += charge.cost_nanos if charge.is_usage else 0
    assert len(names) == 73
    assert spent == expected


async def test_event_keeps_what_the_row_says(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path, {"BilledCost": "0.12345678905", "ConsumedQuantity": "1.5000000000"})
    await import_focus(database, path, clock=FixedClock(NOW))
    [account] = await table_rows(database, "account")
    [deployment] = await table_rows(database, "deployment")
    [event] = await table_rows(database, "usage_event")
    start, end = datetime(2024, 9, 18, 22, tzinfo=UTC), datetime(2024, 9, 18, 23, tzinfo=UTC)
    [row] = read_focus(path).rows()
    assert (account["name"], account["currency"], account["time_zone"]) == (
        "Acme Corp",
        "USD",
        "UTC",
    )
    assert account["created_at"] == start
    assert {name: deployment[name] for name in ("external_id", "name", "provider", "region")} == {
        "external_id": "18446744073709551615",
        "name": "trainer",
        "provider": "Cloud",
        "region": "eu-1",
    }
    assert (deployment["service"], deployment["started_at"]) == ("Trainer", start)
    assert event | {"fingerprint": b""} == {
        "account_id": account["account_id"],
        "source": "focus",
        "event_id": event_id_of(row, digest_of(row), 1, 0),
        "fingerprint": b"",
        "deployment_id": deployment["id"],
        "resource": "GPU",
        "unit": "Hours",
        "quantity_nanos": 1_500_000_000,
        "quantity_text": None,
        "amount_nanos": 123_456_789,
        "amount_text": "0.12345678905",
        "correction": False,
        "provider": "Cloud",
        "gpu_model": None,
        "region": "eu-1",
        "service": "Trainer",
        "sku": "sku",
        "project": "acme-research",
        "started_at": start,
        "ended_at": end,
        "received_at": NOW,
        "ledger_version": 1,
    }


async def test_adjustment_is_a_ledger_entry_of_its_own(database: Database, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"ChargeCategory": "Credit", "BilledCost": "-5"},
        {"ChargeCategory": "Tax", "BilledCost": "0.19"},
        {"ChargeCategory": "Purchase", "BilledCost": "0.00"},
    )
    report = await import_focus(database, path)
    assert (report.adjustments_added, report.adjustments_free) == (2, 1)
    entries = await table_rows(database, "ledger_entry")
    assert [
        (row["cause"], row["amount_nanos"], row["balance_nanos"], row["description"])
        for row in entries
    ] == [
        ("ADJUSTMENT", 5_000_000_000, 5_000_000_000, "Credit: GPU by the hour"),
        ("ADJUSTMENT", -190_000_000, 4_810_000_000, "Tax: GPU by the hour"),
    ]
    assert {row["effective_at"] for row in entries} == {datetime(2024, 9, 18, 22, tzinfo=UTC)}


async def test_number_of_batches_changes_only_the_ledger_entries(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    monkeypatch.setattr(importer, "BATCH", 300)
    await import_focus(database, SAMPLE, progress=done.append)
    assert done == [300, 600, 900, 1000]
    days = await table_rows(database, "rollup_day")
    assert sum(row["spent_nanos"] for row in days) == 22_861_926_737
    deployments = await table_rows(database, "deployment")
    assert len({(row["account_id"], row["external_id"]) for row in deployments}) == 840
    assert len(deployments) == 840
    events = await table_rows(database, "usage_event")
    first: dict[tuple[int, int], datetime] = {}
    for row in events:
        key = (row["account_id"], row["deployment_id"])
        first[key] = min(first.get(key, row["started_at"]), row["started_at"])
    assert all(row["started_at"] == first[row["account_id"], row["id"]] for row in deployments)


async def test_other_cost_of_the_same_rows_is_refused_whole(database: Database) -> None:
    await import_focus(database, SAMPLE)
    stored = await all_rows(database)
    with pytest.raises(
        FocusRejected, match=r"^focus_sample\.csv lacks 619 rows .*other cost column"
    ):
        await import_focus(database, SAMPLE, cost=FocusCost.EFFECTIVE)
    assert await all_rows(database) == stored
    report = await import_focus(database, SAMPLE, cost=FocusCost.EFFECTIVE, restate=True)
    assert report.usage_corrected + report.adjustments_corrected == 619
    for name, column in (("usage_event", "amount_nanos"), ("rollup_day", "spent_nanos")):
        rows = await table_rows(database, name)
        assert sum(row[column] for row in rows) == 17_976_514_186
    await check_books(database)


async def test_bad_row_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    empty = await all_rows(database)
    for bad in ({"BilledCost": "$1"}, {"ChargePeriodStart": "2026-11-24 00:00:00"}):
        path = write(tmp_path, {}, bad | {"ChargePeriodEnd": "2026-11-24 01:00:00"})
        with pytest.raises(FocusRejected) as caught:
            await import_focus(database, path, clock=FixedClock(NOW))
        assert [error.line for error in caught.value.errors] == [3]
        assert await all_rows(database) == empty


async def test_purchases_of_credit_are_no_charges(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path, {"x_PurchaseId": ""}, {"x_PurchaseId": "purch_1"})
    before = await all_rows(database)
    with pytest.raises(FocusRejected, match=r"credit purchases.* \(x_PurchaseId, .* line 3\)"):
        await import_focus(database, path)
    assert await all_rows(database) == before


async def test_equal_rows_all_count_and_overlapping_files_count_once(
    database: Database, tmp_path: Path
) -> None:
    await import_focus(database, write(tmp_path, {}, {}))
    report = await import_focus(database, write(tmp_path, {}, {"BilledCost": "2"}, {}, {}))
    assert (report.usage_added, report.usage_known) == (2, 2)
    [account] = await table_rows(database, "account")
    assert account["balance_nanos"] == -5_750_000_000


async def test_earlier_file_moves_a_deployments_start_back_and_a_later_one_not_forth(
    database: Database, tmp_path: Path
) -> None:
    for day in ("2024-09-10", "2024-09-05", "2024-09-08"):
        change = {"ChargePeriodStart": day, "ChargePeriodEnd": day}
        await import_focus(database, write(tmp_path, change))
    [deployment] = await table_rows(database, "deployment")
    assert deployment["started_at"] == datetime(2024, 9, 5, tzinfo=UTC)


async def test_account_that_is_there_keeps_what_the_platform_said(
    database: Database, tmp_path: Path
) -> None:
    books = Books(database)
    members = [("ada", Role.VIEWER), ("bob", Role.OWNER)]
    await books.account("acme", name="Acme", time_zone="Europe/Berlin", members=members)
    before = await table_rows(database, "account")
    report = await import_focus(database, write(tmp_path, {}), owner="ada")
    assert report.accounts_added == 0
    [account] = await table_rows(database, "account")
    kept = ("account_id", "name", "time_zone", "created_at", "receipt_prefix")
    assert {name: account[name] for name in kept} == {name: before[0][name] for name in kept}
    rows = await table_rows(database, "account_member")
    assert {row["subject"]: row["role"] for row in rows} == {"ada": "OWNER", "bob": "OWNER"}


async def test_owner_is_a_member_of_every_account_of_the_file(database: Database) -> None:
    await import_focus(database, SAMPLE, owner="auth0|42")
    rows = await table_rows(database, "account_member")
    assert [(row["subject"], row["role"]) for row in rows] == [("auth0|42", "OWNER")] * 3


async def test_an_owner_is_kept_as_named_or_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BadUserInput, match="owner"):
        await import_focus(database, write(tmp_path, {}), owner="grace\u202e")
    assert await table_rows(database, "account") == []


async def test_account_in_another_currency_is_refused(database: Database, tmp_path: Path) -> None:
    await Books(database).account("acme", currency="EUR")
    with pytest.raises(
        FocusRejected, match=r"^The currency of account acme is EUR; cost\.csv uses"
    ):
        await import_focus(database, write(tmp_path, {}))
    assert await table_rows(database, "usage_event") == []
