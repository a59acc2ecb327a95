"""Guesses of rows by the arguments of the fields that load the rows; see
`gateway.execution.plan.guesses`.
"""

from collections.abc import Mapping
from typing import Any, cast

from gateway.store.rows import VisibleAccount
from resolvers.context import Context
from resolvers.nodes import parse_id


def guess_account(_: Context, arguments: Mapping[str, Any]) -> VisibleAccount | None:
    """Return a guess of the account of an id, in UTC, with the columns that windows and lists are
    made of. A field that reads another one begins nothing.
    """
    parsed = parse_id(arguments.get("id_") or "", "Account")
    if parsed is None:
        return None
    known = {"account_id": parsed.account_id, "currency": "USD", "time_zone": "UTC"}
    return cast("VisibleAccount", known)
