"""`GET /exports/…`: who gets which rows, by link and by credential."""

import csv
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from gateway.clock import FixedClock
from gateway.exports.export import ExportFormat
from gateway.ids import encode_global_id
from gateway.links import LEDGER_PATH, PURCHASES_PATH, USAGE_PATH, Links
from gateway.principal import Principal
from gateway.quotas import AdmissionGate, ConcurrencyQuota, export_principal_quota, export_quota
from gateway.routes.exports import Exports, export_routes
from gateway.settings.exports import ExportSettings
from gateway.store import Database
from tests.support import application
from tests.support.callers import Callers, bearer, refusal_of
from tests.support.edge import connect
from tests.support.graph import NOW, SIGNER, ask, data_of
from tests.support.points import many_points
from tests.support.rows import T0, UNIT, account, entry, ledger_day, purchase, put, receipt, refund
from tests.support.table_files import read_table
from tests.support.usage_rows import Event, Facts, insert_facts

MINE, THEIRS, MISSING = 1, 2, 3
NO_FOCUS = (
    "The format FOCUS is not available for this export; use one of CSV, JSONL, XLSX, PARQUET."
)
PATHS = [PURCHASES_PATH, USAGE_PATH, LEDGER_PATH]
ID = encode_global_id("Account", MINE)


def links(at: FixedClock) -> Links:
    return Links(SIGNER, at, base_url="", seconds=900)


@dataclass
class Place:
    database: Database
    client: httpx.AsyncClient
    clock: FixedClock
    quota: ConcurrencyQuota
    reads: AdmissionGate

    async def get(self, path: str, who: str | None = "ada", **asked: str) -> httpx.Response:
        headers = bearer(who) if who else {}
        return await self.client.get(path, params={"account": ID} | asked, headers=headers)

    def link(self, path: str, account_id: int = MINE, **asked: str) -> str:
        return links(FixedClock(NOW)).sign(path, account_id, asked)


@asynccontextmanager
async def serve(
    database: Database,
    clock: FixedClock,
    quota: ConcurrencyQuota,
    reads: AdmissionGate,
    callers: Callers,
) -> AsyncIterator[httpx.AsyncClient]:
    parts = Exports(
        database=database,
        authenticator=callers,
        links=links(clock),
        clock=clock,
        quota=quota,
        principal_quota=export_principal_quota(ExportSettings()),
        reads=reads,
        points=many_points(),
        limits=ExportSettings(seconds=60),
    )
    app = application.make_app(routes=export_routes(parts))
    async with connect(app, headers={}) as client:
        yield client


