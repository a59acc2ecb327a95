"""How many statements a request takes: at most two more than the fields it names, never more for
more rows.
"""

from dataclasses import replace

import pytest
from graphql import DocumentNode, FieldNode, Visitor, parse, print_ast, visit

from gateway.ids import encode_global_id
from gateway.principal import Permission
from gateway.store import Database
from tests.support.contract import operations
from tests.support.graph import PLATFORM, ask
from tests.support.rows import (
    account,
    deployment,
    dispute,
    entry,
    ledger_day,
    purchase,
    put,
    receipt,
    refund,
)

MANY = 50
OF_ACCOUNTS = {
    "accounts": "{ viewer { accounts(first: 100) { totalCount nodes { id } } } }",
    "purchases": "creditPurchases(first: 3) { nodes { id } }",
    "purchase edges": "creditPurchases(last: 3) { edges { cursor node { id } } }",
    "purchase counts": "creditPurchases { totalCount totals { paid { amount } } }",
    "refund totals": "creditPurchases { totals { paid { amount } refundedTotal { amount } } }",
    "filtered": 'creditPurchases(filter: {kind: [CARD], from: "2026-11-01"}) { nodes { id } }',
    "receipts": "creditPurchases { nodes { receipt { number } } }",
    "refunds": "creditPurchases(first: 3) { nodes { refunds { receipt { number } } } }",
    "cancellations": "creditPurchases(first: 3) { nodes { refunds { cancellation { number } } } }",
    "back": "creditPurchases { nodes { account { name } } }",
    "deployments": "deployments { totalCount pageInfo { hasNextPage } nodes { spend { amount } } }",
    "ledgers": "ledger(first: 3) { totalCount pageInfo { hasPreviousPage } nodes { description } }",
    "ledger of causes": "ledger(filter: {cause: [USAGE, REFUND]}) { edges { cursor node { at } } }",
    "of ledgers": "ledger { nodes { purchase { id } refund { id } dispute { status } } }",
    "saved views": "savedViews { name }",
    "years of documents": "documentYears",
    "balances": "balance { available { amount } version }",
}
QUERIES = {
    name: query
    if query.startswith("{")
    else f"{{ viewer {{ accounts(first: 100) {{ nodes {{ {query} }} }} }} }}"
    for name, query in OF_ACCOUNTS.items()
}


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.names.add(node.name.value)


def fields(document: DocumentNode) -> int:
    names = _Names()
    visit(document, names)
    return len(names.names)


async def seed(database: Database, account_ids: range) -> None:
    for account_id in account_ids:
        await put(
            database,
            account(account_id),
            *(purchase(account_id, id_) for id_ in range(1, 4)),
            *(refund(account_id, id_, 1) for id_ in range(1, 3)),
            receipt(account_id, 1, 1),
            receipt(account_id, 2, 1, refund_id=1, total_nanos=-1),
            receipt(account_id, 3, 1, refund_id=1, cancels_id=2, total_nanos=1),
            *(deployment(account_id, id_) for id_ in range(1, 3)),
            dispute(account_id, 1, 1),
            entry(account_id, 1, purchase_id=1),
            entry(account_id, 2, cause="REFUND", purchase_id=1, refund_id=1),
            entry(account_id, 3, cause="USAGE"),
            ledger_day(account_id, 3),
            entry(account_id, 4, cause="DISPUTE", purchase_id=1, dispute_id=1),
        )


async def test_lists_take_as_many_statements_for_1_parent_as_for_50(database: Database) -> None:
    await seed(database, range(1, 2))
    one = {name: await ask(database, PLATFORM, query) for name, query in QUERIES.items()}
    await seed(database, range(2, MANY + 1))
    many = {name: await ask(database, PLATFORM, query) for name, query in QUERIES.items()}
    assert [name for name, reply in (one | many).items() if reply.errors] == []
    assert {name: reply.statements for name, reply in many.items()} == {
        name: reply.statements for name, reply in one.items()
    }
    over = {
        name: reply.statements
        for name, reply in many.items()
        if reply.statements > 2 + fields(parse(QUERIES[name]))
    }
    assert over == {}
    nodes = many["refunds"].data["viewer"]["accounts"]["nodes"]
    assert len(nodes) == MANY
    numbers = [
        [refund["receipt"] and refund["receipt"]["number"] for refund in purchase["refunds"]]
        for purchase in nodes[-1]["creditPurchases"]["nodes"]
    ]
    assert numbers == [[], [], [f"{MANY:08}-2026-000002", None]]
    nodes = many["cancellations"].data["viewer"]["accounts"]["nodes"]
    canceling = [
        each["cancellation"] for each in nodes[-1]["creditPurchases"]["nodes"][2]["refunds"]
    ]
    assert canceling == [{"number": f"{MANY:08}-2026-000003"}, None]


