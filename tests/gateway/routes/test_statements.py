"""`GET /statements/{number}.pdf`: access, and that the document stays the same."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.billing.statements.issuing import issue_next
from gateway.clock import FixedClock
from gateway.ids import encode_global_id
from gateway.links import STATEMENT_PATH
from gateway.principal import Principal, Role
from gateway.receipts.seller import keep_seller
from gateway.store import Database
from tests.gateway.receipts.test_pdf import words
from tests.gateway.routes.test_receipts import SELLER, serve
from tests.support.books import ACTOR, Books
from tests.support.callers import Callers, bearer, refusal_of
from tests.support.facts import purchase, save
from tests.support.graph import LINKS, data_of
from tests.support.rows import member, put
from tests.support.tables import table_rows

QUERY = """query($id: ID!) { account(id: $id) { statements { totalCount nodes {
  id number month issuedAt openingBalance { amount } closingBalance { amount } downloadUrl
} } } }"""


@dataclass
class Place:
    database: Database
    client: httpx.AsyncClient
    account_id: int
    number: str

    @property
    def path(self) -> str:
        return STATEMENT_PATH.format(number=self.number)


@pytest.fixture
async def place(database: Database) -> AsyncIterator[Place]:
    """An account with the statement of October; Ada owns it, Vic may look, Bob has another."""
    books = Books(database)
    await keep_seller(database, SELLER, books.clock, actor=ACTOR)
    accounts = [await books.account(name) for name in ("acme", "other")]
    for number, account_id in enumerate(accounts):
        at = books.clock.instant = datetime(2026, 10, 5, tzinfo=UTC)
        bought = purchase(account_id, reference=f"pi_{number}", created_at=at, succeeded_at=at)
        await save(books, account_id, bought)
        books.clock.instant = datetime(2026, 11, 2, tzinfo=UTC)
        await issue_next(database, account_id, actor=ACTOR, clock=books.clock, keys=books.keys)
    mine, theirs = accounts
    await put(
        database,
        member(mine, "ada"),
        member(mine, "vic", role=Role.VIEWER),
        member(theirs, "bob"),
    )
    rows = await table_rows(database, "statement")
    (number,) = [row["number"] for row in rows if row["account_id"] == mine]
    clock = FixedClock(LINKS._clock.now())
    async with serve(database, Callers(mine=mine), clock) as client:
        yield Place(database, client, mine, number)


async def test_the_graph_hands_out_links_that_open(place: Place) -> None:
    variables = {"id": encode_global_id("Account", place.account_id)}
    data = await data_of(place.database, Principal(subject="ada"), QUERY, variables)
    assert data["account"]["statements"]["totalCount"] == 1
    (found,) = data["account"]["statements"]["nodes"]
    url = urlsplit(found.pop("downloadUrl"))
    del found["id"]
    assert found == {
        "number": place.number,
        "month": "2026-10",
        "issuedAt": "2026-11-02T00:00:00Z",
        "openingBalance": {"amount": "0.00"},
        "closingBalance": {"amount": "110.00"},
    }
    answer = await place.client.get(f"{url.path}?{url.query}")
    assert answer.status_code == 200
    name = f'attachment; filename="statement-{place.number}.pdf"'
    assert answer.headers["content-disposition"] == name
    text = words(answer.content)
    for each in (place.number, "Northwind Compute", "Acme", "October 2026", "$110.00", "$19.00"):
        assert each in text


async def test_a_new_process_prints_the_same_bytes(place: Place) -> None:
    first = await place.client.get(place.path, headers=bearer("ada"))
    async with serve(place.database, Callers(), FixedClock(LINKS._clock.now())) as client:
        assert (await client.get(place.path, headers=bearer("ada"))).content == first.content


async def test_others_get_the_answer_for_a_missing_number(place: Place) -> None:
    others = [place.path, place.path.replace("S2026-10", "S2026-09"), "/statements/x.pdf"]
    answers = [await place.client.get(path, headers=bearer("bob")) for path in others]
    assert {refusal_of(answer) for answer in answers} == {
        (404, "NOT_FOUND", "Statement not found, or you don't have access.")
    }


async def test_a_viewer_is_refused_any_number(place: Place) -> None:
    for path in (place.path, place.path.replace("S2026-10", "S2026-09")):
        answer = await place.client.get(path, headers=bearer("vic"))
        assert refusal_of(answer)[:2] == (403, "FORBIDDEN")
