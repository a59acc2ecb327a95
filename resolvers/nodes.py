"""Objects by global id: the one way in for `node`, `nodes` and a subgraph's entities."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from gateway.errors import BadUserInput, NotFound
from gateway.execution.policies import Reference
from gateway.ids import GlobalId, parse_global_id
from resolvers.context import Context
from resolvers.types.node import as_node

MAX_NODES: Final = 100

_LOADERS: Final[Mapping[str, str]] = {
    "CreditPurchase": "credit_purchase_by_id",
    "Refund": "refund_by_id",
    "Dispute": "dispute_by_id",
    "Receipt": "receipt_by_id",
    "LedgerRow": "ledger_row_by_id",
    "Deployment": "deployment_by_id",
}


async def load_account(context: Context, text: str) -> Mapping[str, Any] | None:
    """Return the account of a global id; None without access, and for any other id."""
    parsed = _parse(text)
    if parsed is None or parsed.typename != "Account":
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


async def _load_node(
    context: Context, parsed: GlobalId, account: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = account
    if parsed.typename != "Account":
        loader = getattr(context.loaders, _LOADERS[parsed.typename])
        row = await loader.load((parsed.account_id, parsed.key))
    return None if row is None else as_node(row, parsed.typename)


def check_count(count: int, *, argument: str) -> None:
    """Raise BadUserInput for more than MAX_NODES objects in one request."""
    if count > MAX_NODES:
        raise BadUserInput(
            f"`{argument}` has {count:,} items; at most {MAX_NODES} are allowed.",
            argument=argument,
        )


def _parse(text: str) -> GlobalId | None:
    try:
        return parse_global_id(text)
    except NotFound:
        return None
