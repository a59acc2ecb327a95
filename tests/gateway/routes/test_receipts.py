"""`GET /receipts/{number}.pdf`: who gets a document, how, and that it stays the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import pytest
from pypdf import PdfReader

from gateway.clock import FixedClock
from gateway.ids import encode_global_id
from gateway.links import Links
from gateway.principal import Principal, Role
from gateway.quotas import build_quotas
from gateway.receipts.pdf import ReceiptPrinter
from gateway.receipts.seller import Seller, keep_seller
from gateway.routes.documents import Documents, document_routes
from gateway.settings import load_settings
from gateway.store import Database
from tests.support import application
from tests.support.books import ACTOR, NOW, Books
from tests.support.callers import Callers, bearer, refusal_of
from tests.support.edge import connect
from tests.support.facts import day, purchase, refund, rows_of, save
from tests.support.graph import LINKS, SIGNER, data_of
from tests.support.rows import member, put
from tests.support.tables import table_rows

SELLER = Seller(details='{"name":"Northwind Compute","accent":"#3b5bdb"}')


@dataclass
class Place:
    database: Database
    client: httpx.AsyncClient
    clock: FixedClock
    account_id: int
    other_id: int
    numbers: list[str]

    def link(self, number: str, account_id: int | None = None) -> str:
        links = Links(SIGNER, FixedClock(NOW), base_url="", seconds=900)
        return links.to_receipt(account_id or self.account_id, number)


async def account_with_receipts(books: Books, name: str) -> tuple[int, list[str]]:
    account_id = await books.account(name)
    await save(books, account_id, purchase(account_id, succeeded_at=day(1)), refund("re_1", "30"))
    rows = await rows_of(books.database, "receipt", account_id)
    return account_id, [row["number"] for row in sorted(rows, key=lambda row: row["sequence"])]


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    """An account with a receipt and a credit note; Ada owns it, Vic may look, Bob has another."""
    books = Books(database)
    await keep_seller(database, SELLER, books.clock, actor=ACTOR)
    mine, numbers = await account_with_receipts(books, "acme")
    theirs, _ = await account_with_receipts(books, "other")
    await put(
        database,
        member(mine, "ada", role=Role.OWNER),
        member(mine, "bill", role=Role.BILLING),
        member(mine, "vic", role=Role.VIEWER),
        member(theirs, "bob"),
    )
    clock = FixedClock(NOW)
    async with serve(database, Callers(mine=mine), clock) as client:
        yield Place(database, client, clock, mine, theirs, numbers)


@asynccontextmanager
async def serve(
    database: Database, callers: Callers, clock: FixedClock
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve documents, none of them printed yet."""
    printer = ReceiptPrinter()
    documents = Documents(
        authenticator=callers,
        database=database,
        links=Links(SIGNER, clock, base_url="", seconds=900),
        printer=printer,
        quotas=build_quotas(
            load_settings(admission_delay_seconds=60, database_pool_wait_seconds=60)
        ),
    )
    app = application.make_app(routes=document_routes(documents))
    async with connect(app, headers={}) as client:
        yield client
    printer.close()


def words(answer: httpx.Response) -> str:
    (page,) = PdfReader(BytesIO(answer.content)).pages
    return " ".join(page.extract_text().split())


async def test_a_link_gives_the_document_and_its_headers(place: Place) -> None:
    number = place.numbers[0]
    answer = await place.client.get(place.link(number))
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    text = words(answer)
    for each in ("Receipt", number, "Northwind Compute", "Acme", "$119.00", "$10.00", "$110.00"):
        assert each in text
    expected = {
        "content-type": "application/pdf",
        "content-disposition": f'attachment; filename="receipt-{number}.pdf"',
        "cache-control": "private, no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "content-length": str(len(answer.content)),
    }
    assert {name: answer.headers[name] for name in expected} == expected


async def test_a_refund_has_a_credit_note_that_names_the_receipt(place: Place) -> None:
    receipt, note = place.numbers
    text = words(await place.client.get(place.link(note)))
    for each in ("Credit note", note, receipt, "−$35.70", "−$30.00", "−$5.70"):
        assert each in text


async def test_the_graph_hands_out_links_that_open(place: Place) -> None:
    query = """query($id: ID!) { account(id: $id) { creditPurchases { nodes {
      receipt { number downloadUrl } refunds { receipt { number downloadUrl } }
    } } } }"""
    variables = {"id": encode_global_id("Account", place.account_id)}
    data = await data_of(place.database, Principal(subject="ada"), query, variables)
    (bought,) = data["account"]["creditPurchases"]["nodes"]
    found = [bought["receipt"], *(refund["receipt"] for refund in bought["refunds"])]
    assert [each["number"] for each in found] == place.numbers
    place.clock.instant = LINKS._clock.now()
    for each in found:
        url = urlsplit(each["downloadUrl"])
        assert f"{url.scheme}://{url.netloc}" == "https://billing.example"
        answer = await place.client.get(f"{url.path}?{url.query}")
        assert answer.status_code == 200
        assert each["number"] in words(answer)


