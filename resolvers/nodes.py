"""Objects by global id: the one way in for `node`, `nodes` and a subgraph's entities."""

from collections.abc import Mapping
from typing import Any, Final

from gateway.errors import BadUserInput, NotFound
from gateway.ids import GlobalId, parse_global_id
from resolvers.context import Context
from resolvers.permissions import require_purchases
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
_OF_PURCHASES: Final = frozenset({"CreditPurchase", "Refund", "Dispute", "Receipt", "LedgerRow"})


async def load_account(context: Context, text: str) -> Mapping[str, Any] | None:
    """Return the account of a global id; None for what is not one that the principal may read."""
    parsed = _parse(text)
    if parsed is None or parsed.typename != "Account":
        return None
    return await context.loaders.account_by_id.load((parsed.account_id,))


async def load_node(context: Context, text: str) -> Mapping[str, Any] | None:
    """Return the object of a global id, with its type in it.

    None for what is malformed, not there, or in an account that the principal may not read. Raises
    Forbidden where the principal's role in the account does not see its purchases, whether or not
    the object exists.
    """
    parsed = _parse(text)
    if parsed is None:
        return None
    row = account = await context.loaders.account_by_id.load((parsed.account_id,))
    if account is not None and parsed.typename != "Account":
        if parsed.typename in _OF_PURCHASES:
            require_purchases(account)
        loader = getattr(context.loaders, _LOADERS[parsed.typename])
        row = await loader.load((parsed.account_id, parsed.key))
    return None if row is None else as_node(row, parsed.typename)


def check_count(count: int, *, argument: str) -> None:
    """Raise BadUserInput where more objects are asked for at once than MAX_NODES."""
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
