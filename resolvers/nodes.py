"""Objects by global id: the one way in for `node`, `nodes` and a subgraph's entities."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from gateway.errors import BadUserInput, NotFound
from gateway.execution.fields import Cost, FromArguments
from gateway.execution.policies import Reference
from gateway.ids import GlobalId, parse_global_id
from gateway.store.relation import Key
from gateway.store.rows import VisibleAccount
from loaders.operation import Loaders
from resolvers.context import Context
from resolvers.types.node import NodeRow

MAX_NODES: Final = 100

Load: TypeAlias = Callable[[Key], Awaitable[Mapping[str, object] | None]]

_LOADS: Final[Mapping[str, Callable[[Loaders], Load]]] = {
    "CreditPurchase": lambda loaders: loaders.credit_purchase_by_id.load,
    "Refund": lambda loaders: loaders.refund_by_id.load,
    "Dispute": lambda loaders: loaders.dispute_by_id.load,
    "Receipt": lambda loaders: loaders.receipt_by_id.load,
    "Statement": lambda loaders: loaders.statement_by_id.load,
    "LedgerRow": lambda loaders: loaders.ledger_row_by_id.load,
    "Deployment": lambda loaders: loaders.deployment_by_id.load,
    "SavedView": lambda loaders: loaders.saved_view_by_id.load,
}


async def load_account(context: Context, text: str) -> VisibleAccount | None:
    """Return the account of a global id; None without access, and for any other id."""
    parsed = parse_id(text, "Account")
    if parsed is None:
        return None
    return await context.loaders.account_by_id.load((parsed.account_id,))


async def find_node(context: Context, text: str) -> Reference | None:
    """Return the object of a global id, not loaded yet: the engine checks the policy of its type
    on the account first, so that a refusal does not tell whether the object exists.

    None for a malformed id, and for an account that the principal may not read.
    """
    parsed = _parse(text)
    if parsed is None:
        return None
    account = await context.loaders.account_by_id.load((parsed.account_id,))
    if account is None:
        return None
    load = partial(_load_node, context, parsed, account)
    return Reference(typename=parsed.typename, owner=account, load=load)


async def _load_node(context: Context, parsed: GlobalId, account: VisibleAccount) -> NodeRow | None:
    row: Mapping[str, object] | None = account
    if parsed.typename != "Account":
        load = _LOADS[parsed.typename](context.loaders)
        row = await load((parsed.account_id, parsed.key))
    return None if row is None else NodeRow(row, parsed.typename)


def ids_cost(argument: str) -> Cost:
    """Return the cost of a list with an object for each item of an argument; an object that is
    requested twice counts twice.
    """

    def count(arguments: Mapping[str, Any]) -> int:
        return min(len(arguments.get(argument, ())), MAX_NODES)

    size = FromArguments(names=(argument,), count=count)
    return Cost(items=size, rows=size)


def check_count(count: int, *, argument: str) -> None:
    """Raise BadUserInput for more than MAX_NODES objects in one request."""
    if count > MAX_NODES:
        raise BadUserInput(
            f"`{argument}` has {count:,} items; at most {MAX_NODES} are allowed.",
            argument=argument,
        )


def parse_id(text: str, typename: str) -> GlobalId | None:
    """Return the parts of a global id of a type; None for any other text."""
    parsed = _parse(text)
    return parsed if parsed is not None and parsed.typename == typename else None


def _parse(text: str) -> GlobalId | None:
    try:
        return parse_global_id(text)
    except NotFound:
        return None
