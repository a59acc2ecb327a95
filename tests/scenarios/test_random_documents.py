"""Random documents over the demo: compiled, each answers exactly as graphql-core does."""

from collections import Counter
from typing import Any

from graphql import GraphQLArgument
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import FixedClock
from gateway.dev.demo.cast import ADA
from gateway.dev.demo.fill import fill
from gateway.dev.demo.people import find_people
from gateway.principal import Principal
from gateway.store import Database
from tests.support.graph import ENGINES, FALLBACKS, NOW, ask
from tests.support.random_documents import RandomDocument, random_documents

DAYS = [f'"2026-11-{day:02}"' for day in range(1, 20)]
WINDOW = '{from: "2026-11-01", to: "2026-11-18"}'
LITERALS = {
    "after": ["null", '"nonsense"'],
    "before": ["null"],
    "by": ["DEPLOYMENT", "PROVIDER", "GPU_MODEL", "RESOURCE"],
    "filter": ["null", WINDOW],
    "first": ["1", "2", "3", "100", "101"],
    "format": ["CSV", "JSONL"],
    "from": DAYS,
    "interval": ["DAY", "WEEK", "MONTH", "YEAR"],
    "last": ["1", "5"],
    "timeZone": ['"Europe/Berlin"', '"Asia/Kathmandu"', '"Nowhere"'],
    "to": DAYS,
}


async def some_ids(database: Database) -> tuple[list[str], list[str]]:
    """Return global ids of accounts that a person reads, and of objects of all kinds in them."""
    (ada,) = [each for each in await find_people(database) if each.subject == ADA]
    accounts = [each.id for each in ada.accounts]
    query = """query ($id: ID!) { account(id: $id) {
      creditPurchases(first: 3) { nodes { id receipt { id } refunds { id } } }
      deployments(first: 3) { nodes { id } } ledger(first: 3) { nodes { id } } } }"""
    objects: list[str] = []
    for account in accounts:
        reply = await ask(database, Principal(subject=ADA), query, {"id": account})
        objects += ids_in(reply.data)
    return accounts, [*accounts, *objects]


def ids_in(answer: Any) -> list[str]:
    if isinstance(answer, dict):
        own = [answer["id"]] if "id" in answer else []
        return own + [each for value in answer.values() for each in ids_in(value)]
    return [each for item in answer for each in ids_in(item)] if isinstance(answer, list) else []


def drawn(accounts: list[str], objects: list[str]) -> list[RandomDocument]:
    """Return random documents, as many as the number of examples says."""

    def values(field: str, name: str, _: GraphQLArgument) -> st.SearchStrategy[str]:
        if name == "id":
            known = accounts if field == "account" else objects
            return st.sampled_from([f'"{each}"' for each in [*known, *known, "nobody"]])
        if name == "ids":
            return st.lists(st.sampled_from([f'"{each}"' for each in objects]), max_size=4).map(
                lambda ids: f"[{', '.join(ids)}]"
            )
        return st.sampled_from(LITERALS.get(name, ["null"]))

    found: list[RandomDocument] = []

    @given(document=random_documents(ENGINES.schema, values, depth=3))
    def draw(document: RandomDocument) -> None:
        found.append(document)

    draw()
    return found


async def test_random_documents_answer_alike_compiled_and_not(database: Database) -> None:
    await fill(database, clock=FixedClock(NOW), end=NOW, days=35)
    counted: Counter[str] = Counter()
    for document in drawn(*await some_ids(database)):
        left = FALLBACKS.total()
        reply = await ask(database, Principal(subject=ADA), document.text, document.variables)
        refused = reply.data is None and reply.statements == 0
        compiled = "compiled" if FALLBACKS.total() == left else "left to graphql-core"
        counted["refused" if refused else compiled] += 1
    print(f"\nDocuments compared on {database.dialect}: {dict(counted)}")
    assert counted["compiled"] > 0.2 * counted.total()
