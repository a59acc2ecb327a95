"""The GraphQL type of the caller."""

from typing import ClassVar, Final

import strawberry

from gateway.ids import MAX_KEY
from gateway.principal import Principal
from gateway.store import Cursors, Selection
from gateway.store.account_listing import ACCOUNTS
from gateway.store.rows import Counted, VisibleAccount
from resolvers.columns import resolved
from resolvers.connection import (
    PAGED,
    After,
    Before,
    Connection,
    First,
    Last,
    Pages,
    Paging,
    open_pages,
)
from resolvers.context import Info
from resolvers.permissions import Policy
from resolvers.types.account import Account

_ALL: Final = Selection(scope=(), lower=(-1,), upper=(MAX_KEY,))


def show_id(root: strawberry.Parent[Principal]) -> str:
    return root.subject


def list_accounts(
    root: strawberry.Parent[Principal],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Pages[VisibleAccount, Counted]:
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        _ALL,
        cursors=Cursors(info.context.signer, "accounts", root.subject, order=ACCOUNTS.order),
        descending=False,
        rows=info.context.loaders.accounts_by_page,
        totals=info.context.loaders.account_totals_by_selection,
    )


@strawberry.type(description="Accounts, oldest first.")
class AccountConnection(Connection[Account]):
    POLICY: ClassVar = Policy.ACCOUNT


@strawberry.type(description="The caller: a person or an API key.")
class Viewer:
    POLICY: ClassVar = Policy.OPEN

    id: strawberry.ID = resolved(
        show_id, description="The token's subject, or `key:` followed by the API key's id."
    )
    accounts: AccountConnection = resolved(
        list_accounts,
        cost=PAGED,
        policy=Policy.ACCOUNT,
        description="Accounts that the caller may read, oldest first: a person's memberships, "
        "the account of an account key, or every account for a platform key.",
    )
