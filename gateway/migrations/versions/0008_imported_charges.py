"""Keep what each row of a cost file charges, and derive it for those that are imported.

Until now the id of an event was that of its row's text, and two texts were two charges. The values
that the digest is made of stand on the events and ledger entries: the importer's module `identity`
says which. Which billing account a row was of is known no more.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from gateway.models import Instant
from gateway.models.base import microseconds_from_instant

revision = "0008"
down_revision = "0007"

PART = 5_000
IMPORTED = re.compile(r"[0-9a-f]{32}(-[0-9]+)?", re.ASCII)
"""The event ids that the import made: others' events may have its source."""

USAGE = sa.text(
    "SELECT event.*, deployment.external_id AS deployment, account.external_id AS account "
    "FROM (SELECT account_id, event_id, deployment_id, resource, unit, quantity_nanos, "
    "amount_nanos, correction, provider, gpu_model, region, service, sku, started_at, ended_at "
    "FROM usage_event WHERE source = 'focus' AND (account_id > :account_id OR "
    "(account_id = :account_id AND event_id > :event_id)) "
    "ORDER BY account_id, event_id LIMIT :part) AS event "
    "JOIN account ON account.account_id = event.account_id "
    "LEFT JOIN deployment ON deployment.account_id = event.account_id "
    "AND deployment.id = event.deployment_id ORDER BY event.account_id, event.event_id"
).columns(started_at=Instant(), ended_at=Instant(), correction=sa.Boolean())

ADJUSTMENTS = sa.text(
    "SELECT entry.account_id, substr(source_key, 7) AS event_id, amount_nanos, description, "
    "effective_at AS started_at, account.external_id AS account FROM ledger_entry AS entry "
    "JOIN account ON account.account_id = entry.account_id "
    "WHERE cause = 'ADJUSTMENT' AND source_key LIKE 'focus:%' "
    "AND (entry.account_id > :account_id OR "
    "(entry.account_id = :account_id AND substr(source_key, 7) > :event_id)) "
    "ORDER BY entry.account_id, substr(source_key, 7) LIMIT :part"
).columns(started_at=Instant())

CHARGE = sa.table(
    "imported_charge",
    *(sa.column(name) for name in ("account_id", "digest", "event_id", "is_usage", "issuer")),
    sa.column("started_at", Instant()),
)


def upgrade() -> None:
    create_imported_charge()
    issuers: dict[int, set[str]] = {}
    for rows in parts(USAGE):
        for row in rows:
            issuers.setdefault(row["account_id"], set()).add(row["provider"] or "")
        keep([charge(row, usage_digest(row), row["provider"] or "") for row in rows], is_usage=True)
    for rows in parts(ADJUSTMENTS):
        keep([charge(row, adjustment_digest(row), only(issuers, row)) for row in rows])


def create_imported_charge() -> None:
    op.create_table(
        "imported_charge",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("is_usage", sa.Boolean(), nullable=False),
        sa.Column("issuer", sa.String(length=200), nullable=True),
        sa.Column("billing_account", sa.String(length=200), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("restated", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("account_id", "digest", "event_id", name="pk_imported_charge"),
        sqlite_with_rowid=False,
    )
    for columns, condition in (
        (["account_id", "started_at", "event_id"], sa.text("restated IS NULL")),
        (["account_id", "restated"], sa.text("restated IS NOT NULL")),
    ):
        op.create_index(
            f"ix_imported_charge_{'_'.join(columns)}",
            "imported_charge",
            columns,
            postgresql_where=condition,
            sqlite_where=condition,
        )


def parts(statement: sa.TextualSelect) -> Iterator[Sequence[sa.RowMapping]]:
    """Yield the rows of a statement, some at a time, those alone that the import made."""
    after = {"account_id": -1, "event_id": ""}
    while rows := op.get_bind().execute(statement, after | {"part": PART}).mappings().all():
        yield [row for row in rows if IMPORTED.fullmatch(row["event_id"])]
        after = {name: rows[-1][name] for name in after}


def charge(row: sa.RowMapping, digest: str, issuer: str | None) -> dict[str, Any]:
    kept = {name: row[name] for name in ("account_id", "event_id", "started_at")}
    return {**kept, "digest": digest, "issuer": issuer}


def keep(charges: Sequence[dict[str, Any]], *, is_usage: bool = False) -> None:
    if charges:
        rows = [{**each, "is_usage": is_usage} for each in charges]
        op.get_bind().execute(sa.insert(CHARGE), rows)


def only(issuers: dict[int, set[str]], row: sa.RowMapping) -> str | None:
    """Return the provider of all imported usage of an account, None where there are several."""
    known = issuers.get(row["account_id"], {""})
    return next(iter(known)) if len(known) == 1 else None


def adjustment_digest(row: sa.RowMapping) -> str:
    start = microseconds_from_instant(row["started_at"])
    return digest_of((row["account"], row["description"], str(row["amount_nanos"]), start))


def usage_digest(row: sa.RowMapping) -> str:
    return digest_of(
        (
            *(row["account"], row["deployment"], row["resource"], row["unit"]),
            *(str(row["quantity_nanos"]), str(row["amount_nanos"]), row["correction"]),
            *(row[name] for name in ("provider", "gpu_model", "region", "service", "sku")),
            microseconds_from_instant(row["started_at"]),
            microseconds_from_instant(row["ended_at"]),
        )
    )


def digest_of(values: tuple[Any, ...]) -> str:
    return blake2b(orjson.dumps(values), digest_size=16).hexdigest()