async def test_nodes_take_as_many_statements_for_1_id_as_for_50(database: Database) -> None:
    await seed(database, range(1, MANY + 1))
    ids = [encode_global_id("CreditPurchase", each, 1) for each in range(1, MANY + 1)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    replies = [await ask(database, PLATFORM, query, {"ids": ids[:count]}) for count in (1, MANY)]
    assert [reply.statements for reply in replies] == [2, 2]
    assert replies[1].data == {"nodes": [{"id": id_} for id_ in ids]}


async def test_rows_of_ledgers_take_as_many_statements_for_1_id_as_for_50(
    database: Database,
) -> None:
    await seed(database, range(1, MANY + 1))
    # Version 2 is an entry, 3 a day's usage, 5 none.
    ids = [encode_global_id("LedgerRow", 1 + n // 3, (2, 3, 5)[n % 3]) for n in range(MANY)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on LedgerRow { cause } } }"
    replies = [await ask(database, PLATFORM, query, {"ids": ids[:count]}) for count in (1, MANY)]
    assert [reply.statements for reply in replies] == [3, 3]
    assert replies[1].data["nodes"][:3] == [
        {"id": ids[0], "cause": "REFUND"},
        {"id": ids[1], "cause": "USAGE"},
        None,
    ]


async def test_what_is_not_selected_is_not_read(database: Database) -> None:
    await seed(database, range(1, 2))
    one = encode_global_id("Account", 1)

    async def statements(selection: str) -> int:
        query = f'{{ account(id: "{one}") {{ creditPurchases {{ {selection} }} }} }}'
        return (await ask(database, PLATFORM, query)).statements

    assert await statements("__typename") == 1
    assert await statements("totalCount") == 2
    assert await statements("totalCount totals { paid { amount } credited { amount } }") == 2
    assert await statements("totals { refundedTax { amount } refundedTotal { amount } }") == 3
    assert await statements("nodes { id } edges { cursor } pageInfo { hasPreviousPage }") == 2


async def test_many_accounts_take_as_many_statements_for_1_as_for_100(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    query = print_ast(operations()["ManyAccounts"])
    window = {"from": "2026-01-01", "to": "2026-11-30"}
    await seed(database, range(1, 101))
    replies = [
        await ask(database, PLATFORM, query, {"first": first, **window}) for first in (1, 100)
    ]
    assert [reply.errors for reply in replies] == [[], []]
    one, hundred = (reply.statements for reply in replies)
    with capsys.disabled():
        print(f"\nManyAccounts, {database.dialect}: {one} statements for 1, {hundred} for 100")
    assert one == hundred <= 6
    nodes = replies[1].data["viewer"]["accounts"]["nodes"]
    assert len(nodes) == 100
    assert [len(node["creditPurchases"]["nodes"]) for node in nodes] == [3] * 100


@pytest.mark.parametrize(("name", "document"), operations().items())
async def test_what_clients_send_is_answered_within_the_bound(
    database: Database, name: str, document: DocumentNode
) -> None:
    await seed(database, range(1, 3))
    variables = {
        "account": encode_global_id("Account", 1),
        "id": encode_global_id("CreditPurchase", 1, 1),
        "from": "2026-11-01",
        "to": "2026-11-30",
        "interval": "DAY",
        "by": "RESOURCE",
        "first": 2,
    }
    admin = replace(PLATFORM, scopes=PLATFORM.scopes | {Permission.ADMIN})
    reply = await ask(database, admin, print_ast(document), variables)
    assert reply.errors == [], name
    assert reply.statements <= 2 + fields(document)
