"""Link the events of an invoice with its payments, and keep why an event is parked.

Until now an invoice's event stood under the payment that it named, or waited under the invoice for
an InvoicePayment, and both together were recorded once more as an event `joined_…` of the payment.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

EVENT = sa.table(
    "webhook_event",
    *map(sa.column, ("provider", "event_id", "type", "object_id", "payload", "state", "reason")),
)
INVOICE = sa.table("webhook_invoice", *map(sa.column, ("provider", "payment_id", "invoice_id")))


def upgrade() -> None:
    op.add_column("webhook_event", sa.Column("reason", sa.String(length=500), nullable=True))
    op.create_table(
        "webhook_invoice",
        sa.Column("provider", sa.String(length=50), nullable=False),
        sa.Column("payment_id", sa.String(length=255), nullable=False),
        sa.Column("invoice_id", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("provider", "payment_id", "invoice_id", name="pk_webhook_invoice"),
    )
    op.create_index(
        "ix_webhook_invoice_provider_invoice_id", "webhook_invoice", ["provider", "invoice_id"]
    )
    link_invoices()
    op.execute(
        "UPDATE webhook_event SET reason = 'Waits for what its payment lacks.' "
        "WHERE state = 'PARKED'"
    )


def link_invoices() -> None:
    """Move the events of invoices from their payments to their invoices, and link both."""
    bind = op.get_bind()
    # The halves of a joined event are there themselves.
    joined = EVENT.c.event_id.like("joined\\_%", escape="\\")
    links = {link for row in bind.execute(sa.select(EVENT).where(joined)) for link in links_of(row)}
    bind.execute(sa.delete(EVENT).where(joined))
    own = sa.select(EVENT).where(EVENT.c.object_id.is_not(None))
    for row in bind.execute(own.where(EVENT.c.type.like("invoice%"))).all():
        links.update(links_of(row))
        name = object_of(row).get("invoice" if "payment" in row.type else "id")
        same = sa.and_(EVENT.c.provider == row.provider, EVENT.c.event_id == row.event_id)
        bind.execute(sa.update(EVENT).where(same).values(object_id=name))
    for row in bind.execute(own.where(EVENT.c.payload.like('%"invoice":"in\\_%', escape="\\"))):
        links.update(links_of(row))
    rows = [
        {"provider": provider, "payment_id": payment, "invoice_id": invoice}
        for provider, payment, invoice in sorted(links)
    ]
    if rows:
        bind.execute(sa.insert(INVOICE), rows)


def object_of(row: Any) -> dict[str, Any]:
    found = json.loads(row.payload).get("data", {}).get("object")
    return found if isinstance(found, dict) else {}


def links_of(row: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what an event says: an invoice, an InvoicePayment, or a payment that names one."""
    subject = object_of(row)
    kind, invoice = subject.get("object"), name_of(subject.get("invoice"))
    payments: list[Any] = [row.object_id]
    if kind == "invoice":
        listed = subject.get("payments")
        every = listed.get("data") or [] if isinstance(listed, dict) else []
        paid = [paid_by(each) for each in every if each.get("status") in {None, "paid"}]
        own = subject.get("payment_intent") or subject.get("charge")
        invoice, payments = name_of(subject), [own, *paid]
    elif kind == "invoice_payment":
        payments = [paid_by(subject)]
    for payment in filter(None, map(name_of, payments)):
        if invoice is not None:
            yield row.provider, payment, invoice


def paid_by(invoice_payment: dict[str, Any]) -> Any:
    return (invoice_payment.get("payment") or {}).get("payment_intent")


def name_of(value: Any) -> str | None:
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) and found else None
