"""The GraphQL type of an account, the entry to everything else."""

from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

import strawberry

from gateway.audit.account_deeds import select_deeds
from gateway.billing.usage.saved_views import MAX_VIEWS
from gateway.execution.fields import Cost
from gateway.links import DOCUMENTS_PATH
from gateway.signing import Signer
from gateway.store import Cursors, Selection
from gateway.store.account_events import ACCOUNT_EVENTS, AccountEventRow
from gateway.store.deployment_listing import DEPLOYMENTS
from gateway.store.ledger_listing import LEDGER
from gateway.store.purchase_listing import CREDIT_PURCHASES, PurchaseTotals
from gateway.store.receipt_listing import RECEIPTS
from gateway.store.rows import (
    Counted,
    CreditPurchaseRow,
    LedgerRow,
    ReceiptRow,
    StatementRow,
    VisibleAccount,
    VisibleDeployment,
)
from gateway.store.statements import STATEMENTS
from gateway.windows import checked_year, zone
from resolvers.by_key import always, of_days, without_filter
from resolvers.columns import column, global_id, itself, related, resolved
from resolvers.connection import PAGED, After, Before, First, Last, Pages, Paging, open_pages
from resolvers.context import Info
from resolvers.costs import DOCUMENT_YEARS, LINK, ONE_ROW
from resolvers.enums import Role
from resolvers.filters import (
    CreditPurchaseFilter,
    DeploymentFilter,
    LedgerFilter,
    requested_ledger,
    requested_purchases,
    select_deployments,
    select_everything,
)
from resolvers.permissions import Policy
from resolvers.scalars import CurrencyCode, TimeZone
from resolvers.types.balance import Balance, LowBalanceThresholds
from resolvers.types.balance_history import BalanceBucket, load_balance_history
from resolvers.types.node import Node
from resolvers.types.saved_view import SavedView
from resolvers.types.usage import Usage
from resolvers.usage_loading import open_usage
from resolvers.windows import BUCKETS, DAYS, WINDOW, load_first_day

if TYPE_CHECKING:
    from resolvers.types.audit_event import AuditEventConnection
    from resolvers.types.credit_purchase import CreditPurchaseConnection
    from resolvers.types.deployment import DeploymentConnection
    from resolvers.types.ledger import LedgerConnection
    from resolvers.types.receipt import ReceiptConnection
    from resolvers.types.statement import StatementConnection


_KEPT_CURSORS: Final = 1_000
"""Most lists with cursors kept for further requests; a list takes a kilobyte."""


async def load_account_first_day(root: strawberry.Parent[VisibleAccount], info: Info) -> date:
    return await load_first_day(root, info, zone(root["time_zone"]))


def list_credit_purchases(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter_: Annotated[
        CreditPurchaseFilter | None,
        strawberry.argument(name="filter", description="Filter for the purchases. Default: all."),
    ] = None,
) -> Pages[CreditPurchaseRow, PurchaseTotals]:
    requested = requested_purchases(filter_, root)
    selection = requested.selection(root["account_id"])
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        selection,
        cursors=_cursors(info, "creditPurchases", selection, CREDIT_PURCHASES.order),
        descending=True,
        rows=info.context.loaders.credit_purchases_by_page,
        totals=info.context.loaders.credit_purchase_totals_by_selection,
        account=root,
        exported=requested,
    )


def list_ledger(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter_: Annotated[
        LedgerFilter | None,
        strawberry.argument(name="filter", description="Filter for the rows. Default: all."),
    ] = None,
) -> Pages[LedgerRow, Counted]:
    requested = requested_ledger(filter_, root)
    selection = requested.selection(root["account_id"])
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        selection,
        cursors=_cursors(info, "ledger", selection, LEDGER.order),
        descending=True,
        rows=info.context.loaders.ledger_by_page,
        totals=info.context.loaders.ledger_totals_by_selection,
        account=root,
        exported=requested,
    )


