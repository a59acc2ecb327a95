"""Keep what disputes moved, and the documents that cancel credit notes.

Disputes held what was withdrawn until they were won; now they hold the sum of the provider's
movements. Those of existing disputes are derived from their state, so that they hold what is
booked, under names that give way to the provider's own.

A refund that failed after its credit note gets the document that cancels it, dated when the ledger
undid the refund.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from gateway.clock import SystemClock
from gateway.ids import KeyFactory
from gateway.models import Instant
from gateway.windows import local_day, zone

revision = "0009"
down_revision = "0008"

Row = Mapping[str, Any]
Cells = tuple[Any, ...]
Key = tuple[int, int]

NOTE = "refund_id IS NOT NULL AND cancels_id IS NULL"
MINUS = {True: "", False: "-"}


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    extend_refund()
    movements = list(derive_movements())
    if on_postgresql:
        change_dispute_on_postgresql()
    else:
        change_dispute_on_sqlite()
    create_dispute_movement()
    count_tax_in_disputes()
    columns = ("account_id", "dispute_id", "reference", "amount_nanos", "moved_at")
    insert("dispute_movement", columns, movements)
    if on_postgresql:
        extend_receipt_on_postgresql()
    else:
        extend_receipt_on_sqlite()
    create_receipt_indexes()
    cancel_credit_notes()


def table(name: str, *columns: str) -> sa.TableClause:
    """Return a table with the types that reading and writing its rows needs."""
    return sa.table(
        name,
        *(sa.column(each, Instant() if each.endswith("_at") else None) for each in columns),
    )


def rows_of(name: str, *columns: str, where: str = "TRUE") -> Sequence[Row]:
    statement = sa.select(table(name, *columns)).where(sa.text(where))
    return [*map(dict, op.get_bind().execute(statement).mappings())]


def insert(name: str, columns: Sequence[str], rows: Sequence[Cells]) -> None:
    if rows:
        op.bulk_insert(
            table(name, *columns), [dict(zip(columns, row, strict=True)) for row in rows]
        )


def extend_refund() -> None:
    op.add_column(
        "refund",
        sa.Column("has_succeeded", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("refund", sa.Column("failed_at", Instant(), nullable=True))
    op.execute(
        "UPDATE refund SET has_succeeded = TRUE WHERE status = 'SUCCEEDED' OR EXISTS ("
        "SELECT 1 FROM receipt WHERE receipt.account_id = refund.account_id "
        "AND receipt.refund_id = refund.id)"
    )
    # The tax of a credit note stays with its refund.
    op.execute(
        "UPDATE refund SET tax_nanos = (SELECT -receipt.tax_nanos FROM receipt "
        "WHERE receipt.account_id = refund.account_id AND receipt.refund_id = refund.id) "
        "WHERE settled_at IS NULL AND EXISTS (SELECT 1 FROM receipt "
        "WHERE receipt.account_id = refund.account_id AND receipt.refund_id = refund.id)"
    )


def derive_movements() -> Iterator[Cells]:
    """Yield the rows of `dispute_movement` that make the disputes hold what is booked."""
    columns = ("id", "purchase_id", "state", "amount_nanos", "debited_nanos", "credited_nanos")
    disputes: defaultdict[Key, list[Row]] = defaultdict(list)
    for row in rows_of("dispute", "account_id", *columns, "withdrawn_at", "closed_at"):
        if row["withdrawn_at"] is not None:
            disputes[row["account_id"], row["purchase_id"]].append(row)
    if not disputes:
        return
    purchases = {
        (row["account_id"], row["id"]): row
        for row in rows_of(
            "credit_purchase", "account_id", "id", "amount_nanos", "tax_nanos", "settled_at"
        )
    }
    refunded: defaultdict[Key, int] = defaultdict(int)
    names = ("account_id", "purchase_id", "amount_nanos")
    for row in rows_of("refund", *names, where="settled_at IS NOT NULL"):
        refunded[row["account_id"], row["purchase_id"]] += row["amount_nanos"]
    for key, found in disputes.items():
        purchase = purchases[key]
        unrefunded = purchase["amount_nanos"] - refunded[key]
        for dispute, credit in zip(found, credits_of(found, unrefunded), strict=True):
            yield from moves(dispute, credit, purchase)


def credits_of(disputes: Sequence[Row], unrefunded: int) -> list[int]:
    """Return the credit that each dispute asks for: its whole, where that makes them hold what is
    booked, so that a refund that fails later leaves them more to hold; else what it holds.
    """
    whole = [each["amount_nanos"] for each in disputes]
    held = [each["debited_nanos"] - each["credited_nanos"] for each in disputes]
    asked = sum(
        amount for amount, each in zip(whole, disputes, strict=True) if each["state"] != "WON"
    )
    booked = any(each["debited_nanos"] for each in disputes)
    return whole if not booked or min(asked, unrefunded) == sum(held) else held


def moves(dispute: Row, credit: int, purchase: Row) -> Iterator[Cells]:
    money = money_of(credit, purchase)
    name = (dispute["account_id"], dispute["id"])
    yield *name, "migrated:withdrawal", -money, dispute["withdrawn_at"]
    if dispute["state"] == "WON":
        returned_at = max(dispute["closed_at"], dispute["withdrawn_at"])
        yield *name, "migrated:return", money, returned_at


def count_tax_in_disputes() -> None:
    """Let a dispute's amount be its money: until now it was the credit in that."""
    purchases = {
        (row["account_id"], row["id"]): row
        for row in rows_of("credit_purchase", "account_id", "id", "amount_nanos", "tax_nanos")
    }
    dispute = table("dispute", "account_id", "id", "amount_nanos")
    for row in rows_of("dispute", "account_id", "id", "purchase_id", "amount_nanos"):
        purchase = purchases[row["account_id"], row["purchase_id"]]
        same = (dispute.c.account_id == row["account_id"]) & (dispute.c.id == row["id"])
        money = money_of(row["amount_nanos"], purchase)
        op.execute(dispute.update().where(same).values(amount_nanos=money))


