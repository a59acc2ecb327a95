"""What the tables have in common."""

from gateway.models import metadata


def test_every_table_has_its_tenant_first_in_its_key() -> None:
    without = {
        table.name
        for table in metadata.tables.values()
        if next(iter(table.primary_key.columns)).name != "account_id"
    }
    # A webhook may come before its account, and a key of the platform has none. Who sells is the
    # same for all accounts. A link of an invoice belongs to the account of its payment's events.
    # A job may be about no account, and so may a deed.
    assert without == {
        "api_key",
        "audit_event",
        "job",
        "seller",
        "webhook_event",
        "webhook_invoice",
    }
    for name in without - {"webhook_invoice", "seller"}:
        assert metadata.tables[name].c.account_id.nullable


def test_every_index_of_a_tenants_rows_begins_with_the_tenant() -> None:
    others = {
        index.name
        for table in metadata.tables.values()
        for index in table.indexes
        if next(iter(index.columns)).name != "account_id"
    }
    assert others == {
        "ix_account_member_subject_account_id",
        "ix_audit_event_actor_id",
        "ix_audit_event_deed_id",
        "ix_job_lock_id",
        "ix_job_queue_due_at",
        "uq_job_lock",
        "uq_job_queueing_lock",
        "uq_job_task",
        "ix_webhook_event_ownerless_customer_id",
        "ix_webhook_event_ownerless_external_id",
        "ix_webhook_event_parked",
        "ix_webhook_event_provider_object_id",
        "ix_webhook_event_state_provider",
        "ix_webhook_invoice_provider_invoice_id_payment_id",
    }


def test_money_is_in_64_bit_integers_and_a_quantity_in_38_digits() -> None:
    kinds = {
        column.name: str(column.type)
        for table in metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_nanos")
    }
    assert kinds.pop("quantity_nanos") == "NUMERIC(38, 0)"
    assert set(kinds.values()) == {"BIGINT"}