MEMBERS = {"ada": "OWNER", "bill": "BILLING", "vic": "VIEWER"}
EVENTS = [
    Event(at=T0, nanos=UNIT, deployment=1, provider="=cmd", quantity_nanos=UNIT // 2),
    Event(at=T0, nanos=800, deployment=2, resource="CPU", unit="cpu-hour"),
    Event(at=T0 + timedelta(days=1, hours=23), nanos=-UNIT, correction=True),
]
LEDGER = {
    account_id: [
        entry(account_id, 1, purchase_id=11),
        entry(account_id, 2, cause="USAGE", amount_nanos=-UNIT, balance_nanos=9 * UNIT),
        ledger_day(account_id, 2, opening_nanos=10 * UNIT, balance_nanos=9 * UNIT),
        entry(account_id, 3, cause="REFUND", amount_nanos=-UNIT, purchase_id=11, refund_id=21),
        entry(account_id, 4, cause="ADJUSTMENT", description="=1+1", at=T0 + timedelta(days=2)),
    ]
    for account_id in (MINE, THEIRS)
}


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    """Account 1 has members of every role, account 2 is Bob's; both bought and used."""
    mine = Facts(account_id=MINE, events=EVENTS, members=MEMBERS, time_zone="Europe/Berlin")
    theirs = Facts(account_id=THEIRS, events=EVENTS, members={"bob": "OWNER"})
    await insert_facts(database, mine, theirs)
    for account_id in (MINE, THEIRS):
        await put(
            database,
            purchase(account_id, 11, refunded_nanos=UNIT, status="PARTIALLY_REFUNDED"),
            purchase(account_id, 12, kind="COUPON", description="＝1+1"),
            purchase(account_id, 13, status="FAILED", settled_at=None),
            refund(account_id, 21, 11, reason="requested"),
            receipt(account_id, 31, 11),
            receipt(account_id, 32, 11, refund_id=21, total_nanos=-1),
            *LEDGER[account_id],
        )
    clock, quota = FixedClock(NOW), export_quota(ExportSettings(slots=2, account_slots=1))
    reads = AdmissionGate(running=1, waiting=1, delay_seconds=1, wait_seconds=0.05)
    async with serve(database, clock, quota, reads, Callers(mine=MINE)) as client:
        yield Place(database, client, clock, quota, reads)


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the rows of a file that was sent whole, CSV or JSONL."""
    assert answer.status_code == 200, answer.text
    if answer.headers["content-type"].startswith("text/csv"):
        text = StringIO(answer.content.decode("utf-8-sig"), newline="")
        found: list[dict[str, Any]] = list(csv.DictReader(text, strict=True))
    else:
        found = [json.loads(line) for line in answer.content.splitlines()]
    assert len(found) == int(answer.headers["x-export-rows"])
    return found


async def test_purchases_come_oldest_first_with_their_refunds_and_receipts(place: Place) -> None:
    answer = await place.get(PURCHASES_PATH, format="JSONL")
    found = lines(answer)
    assert [row["id"] for row in found] == [
        encode_global_id("CreditPurchase", MINE, key) for key in (11, 12, 13)
    ]
    assert [row["credited"] for row in found] == ["9.00", "10.00", "0.00"]
    assert [row["receiptNumber"] for row in found] == ["00000001-2026-000031", None, None]
    assert [(each["amount"], each["receiptNumber"]) for each in found[0]["refunds"]] == [
        ("1.00", "00000001-2026-000032")
    ]
    assert [row["refunds"] for row in found[1:]] == [[], []]
    assert answer.headers["content-disposition"] == (
        'attachment; filename="customer-1-credit-purchases.jsonl"'
    )


async def test_usage_comes_oldest_first_with_its_deployments(place: Place) -> None:
    answer = await place.get(USAGE_PATH, **{"from": "2026-11-01", "to": "2026-11-02"})
    found = lines(answer)
    assert [row["Day (Europe/Berlin)"] for row in found] == ["2026-11-01"] * 2
    assert [row["Amount"] for row in found] == ["1.00", "0.0000008"]
    assert [row["Deployment"] for row in found] == ["external-1", "external-2"]
    assert [row["Deployment name"] for row in found] == ["name-1", ""]
    assert [row["Provider"] for row in found] == ["'=cmd", ""]
    expected = {
        "content-type": "text/csv; charset=utf-8; header=present",
        "content-disposition": 'attachment; filename="customer-1-usage-2026-11-01'
        '_2026-11-02-by-day.csv"',
        "cache-control": "private, no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-export-rows": "2",
    }
    assert {name: answer.headers[name] for name in expected} == expected


async def test_usage_without_a_deployment_is_there(place: Place) -> None:
    answer = await place.get(USAGE_PATH, format="JSONL", **{"from": "2026-11-02"})
    (found,) = lines(answer)
    assert found["bucketStart"] == "2026-11-02T23:00:00Z"
    assert (found["deploymentId"], found["amount"], found["correction"]) == (None, "-1.00", True)


@pytest.mark.parametrize(
    ("filter_", "asked", "keys"),
    [
        ("{}", {}, [11, 12, 13]),
        ("{status: [FAILED, SUCCEEDED]}", {"status": "FAILED,SUCCEEDED"}, [12, 13]),
        ("{status: []}", {"status": ""}, []),
        ("{kind: [COUPON]}", {"kind": "COUPON"}, [12]),
        (
            '{from: "2026-11-01", to: "2026-11-01", timeZone: "Asia/Kathmandu", kind: [CARD]}',
            {"from": "2026-11-01", "to": "2026-11-01", "timeZone": "Asia/Kathmandu"}
            | {"kind": "CARD"},
            [11, 13],
        ),
        ('{to: "2026-10-31", timeZone: "UTC"}', {"to": "2026-10-31", "timeZone": "UTC"}, []),
    ],
)
async def test_the_graph_links_to_what_its_filter_selects(
    place: Place, filter_: str, asked: dict[str, str], keys: list[int]
) -> None:
    query = f"""query($id: ID!) {{ account(id: $id) {{
      creditPurchases(filter: {filter_}) {{ totalCount exportUrl(format: JSONL) }}
    }} }}"""
    data = await data_of(place.database, Principal(subject="ada"), query, {"id": ID})
    connection = data["account"]["creditPurchases"]
    url = urlsplit(connection["exportUrl"])
    assert (url.netloc, url.path) == ("billing.example", PURCHASES_PATH)
    by_link = await place.client.get(f"{url.path}?{url.query}")
    by_credential = await place.get(PURCHASES_PATH, format="JSONL", **asked)
    assert by_link.content == by_credential.content
    found = lines(by_link)
    assert [row["id"] for row in found] == [
        encode_global_id("CreditPurchase", MINE, key) for key in keys
    ]
    assert len(found) == connection["totalCount"]


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ("interval: DAY", {}),
        (
            'interval: WEEK, from: "2026-10-30", to: "2026-11-02", timeZone: "Asia/Tokyo"',
            {"interval": "WEEK", "from": "2026-10-30", "to": "2026-11-02"}
            | {"timeZone": "Asia/Tokyo"},
        ),
        ('interval: YEAR, from: "2026-11-02"', {"interval": "YEAR", "from": "2026-11-02"}),
    ],
)
async def test_the_graph_links_to_the_usage_of_its_window(
    place: Place, arguments: str, asked: dict[str, str]
) -> None:
    query = f"""query($id: ID!) {{ account(id: $id) {{
      usage({arguments}) {{ exportUrl(format: CSV) buckets {{ spend {{ amount }} }} }}
    }} }}"""
    # A VIEWER sees usage.
    data = await data_of(place.database, Principal(subject="vic"), query, {"id": ID})
    url = urlsplit(data["account"]["usage"]["exportUrl"])
    place.clock.instant = NOW + timedelta(minutes=14)
    by_link = await place.client.get(f"{url.path}?{url.query}")
    by_credential = await place.get(USAGE_PATH, "vic", **asked)
    assert by_link.content == by_credential.content
    assert lines(by_link)


async def test_a_link_says_what_it_links_to_whatever_changes_later(place: Place) -> None:
    query = """query($id: ID!) { account(id: $id) {
      creditPurchases(filter: {from: "2026-11-01"}) { exportUrl(format: CSV) }
      usage(interval: MONTH) { exportUrl(format: JSONL) }
    } }"""
    data = await data_of(place.database, Principal(subject="ada"), query, {"id": ID})
    purchases = urlsplit(data["account"]["creditPurchases"]["exportUrl"]).query
    usage = urlsplit(data["account"]["usage"]["exportUrl"]).query
    signed = "account=1&expires=1795176900&key=test&signature="
    assert purchases.startswith(f"format=CSV&from=2026-11-01&timeZone=Europe%2FBerlin&{signed}")
    assert usage.startswith(
        "format=JSONL&interval=MONTH&from=2025-12-01&to=2026-11-20&timeZone=Europe%2FBerlin&"
        + signed
    )


async def test_a_format_that_nothing_is_written_in_is_not_offered(place: Place) -> None:
    query = "query($id: ID!) { account(id: $id) { ledger { exportUrl(format: FOCUS) } } }"
    reply = await ask(place.database, Principal(subject="ada"), query, {"id": ID})
    assert [(code, message) for _, code, message in reply.errors] == [("BAD_USER_INPUT", NO_FOCUS)]
    for answer in (
        await place.get(LEDGER_PATH, format="FOCUS"),
        await place.client.get(place.link(LEDGER_PATH, format="FOCUS")),
    ):
        assert refusal_of(answer) == (
            400,
            "BAD_USER_INPUT",
            NO_FOCUS,
        )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["ada", "bill", "key-of-mine", "key-of-platform"])
async def test_a_credential_that_sees_the_rows_gets_them(place: Place, path: str, who: str) -> None:
    by_link = await place.client.get(place.link(path, format="CSV"))
    assert (await place.get(path, who)).content == by_link.content
    assert lines(by_link)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["bob", "eve", "key-without-scope"])
async def test_another_account_is_as_one_that_is_not_there(
    place: Place, path: str, who: str
) -> None:
    ids = [ID, encode_global_id("Account", MISSING), "acct_1", "", "\x00", "9" * 400]
    ids += [f"customer-{MINE}", "customer-9"]
    ids.append(encode_global_id("Deployment", MINE, 1))
    answers = [await place.get(path, who, account=text) for text in ids]
    sentence = "Account not found, or you don't have access."
    assert {refusal_of(answer) for answer in answers} == {(404, "NOT_FOUND", sentence)}
    assert len({tuple(sorted(set(answer.headers) - {"x-request-id"})) for answer in answers}) == 1


@pytest.mark.parametrize("path", PATHS)
async def test_an_account_is_named_by_its_external_id_too(place: Place, path: str) -> None:
    by_id = await place.get(path, format="JSONL")
    for who in ("ada", "key-of-mine", "key-of-platform"):
        by_name = await place.get(path, who, account=f"customer-{MINE}", format="JSONL")
        assert lines(by_name) == lines(by_id)


async def test_a_global_id_goes_before_an_external_id(place: Place) -> None:
    change = {"external_id": encode_global_id("Account", MINE)}
    await put(place.database, account(3, **change))
    platform = "key-of-platform"
    assert lines(await place.get(LEDGER_PATH, platform, account=ID)) != []
    assert lines(await place.get(LEDGER_PATH, "key-of-mine", account=ID)) != []


async def test_a_viewer_gets_usage_and_neither_purchases_nor_ledger(place: Place) -> None:
    assert lines(await place.get(USAGE_PATH, "vic"))
    for path in (PURCHASES_PATH, LEDGER_PATH):
        assert refusal_of(await place.get(path, "vic")) == (
            403,
            "FORBIDDEN",
            (
                "Your role in this account does not include purchases, receipts, statements and "
                "the ledger."
            ),
        )


async def test_the_ledger_has_a_line_for_each_row(place: Place) -> None:
    found = lines(await place.get(LEDGER_PATH, timeZone="UTC"))
    assert [list(row.values())[:7] for row in found] == [
        ["2026-11-01T00:01:00+00:00", "PURCHASE", "", "10.00", "10.00", "USD", ""],
        ["2026-11-01T00:02:00+00:00", "USAGE", "2026-11-01", "-1.00", "9.00", "USD", ""],
        ["2026-11-01T00:03:00+00:00", "REFUND", "", "-1.00", "10.00", "USD", "requested"],
        ["2026-11-03T00:00:00+00:00", "ADJUSTMENT", "", "10.00", "10.00", "USD", "'=1+1"],
    ]
    assert list(found[2])[:3] == ["Recorded at (UTC)", "Cause", "Usage of (Europe/Berlin)"]
    assert [row["Refund"] for row in found] == [
        *("", "", encode_global_id("Refund", MINE, 21), ""),
    ]
    kept = lines(await place.get(LEDGER_PATH, cause="REFUND,USAGE", to="2026-11-01"))
    assert [row["Cause"] for row in kept] == ["USAGE", "REFUND"]
    assert lines(await place.get(LEDGER_PATH, cause="")) == []
    bad = await place.get(LEDGER_PATH, cause="TIP")
    assert refusal_of(bad)[:2] == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("path", PATHS)
async def test_changed_expired_and_moved_links_are_refused(place: Place, path: str) -> None:
    link = place.link(path, format="CSV", timeZone="UTC")
    encoded = link.replace("/exports/", "/exports/%", 1).replace(
        f"/%{path[9]}", f"/%{ord(path[9]):02x}", 1
    )
    changed = [
        link[:-1],
        f"{link}A",
        link.replace("account=1", "account=2"),
        link.replace("CSV", "JSONL"),
        link.replace("timeZone=UTC", "timeZone=Asia/Tokyo"),
        link.replace("expires=1", "expires=2"),
        f"{link}&from=2026-01-01",
        link.replace("?", "?from=2026-01-01&"),
        *(link.replace(path, other) for other in PATHS if other != path),
        encoded,
    ]
    for bad in changed:
        answer = await place.client.get(bad)
        assert refusal_of(answer)[:2] == (403, "FORBIDDEN"), bad
        assert "is invalid" in refusal_of(answer)[2]
        # A credential beside a link does not mend it, and a link no credential.
        for name in ("ada", "forged"):
            for each in (bad, link):
                answer = await place.client.get(each, headers=bearer(name))
                assert refusal_of(answer)[:2] == (400, "BAD_REQUEST")
    place.clock.instant = NOW + timedelta(minutes=15)
    answer = await place.client.get(link)
    assert refusal_of(answer) == (
        *(403, "FORBIDDEN"),
        "This link expired at 2026-11-20 12:15:00 UTC; request a new one.",
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_link_for_an_account_that_is_gone_finds_nothing(place: Place, path: str) -> None:
    answer = await place.client.get(place.link(path, MISSING, format="CSV"))
    assert refusal_of(answer)[:2] == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "asked", "argument"),
    [
        (PURCHASES_PATH, {"from": "2026-02-30"}, "from"),
        (PURCHASES_PATH, {"from": "20261101"}, "from"),
        (PURCHASES_PATH, {"from": "2026-11-02", "to": "2026-11-01"}, "from"),
        (PURCHASES_PATH, {"to": "1999-12-31"}, "to"),
        (PURCHASES_PATH, {"timeZone": "../../etc/passwd"}, "timeZone"),
        (PURCHASES_PATH, {"status": "PAID"}, "status"),
        (PURCHASES_PATH, {"kind": "CARD,"}, "kind"),
        (PURCHASES_PATH, {"interval": "DAY"}, "interval"),
        (PURCHASES_PATH, {"format": "csv"}, "format"),
        (PURCHASES_PATH, {"form": "2026-11-01"}, "form"),
        (USAGE_PATH, {"interval": "HOUR"}, "interval"),
        (USAGE_PATH, {"interval": "DAY", "from": "2020-01-01", "to": "2026-11-01"}, "from"),
        (USAGE_PATH, {"from": "\ud800"}, "from"),
        (USAGE_PATH, {"status": "FAILED"}, "status"),
        (USAGE_PATH, {"format": ""}, "format"),
    ],
)
async def test_what_cannot_be_asked_for_is_refused_by_name(
    place: Place, path: str, asked: dict[str, str], argument: str
) -> None:
    query = urlencode({"account": ID} | asked, errors="surrogatepass")
    answer = await place.client.get(f"{path}?{query}", headers=bearer("ada"))
    assert refusal_of(answer)[:2] == (400, "BAD_USER_INPUT")
    assert answer.json()["errors"][0]["extensions"]["argument"] == argument


async def test_a_parameter_is_given_once_and_the_account_always(place: Place) -> None:
    for query in (f"account={ID}&account={ID}", "format=CSV", "&".join("abcdefghijklmnopqrstuvw")):
        answer = await place.client.get(f"{USAGE_PATH}?{query}", headers=bearer("ada"))
        assert refusal_of(answer)[:2] == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_credential_one_is_asked_for(place: Place, path: str) -> None:
    for who, challenge in ((None, "Bearer"), ("forged", 'Bearer error="invalid_token"')):
        answer = await place.get(path, who)
        assert refusal_of(answer)[:2] == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == challenge
    answer = await place.client.post(path, headers=bearer("ada"))
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


TABLES = ["XLSX", "PARQUET"]
ROWS_OF = {PURCHASES_PATH: 3, USAGE_PATH: 3, LEDGER_PATH: 4}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("format_", TABLES)
async def test_a_table_is_sent_whole_with_its_length(place: Place, path: str, format_: str) -> None:
    answer = await place.client.get(place.link(path, format=format_))
    assert answer.status_code == 200, answer.text
    rows = read_table(ExportFormat(format_), answer.content)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "transfer-encoding" not in answer.headers
    assert len(rows) == int(answer.headers["x-export-rows"]) == ROWS_OF[path]
    assert answer.headers["content-disposition"].endswith(f'.{format_.lower()}"')
    head = await place.client.head(place.link(path, format=format_))
    assert (head.content, int(head.headers["content-length"]) > 0) == (b"", True)


@pytest.mark.parametrize("path", PATHS)
async def test_parquet_is_refused_where_it_is_not_installed(
    place: Place, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    field = {PURCHASES_PATH: "creditPurchases", USAGE_PATH: "usage", LEDGER_PATH: "ledger"}[path]
    query = f"query($id: ID!) {{ account(id: $id) {{ {field} {{ exportUrl(format: PARQUET) }} }} }}"
    refused = await ask(place.database, Principal(subject="ada"), query, {"id": ID})
    assert [code for _, code, _ in refused.errors] == ["BAD_USER_INPUT"]
    answer = await place.client.get(place.link(path, format="PARQUET"))
    assert refusal_of(answer)[:2] == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize("path", PATHS)
async def test_head_says_the_same_without_the_rows(place: Place, path: str) -> None:
    link = place.link(path, format="CSV")
    got, head = await place.client.get(link), await place.client.head(link)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-disposition", "x-export-rows", "cache-control"):
        assert head.headers[name] == got.headers[name]
    assert not place.quota.held()


@pytest.mark.parametrize("format_", ["CSV", "JSONL", "XLSX", "PARQUET"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_file_without_rows_is_whole(place: Place, path: str, format_: str) -> None:
    days = {"from": "2020-01-01", "to": "2020-01-02"}
    answer = await place.get(path, format=format_, **days)
    assert (answer.status_code, answer.headers["x-export-rows"]) == (200, "0"), answer.text


async def test_an_export_waits_for_its_turn_to_read(place: Place) -> None:
    async with place.reads.admitted("another"):
        assert refusal_of(await place.get(USAGE_PATH))[:2] == (503, "SERVICE_UNAVAILABLE")
    assert lines(await place.get(USAGE_PATH))
    assert not place.reads.running


async def test_an_account_and_the_process_have_so_many_exports(place: Place) -> None:
    async with place.quota.holding(str(MINE)):
        answer = await place.get(USAGE_PATH)
        assert refusal_of(answer)[:2] == (429, "THROTTLED")
        assert answer.headers["retry-after"] == "5"
        async with place.quota.holding(str(THEIRS)):
            answer = await place.get(
                USAGE_PATH, "key-of-platform", account=encode_global_id("Account", THEIRS)
            )
            assert refusal_of(answer)[0] == 429
            place.quota.total = export_quota(ExportSettings(slots=1, account_slots=1)).total
            answer = await place.get(USAGE_PATH)
    async with place.quota.holding(str(THEIRS)):
        answer = await place.get(USAGE_PATH)
        assert refusal_of(answer)[:2] == (503, "SERVICE_UNAVAILABLE")
        assert "retry-after" in answer.headers
    assert lines(await place.get(USAGE_PATH))
    assert not place.quota.held()