def list_receipts(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Pages[ReceiptRow, Counted]:
    selection = select_everything(root)
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        selection,
        cursors=_cursors(info, "receipts", selection, RECEIPTS.order),
        descending=True,
        rows=info.context.loaders.receipts_by_page,
        totals=info.context.loaders.receipt_totals_by_selection,
        account=root,
    )


def list_statements(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Pages[StatementRow, Counted]:
    selection = select_everything(root)
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        selection,
        cursors=_cursors(info, "statements", selection, STATEMENTS.order),
        descending=True,
        rows=info.context.loaders.statements_by_page,
        totals=info.context.loaders.statement_totals_by_selection,
        account=root,
    )


async def load_document_years(root: strawberry.Parent[VisibleAccount], info: Info) -> list[int]:
    return await info.context.loaders.document_years_by_account.load(root["account_id"])


def list_audit_events(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Pages[AccountEventRow, Counted]:
    selection = select_deeds(root["account_id"])
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        selection,
        cursors=_cursors(info, "auditEvents", selection, ACCOUNT_EVENTS.order),
        descending=True,
        rows=info.context.loaders.audit_events_by_page,
        totals=info.context.loaders.audit_event_totals_by_selection,
        account=root,
    )


def sign_documents_url(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    year: Annotated[
        int, strawberry.argument(description="A year of the account's time zone, 2000 to 2100.")
    ],
) -> str:
    parameters = {"year": str(checked_year(year))}
    return info.context.links.sign(DOCUMENTS_PATH, root["account_id"], parameters)


def list_deployments(
    root: strawberry.Parent[VisibleAccount],
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
    filter_: Annotated[
        DeploymentFilter | None,
        strawberry.argument(name="filter", description="Filter for the deployments. Default: all."),
    ] = None,
) -> Pages[VisibleDeployment, Counted]:
    selection = select_deployments(filter_, root)
    return open_pages(
        Paging(first=first, after=after, last=last, before=before),
        selection,
        cursors=_cursors(info, "deployments", selection, DEPLOYMENTS.order),
        descending=True,
        rows=info.context.loaders.deployments_by_page,
        totals=info.context.loaders.deployment_totals_by_selection,
        account=root,
    )


def _cursors(info: Info, field: str, selection: Selection, order: tuple[str, ...]) -> Cursors:
    return _made_cursors(info.context.signer, field, selection, order)


@lru_cache(maxsize=_KEPT_CURSORS)
def _made_cursors(
    signer: Signer, field: str, selection: Selection, order: tuple[str, ...]
) -> Cursors:
    # A selection's text has the account, the window's instants and the conditions.
    return Cursors(signer, field, str(selection), order=order)