def money_of(credit: int, purchase: Row) -> int:
    """Return the money with so much credit in it."""
    total: int = purchase["amount_nanos"] + purchase["tax_nanos"]
    return credit * total // int(purchase["amount_nanos"])


def change_dispute_on_postgresql() -> None:
    op.add_column("dispute", sa.Column("held_nanos", sa.BigInteger(), nullable=True))
    op.execute("UPDATE dispute SET held_nanos = debited_nanos - credited_nanos")
    op.alter_column("dispute", "held_nanos", nullable=False)
    for name in ("debited_in_amount", "credited_when_won"):
        op.drop_constraint(op.f(f"ck_dispute_{name}"), "dispute")
    for name in ("debited_nanos", "credited_nanos", "withdrawn_at"):
        op.drop_column("dispute", name)
    op.create_check_constraint(op.f("ck_dispute_held_not_negative"), "dispute", "held_nanos >= 0")


def change_dispute_on_sqlite() -> None:
    # SQLite drops no column that a constraint names: the table is made again.
    create_dispute("new_dispute")
    names = "account_id, id, purchase_id, state, amount_nanos, reason, provider"
    copied = f"{names}, provider_reference, created_at, closed_at"
    op.execute(
        f"INSERT INTO new_dispute ({copied}, held_nanos) "
        f"SELECT {copied}, debited_nanos - credited_nanos FROM dispute"
    )
    op.drop_table("dispute")
    op.rename_table("new_dispute", "dispute")
    op.create_index("ix_dispute_account_id_purchase_id", "dispute", ["account_id", "purchase_id"])