async def test_head_says_the_same_without_the_document(place: Place) -> None:
    link = place.link(place.numbers[0])
    got, head = await place.client.get(link), await place.client.head(link)
    assert head.status_code == 200
    for name in ("content-length", "content-disposition", "cache-control"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("who", ["ada", "bill", "key-of-mine", "key-of-platform"])
async def test_a_credential_that_sees_purchases_gives_the_document(place: Place, who: str) -> None:
    number = place.numbers[0]
    answer = await place.client.get(f"/receipts/{number}.pdf", headers=bearer(who))
    by_link = await place.client.get(place.link(number))
    assert answer.status_code == 200
    assert answer.content == by_link.content


@pytest.mark.parametrize("who", ["bob", "eve", "key-without-scope"])
async def test_a_number_of_another_account_is_as_one_that_is_not_there(
    place: Place, who: str
) -> None:
    prefix = place.numbers[0][:8]
    answers = [
        await place.client.get(f"/receipts/{number}.pdf", headers=bearer(who))
        for number in (place.numbers[0], f"{prefix}-2026-000099", "ZZZZZZZZ-2026-000001")
    ]
    assert {refusal_of(answer) for answer in answers} == {
        (404, "NOT_FOUND", "Receipt not found, or you don't have access.")
    }
    assert len({tuple(sorted(set(answer.headers) - {"x-request-id"})) for answer in answers}) == 1


async def test_a_viewer_is_refused_whether_or_not_a_number_is_there(place: Place) -> None:
    prefix = place.numbers[0][:8]
    for number in (place.numbers[0], f"{prefix}-2026-000099"):
        answer = await place.client.get(f"/receipts/{number}.pdf", headers=bearer("vic"))
        assert refusal_of(answer)[:2] == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "number",
    ["1", "%00", "..%2f..%2fetc%2fpasswd", "ABCD1234-2026-00001", "abcd1234-2026-000001", "%ff"],
)
async def test_what_is_no_number_is_not_there(place: Place, number: str) -> None:
    answer = await place.client.get(f"/receipts/{number}.pdf", headers=bearer("ada"))
    assert refusal_of(answer)[:2] == (404, "NOT_FOUND")


async def test_a_link_for_another_account_does_not_open_a_receipt(place: Place) -> None:
    answer = await place.client.get(place.link(place.numbers[0], place.other_id))
    assert refusal_of(answer) == (404, "NOT_FOUND", "Receipt not found, or you don't have access.")


async def test_changed_expired_and_moved_links_are_refused(place: Place) -> None:
    link, other = place.link(place.numbers[0]), place.link(place.numbers[1])
    moved = f"{urlsplit(other).path}?{urlsplit(link).query}"
    encoded = link.replace("/receipts/", "/receipts/%", 1).replace(
        "/%" + place.numbers[0][0], f"/%{ord(place.numbers[0][0]):02x}", 1
    )
    for bad in (link[:-1], f"{link}A", link.replace("account=", "account=1"), moved, encoded):
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
    assert refusal_of(answer)[:2] == (403, "FORBIDDEN")
    assert "expired at 2026-11-23 12:15:00 UTC" in refusal_of(answer)[2]


async def test_without_a_credential_one_is_asked_for(place: Place) -> None:
    path = f"/receipts/{place.numbers[0]}.pdf"
    for headers, challenge in (({}, "Bearer"), (bearer("forged"), 'Bearer error="invalid_token"')):
        answer = await place.client.get(path, headers=headers)
        assert refusal_of(answer)[:2] == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == challenge
    answer = await place.client.post(path, headers=bearer("ada"))
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_new_details_of_the_seller_change_no_receipt_that_was_issued(place: Place) -> None:
    link = place.link(place.numbers[0])
    before = (await place.client.get(link)).content
    moved = Seller(details='{"name":"Southwind","accent":"#d6336c"}')
    later = FixedClock(NOW + timedelta(seconds=1))
    await keep_seller(place.database, moved, later, actor=ACTOR)
    books = Books(place.database, seed=9)
    bought = purchase(place.account_id, reference="pi_2", succeeded_at=day(5))
    await save(books, place.account_id, bought)
    rows = await rows_of(place.database, "receipt", place.account_id)
    (newest,) = {row["number"] for row in rows} - set(place.numbers)
    async with serve(place.database, Callers(), place.clock) as client:
        assert "Southwind" in words(await client.get(place.link(newest)))
        assert (await client.get(link)).content == before


async def test_details_that_are_in_force_already_are_not_kept_twice(place: Place) -> None:
    await keep_seller(place.database, SELLER, FixedClock(NOW + timedelta(days=1)), actor=ACTOR)
    assert len(await table_rows(place.database, "seller")) == 1


async def test_a_receipt_from_before_there_was_a_seller_prints(database: Database) -> None:
    account_id, (number, _) = await account_with_receipts(Books(database), "acme")
    link = Links(SIGNER, FixedClock(NOW), base_url="", seconds=900).to_receipt(account_id, number)
    async with serve(database, Callers(), FixedClock(NOW)) as client:
        assert number in words(await client.get(link))


async def test_many_at_once_get_the_same_bytes(place: Place) -> None:
    answers = await asyncio.gather(
        *(place.client.get(place.link(number)) for number in place.numbers * 10)
    )
    assert len({answer.content for answer in answers}) == len(place.numbers)
