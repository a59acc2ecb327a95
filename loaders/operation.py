"""All loaders of one operation; in a subscription, of one event."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Generic

from gateway.execution.plan.columns import ReadColumns, ReadRelations
from gateway.principal import Principal
from gateway.store import Listing, Page, Reader, Snapshot
from gateway.store.account_events import ACCOUNT_EVENTS
from gateway.store.account_listing import ACCOUNT_BY_ID, ACCOUNTS, accounts_by_external_id
from gateway.store.balance_openings import balance_openings
from gateway.store.breakdowns import breakdowns
from gateway.store.burn import visible_burn_facts
from gateway.store.companions import Beside
from gateway.store.deployment_listing import DEPLOYMENT_BY_ID, DEPLOYMENTS
from gateway.store.document_years import document_years
from gateway.store.first_facts import first_facts
from gateway.store.ledger_listing import LEDGER, ledger_rows_by_key
from gateway.store.purchase_listing import (
    CREDIT_PURCHASES,
    REFUNDS_OF_PURCHASES,
)
from gateway.store.purchase_relations import (
    CANCELLATION_BY_REFUND,
    CREDIT_PURCHASE_BY_ID,
    DISPUTE_BY_ID,
    RECEIPT_BY_ID,
    RECEIPT_BY_PURCHASE,
    RECEIPT_BY_REFUND,
    REFUND_BY_ID,
    REFUNDS,
)
from gateway.store.receipt_listing import RECEIPTS
from gateway.store.relation import Fetch, NarrowFetch, Wanted
from gateway.store.rollup_spans import (
    FLOWS,
    RESOURCES,
    USAGE,
)
from gateway.store.rows import VisibleAccount
from gateway.store.saved_views import views_by_account, views_by_id
from gateway.store.statements import STATEMENT_BY_ID, STATEMENTS
from gateway.store.usage_quantities import usage_quantities
from gateway.store.usage_series import usage_series
from gateway.store.usage_spends import usage_spends
from gateway.store.usage_sums import usage_sums
from gateway.store.usage_totals import usage_totals
from loaders.batch import K, Loader, V, bind


class _Relation(Generic[K, V]):
    """The loader of a relation, made when it is first used."""

    def __init__(self, fetch: Fetch[K, V]) -> None:
        self._fetch = fetch

    def _bound(self, loaders: "Loaders") -> Fetch[K, V]:
        return self._fetch

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, loaders: "Loaders", owner: type) -> Loader[K, V]:
        made = bind(self._bound(loaders), loaders.snapshot, loaders.principal)
        # The next access finds the loader in the object itself.
        loaders.__dict__[self._name] = made
        loaders.made.append(self._name)
        return made


class _Narrowed(_Relation[K, V]):
    """The loader of a relation that reads only the columns that the operation wants."""

    def __init__(self, fetch: NarrowFetch[K, V], wanted: Callable[[ReadColumns], Wanted]) -> None:
        self._narrow = fetch
        self._wanted = wanted

    def _bound(self, loaders: "Loaders") -> Fetch[K, V]:
        if loaders.columns is None:
            return self._narrow
        return partial(self._narrow, columns=self._wanted(loaders.columns))


class _Accounts(_Relation[K, V]):
    """The loader of accounts; what a key of the platform reads is noted in `Loaders.accounts`.
    `narrow` reads only the columns that the operation wants.
    """

    def __init__(
        self,
        fetch: Fetch[K, V],
        keys: Callable[[V], Iterable[int]],
        *,
        narrow: NarrowFetch[K, V] | None = None,
    ) -> None:
        super().__init__(fetch)
        self._keys = keys
        self._narrow = narrow

    def _bound(self, loaders: "Loaders") -> Fetch[K, V]:
        fetch = self._fetch
        if self._narrow and loaders.columns and (wanted := _account_columns(loaders.columns)):
            fetch = partial(self._narrow, columns=wanted)
        if not loaders.principal.is_platform:
            return fetch
        return partial(_noted, fetch, self._keys, loaders.accounts)


async def _noted(
    fetch: Fetch[K, V],
    keys: Callable[[V], Iterable[int]],
    accounts: set[int],
    reader: Reader,
    principal: Principal,
    wanted: Sequence[K],
) -> list[V]:
    values = await fetch(reader, principal, wanted)
    for value in values:
        accounts.update(keys(value))
    return values


def _key_of(account: VisibleAccount | None) -> Iterable[int]:
    return () if account is None else (account["account_id"],)


def _keys_of(page: Sequence[VisibleAccount]) -> Iterable[int]:
    return (account["account_id"] for account in page)


class _Pages(_Relation[Page, Sequence[V]]):
    """The loader of pages of rows that are objects of a type. A page brings along the rows that
    fields of its rows lead to; `relations` are the loaders of those rows, and the name of their
    type, by the name of the companion.
    """

    def __init__(
        self, listing: Listing[V, Any], typename: str, **relations: tuple[str, str]
    ) -> None:
        super().__init__(listing.fetch_pages)
        self._listing = listing
        self._typename = typename
        self._relations = relations

    def _bound(self, loaders: "Loaders") -> Fetch[Page, Sequence[V]]:
        columns = loaders.columns
        if columns is None:
            return self._listing.fetch_pages
        beside = {
            Beside(name, columns.get(typename)): getattr(loaders, relation).keep
            for name, (relation, typename) in self._relations.items()
            if (self._typename, relation) in loaders.relations
        }
        wanted = columns.get(self._typename)
        return partial(self._listing.fetch_pages, columns=wanted, beside=beside)


def _rows(fetch: NarrowFetch[K, V], typename: str) -> _Relation[K, V]:
    """Return a relation of rows that are objects of a type."""
    return _Narrowed(fetch, lambda columns: columns.get(typename))


def _totals(fetch: NarrowFetch[K, V], typename: str) -> _Relation[K, V]:
    """Return a relation of a count and of totals that an object of a type shows."""
    return _Narrowed(fetch, lambda columns: None if typename in columns else frozenset())


def _account_columns(columns: ReadColumns) -> Wanted:
    """Return the columns of accounts that are read; None where a function may read any, but for
    those of the root.
    """
    mine, others = columns.get("Account"), {**columns}
    others.pop("Query", None)
    return None if mine is None or None in others.values() else mine | {"account_id", "role"}


def _usage_columns(columns: ReadColumns) -> Wanted:
    """Return the columns of usage that are read: its sets only where deployments are counted."""
    return None if reads_deployments(columns) else frozenset({"spent_nanos"})


def reads_deployments(columns: ReadColumns | None) -> bool:
    """Say whether an operation may count the deployments of its usage."""
    if columns is None or "UsageSummary" in columns:
        return True
    bucket = columns.get("UsageBucket", frozenset())
    return bucket is None or "deployments" in bucket


class Loaders:
    """Each is named `<result>_by_<key>` and loads what the principal may see, in one snapshot.

    Loaders hold no reference to each other. `made` are the names of those that were used.
    """

    def __init__(self, snapshot: Snapshot, principal: Principal) -> None:
        self.snapshot: Final = snapshot
        self.principal: Final = principal
        self.columns: ReadColumns | None = None
        self.relations: ReadRelations = frozenset()
        self.accounts: set[int] = set()
        self.made: list[str] = []

    def begin(self) -> None:
        """Forget what was loaded."""
        for name in self.made:
            del self.__dict__[name]
        self.made.clear()

    account_by_id = _Accounts(ACCOUNT_BY_ID.fetch, _key_of, narrow=ACCOUNT_BY_ID.fetch)
    account_by_external_id = _Accounts(accounts_by_external_id, _key_of)
    accounts_by_page = _Accounts(ACCOUNTS.fetch_pages, _keys_of)
    account_totals_by_selection = _Relation(ACCOUNTS.fetch_totals)
    credit_purchase_by_id = _rows(CREDIT_PURCHASE_BY_ID.fetch, "CreditPurchase")
    credit_purchases_by_page = _Pages(
        CREDIT_PURCHASES, "CreditPurchase", receipt=("receipt_by_purchase", "Receipt")
    )
    credit_purchase_totals_by_selection = _totals(
        CREDIT_PURCHASES.fetch_totals, "CreditPurchaseTotals"
    )
    refund_totals_by_selection = _Relation(REFUNDS_OF_PURCHASES.fetch_totals)
    refund_by_id = _rows(REFUND_BY_ID.fetch, "Refund")
    refunds_by_page = _Pages(REFUNDS, "Refund", receipt=("receipt_by_refund", "Receipt"))
    dispute_by_id = _rows(DISPUTE_BY_ID.fetch, "Dispute")
    receipt_by_id = _rows(RECEIPT_BY_ID.fetch, "Receipt")
    receipt_by_purchase = _rows(RECEIPT_BY_PURCHASE.fetch, "Receipt")
    receipt_by_refund = _rows(RECEIPT_BY_REFUND.fetch, "Receipt")
    cancellation_by_refund = _rows(CANCELLATION_BY_REFUND.fetch, "Receipt")
    receipts_by_page = _rows(RECEIPTS.fetch_pages, "Receipt")
    receipt_totals_by_selection = _Relation(RECEIPTS.fetch_totals)
    statement_by_id = _rows(STATEMENT_BY_ID.fetch, "Statement")
    statements_by_page = _rows(STATEMENTS.fetch_pages, "Statement")
    statement_totals_by_selection = _Relation(STATEMENTS.fetch_totals)
    audit_events_by_page = _rows(ACCOUNT_EVENTS.fetch_pages, "AuditEvent")
    audit_event_totals_by_selection = _Relation(ACCOUNT_EVENTS.fetch_totals)
    deployment_by_id = _rows(DEPLOYMENT_BY_ID.fetch, "Deployment")
    deployments_by_page = _rows(DEPLOYMENTS.fetch_pages, "Deployment")
    deployment_totals_by_selection = _Relation(DEPLOYMENTS.fetch_totals)
    ledger_row_by_id = _Relation(ledger_rows_by_key)
    ledger_by_page = _Relation(LEDGER.fetch_pages)
    ledger_totals_by_selection = _Relation(LEDGER.fetch_totals)
    usage_by_span = _Relation(USAGE.fetch)
    usage_sums_by_spans = _Narrowed(usage_sums, _usage_columns)
    resources_by_span = _Relation(RESOURCES.fetch)
    flows_by_span = _Relation(FLOWS.fetch)
    breakdown_by_key = _Relation(breakdowns)
    usage_totals_by_spans = _Relation(usage_totals)
    usage_series_by_key = _Relation(usage_series)
    usage_quantities_by_key = _Relation(usage_quantities)
    forecast_spends_by_pieces = _Relation(usage_spends)
    earlier_spends_by_pieces = _Relation(usage_spends)
    balance_by_instant = _Relation(balance_openings)
    burn_by_periods = _Relation(visible_burn_facts)
    saved_view_by_id = _Relation(views_by_id)
    saved_views_by_account = _Relation(views_by_account)
    first_fact_by_account = _Relation(first_facts)
    document_years_by_account = _Relation(document_years)