def create_dispute(name: str) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=4), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("held_nanos", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("provider", sa.String(length=50), nullable=True),
        sa.Column("provider_reference", sa.String(length=255), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.CheckConstraint("state IN ('OPEN', 'WON', 'LOST')", name=op.f("ck_dispute_state_known")),
        sa.CheckConstraint("amount_nanos > 0", name=op.f("ck_dispute_amount_positive")),
        sa.CheckConstraint("held_nanos >= 0", name=op.f("ck_dispute_held_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id", "purchase_id"],
            ["credit_purchase.account_id", "credit_purchase.id"],
            name="fk_dispute_account_id_purchase_id",
        ),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_dispute"),
        sa.UniqueConstraint(
            "account_id",
            "provider",
            "provider_reference",
            name="uq_dispute_account_id_provider_provider_reference",
        ),
    )


def create_dispute_movement() -> None:
    op.create_table(
        "dispute_movement",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("dispute_id", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("amount_nanos", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "dispute_id"],
            ["dispute.account_id", "dispute.id"],
            name="fk_dispute_movement_account_id_dispute_id",
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "dispute_id", "reference", name="pk_dispute_movement"
        ),
    )


def extend_receipt_on_postgresql() -> None:
    op.add_column("receipt", sa.Column("cancels_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        "fk_receipt_account_id_cancels_id",
        "receipt",
        "receipt",
        ["account_id", "cancels_id"],
        ["account_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_receipt_cancels_of_refund"),
        "receipt",
        "cancels_id IS NULL OR refund_id IS NOT NULL",
    )
    op.drop_index("uq_receipt_account_id_refund_id", "receipt")


def extend_receipt_on_sqlite() -> None:
    # SQLite adds no foreign key to a table that is there: the table is made again, and filled from
    # the old one. Dropping that drops its indexes and triggers, and fires none.
    create_receipt("new_receipt")
    names = "account_id, id, number, year, sequence, purchase_id, refund_id, currency"
    copied = f"{names}, total_nanos, tax_nanos, issued_at, data, seller_id"
    op.execute(f"INSERT INTO new_receipt ({copied}) SELECT {copied} FROM receipt")
    op.drop_table("receipt")
    op.rename_table("new_receipt", "receipt")
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER receipt_refuses_{change.lower()} BEFORE {change} ON receipt "
            "BEGIN SELECT RAISE(ABORT, 'rows of receipt are never changed'); END"
        )
    op.create_index(
        "uq_receipt_account_id_purchase_id",
        "receipt",
        ["account_id", "purchase_id"],
        unique=True,
        sqlite_where=sa.text("refund_id IS NULL"),
    )


def create_receipt(name: str) -> None:
    op.create_table(
        name,
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("purchase_id", sa.BigInteger(), nullable=False),
        sa.Column("refund_id", sa.BigInteger(), nullable=True),
        sa.Column("cancels_id", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_nanos", sa.BigInteger(), nullable=False),
        sa.Column("tax_nanos", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_receipt_sequence_positive")),
        sa.CheckConstraint(
            "cancels_id IS NULL OR refund_id IS NOT NULL",
            name=op.f("ck_receipt_cancels_of_refund"),
        ),
        *(
            sa.ForeignKeyConstraint(
                ["account_id", column],
                [f"{parent}.account_id", f"{parent}.{key}"],
                name=f"fk_receipt_account_id_{column}",
            )
            for column, parent, key in (
                ("currency", "account", "currency"),
                ("purchase_id", "credit_purchase", "id"),
                ("refund_id", "refund", "id"),
                ("cancels_id", "receipt", "id"),
            )
        ),
        sa.ForeignKeyConstraint(["seller_id"], ["seller.id"], name="fk_receipt_seller_id"),
        sa.PrimaryKeyConstraint("account_id", "id", name="pk_receipt"),
        sa.UniqueConstraint(
            "account_id", "year", "sequence", name="uq_receipt_account_id_year_sequence"
        ),
        sa.UniqueConstraint("number", name="uq_receipt_number"),
    )


def create_receipt_indexes() -> None:
    for name, column, where in (
        ("uq_receipt_account_id_refund_id", "refund_id", NOTE),
        ("uq_receipt_account_id_cancels_id", "cancels_id", "cancels_id IS NOT NULL"),
        ("ix_receipt_account_id_refund_id", "refund_id", "refund_id IS NOT NULL"),
    ):
        op.create_index(
            name,
            "receipt",
            ["account_id", column],
            unique=name.startswith("uq"),
            postgresql_where=sa.text(where),
            sqlite_where=sa.text(where),
        )


RECEIPT = (
    *("account_id", "id", "number", "year", "sequence", "purchase_id", "refund_id", "cancels_id"),
    *("currency", "total_nanos", "tax_nanos", "issued_at", "data", "seller_id"),
)


def cancel_credit_notes() -> None:
    """Issue what cancels the credit notes of refunds that failed after them, oldest first."""
    failed = {
        (row["account_id"], row["id"]): row
        for row in rows_of(
            "refund",
            *("account_id", "id", "failure_reason"),
            where="has_succeeded AND status IN ('FAILED', 'CANCELED')",
        )
    }
    if not failed:
        return
    zones = {
        row["account_id"]: row["time_zone"] for row in rows_of("account", "account_id", "time_zone")
    }
    used = {
        (row["account_id"], row["year"]): row["last_sequence"]
        for row in rows_of("receipt_sequence", "account_id", "year", "last_sequence")
    }
    sellers = [row["id"] for row in rows_of("seller", "id")]
    clock = SystemClock()
    keys, issued = KeyFactory(clock), []
    undone = undone_at()
    notes = [
        (max(undone.get((row["account_id"], row["refund_id"]), clock.now()), row["issued_at"]), row)
        for row in rows_of("receipt", *RECEIPT, where=NOTE)
        if (row["account_id"], row["refund_id"]) in failed
    ]
    for at, note in sorted(notes, key=lambda each: each[0]):
        account_id = note["account_id"]
        year = local_day(at, zone(zones[account_id])).year
        sequence = used[account_id, year] = used.get((account_id, year), 0) + 1
        number = f"{note['number'][:8]}-{year}-{sequence:06}"
        reason = failed[account_id, note["refund_id"]]["failure_reason"]
        changed = {
            "id": keys.new(),
            "number": number,
            "year": year,
            "sequence": sequence,
            "cancels_id": note["id"],
            "total_nanos": -note["total_nanos"],
            "tax_nanos": -note["tax_nanos"],
            "issued_at": at,
            "data": canceling(note["data"], number, at, reason),
            "seller_id": max(sellers, default=None),
        }
        issued.append(tuple({**note, **changed}[name] for name in RECEIPT))
    insert("receipt", RECEIPT, issued)
    op.execute("DELETE FROM receipt_sequence")
    insert(
        "receipt_sequence",
        ("account_id", "year", "last_sequence"),
        [(*key, last) for key, last in used.items()],
    )


def undone_at() -> Mapping[Key, datetime]:
    """Return when the ledger last corrected a refund, by (account, refund)."""
    found: dict[Key, datetime] = {}
    columns = ("account_id", "refund_id", "recorded_at", "version")
    corrections = "cause = 'REFUND' AND source_key LIKE 'refund:%:%'"
    for row in rows_of("ledger_entry", *columns, where=corrections):
        key = (row["account_id"], row["refund_id"])
        found[key] = max(found.get(key, row["recorded_at"]), row["recorded_at"])
    return found


def canceling(data: str, number: str, at: datetime, reason: str | None) -> str:
    """Return what the document is printed from that cancels a credit note, by the note's data."""
    note = orjson.loads(data)
    changed: dict[str, Any] = {name: negated(note[name]) for name in ("net", "tax", "total")}
    lines = [{**line, "amount": negated(line["amount"])} for line in note["lines"]]
    changed |= {"number": number, "issuedAt": at.isoformat(), "lines": lines}
    changed["cancels"] = {"number": note["number"], "reason": reason}
    return orjson.dumps(note | changed).decode()


def negated(amount: str) -> str:
    """Return a decimal string with the other sign; 0 has none."""
    if not amount.strip("0."):
        return amount
    return MINUS[amount.startswith("-")] + amount.removeprefix("-")