@strawberry.type(
    description="A billing account: its balance, credit purchases, usage and deployments."
)
class Account(Node):
    POLICY: ClassVar = Policy.ACCOUNT

    id: strawberry.ID = global_id("Account", "account_id", description="The account's global id.")
    external_id: str = column(
        "external_id",
        description="The platform's id of the account, such as a customer number; at most 200 "
        "characters.",
    )
    name: str = column("name", description="The account's name; at most 200 characters.")
    currency: CurrencyCode = column(
        "currency", description="The currency of all amounts in the account."
    )
    time_zone: TimeZone = column(
        "time_zone", description="The account's time zone: the default for calendar dates and days."
    )
    pending_time_zone: TimeZone | None = column(
        "pending_time_zone",
        description="The time zone that replaces `timeZone` as soon as the account's days are "
        "computed in it; null if none is pending.",
    )
    created_at: datetime = column("created_at", description="When the account was created.")
    first_day: date = resolved(
        load_account_first_day,
        cost=ONE_ROW,
        by_key=always,
        description="The first day of the account's history, in its time zone: the day of its "
        "creation, or of its first credit or usage if earlier. Late usage may move "
        "this day back.",
    )
    viewer_role: Role = column(
        "role", description="The viewer's role in the account; OWNER for an API key."
    )
    low_balance: LowBalanceThresholds = itself(description="When the balance counts as low.")
    balance: Balance = itself(description="The current balance.")
    credit_purchases: (
        Annotated["CreditPurchaseConnection", strawberry.lazy("resolvers.types.credit_purchase")]
        | None
    ) = resolved(
        list_credit_purchases,
        cost=PAGED,
        by_key=without_filter,
        policy=Policy.PURCHASES,
        description="Credit purchases, newest first. Null with a FORBIDDEN error for a VIEWER.",
    )
    deployments: Annotated[
        "DeploymentConnection", strawberry.lazy("resolvers.types.deployment")
    ] = resolved(
        list_deployments,
        cost=PAGED,
        by_key=without_filter,
        description="Deployments, running and closed, latest `startedAt` first.",
    )
    ledger: Annotated["LedgerConnection", strawberry.lazy("resolvers.types.ledger")] | None = (
        resolved(
            list_ledger,
            cost=PAGED,
            by_key=without_filter,
            policy=Policy.PURCHASES,
            description="Every change of the balance, newest first. All usage recorded on one "
            "day is one row. Null with a FORBIDDEN error for a VIEWER.",
        )
    )
    receipts: Annotated["ReceiptConnection", strawberry.lazy("resolvers.types.receipt")] | None = (
        resolved(
            list_receipts,
            cost=PAGED,
            by_key=always,
            policy=Policy.PURCHASES,
            description="Receipts, credit notes and cancellations of credit notes, newest first. "
            "Null with a FORBIDDEN error for a VIEWER.",
        )
    )
    statements: (
        Annotated["StatementConnection", strawberry.lazy("resolvers.types.statement")] | None
    ) = resolved(
        list_statements,
        cost=PAGED,
        by_key=always,
        policy=Policy.PURCHASES,
        description="Monthly statements, latest month first; a month without changes of the "
        "balance and with a balance of 0 has none. Null with a FORBIDDEN error for a VIEWER.",
    )
    document_years: list[int] | None = resolved(
        load_document_years,
        cost=DOCUMENT_YEARS,
        policy=Policy.PURCHASES,
        description="Years with receipts, credit notes or monthly statements, latest first. Null "
        "with a FORBIDDEN error for a VIEWER.",
    )
    audit_events: (
        Annotated["AuditEventConnection", strawberry.lazy("resolvers.types.audit_event")] | None
    ) = resolved(
        list_audit_events,
        cost=PAGED,
        policy=Policy.OWNERS,
        description="Changes of members, API keys, credit, thresholds, the time zone and the "
        "account itself, newest first. Null with a FORBIDDEN error for other roles than OWNER, "
        "and for an API key without the scope `admin`.",
    )
    documents_url: str | None = resolved(
        sign_documents_url,
        cost=LINK,
        policy=Policy.PURCHASES,
        description="Signed download link to a ZIP file of a year's receipts, credit notes and "
        "monthly statements; it answers 404 where the year has none. The link needs no credential "
        "and expires within 15 minutes. Null with a FORBIDDEN error for a VIEWER.",
    )
    usage: Usage = resolved(
        open_usage, cost=WINDOW, by_key=of_days, description="Usage and spend over a range of days."
    )
    saved_views: list[SavedView] = related(
        "saved_views_by_account",
        "account_id",
        key=int,
        cost=Cost(items=MAX_VIEWS, rows=MAX_VIEWS),
        description=f"The viewer's saved usage queries, by name; at most {MAX_VIEWS}. An API key "
        "has none.",
    )
    balance_history: list[BalanceBucket] | None = resolved(
        load_balance_history,
        cost=Cost(items=BUCKETS, rows=DAYS),
        policy=Policy.PURCHASES,
        description="The balance over a range of days, oldest first, without gaps; at most "
        "1,100 buckets. Null with a FORBIDDEN error for a VIEWER.",
    )
