"""Policies for row-level security on Postgres. They have no effect until they are put in force."""

from alembic import op

from gateway.migrations.row_security import Rows, protect

revision = "0019"
down_revision = "0018"

OF_ACCOUNTS = (
    "account",
    "credit_purchase",
    "deployment",
    "dispute",
    "dispute_movement",
    "idempotency_key",
    "imported_charge",
    "ledger_day",
    "ledger_entry",
    "receipt",
    "receipt_sequence",
    "refund",
    "rollup_activity",
    "rollup_day",
    "rollup_project",
    "rollup_slot",
    "usage_event",
)

# The accounts of the transaction's caller, null for every account. Postgres puts the expression
# itself in the place of a call.
ACCOUNTS = """
CREATE FUNCTION gateway_accounts() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE RETURN
CASE current_setting('app.accounts', true)
  WHEN '*' THEN NULL
  ELSE coalesce(nullif(current_setting('app.accounts', true), ''), '{}')::bigint[]
END
"""

# A page has at most 100 accounts. A longer list would cost each statement more than it saves.
ENTER = """
CREATE FUNCTION gateway_enter(subject_hex text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  person text := convert_from(decode(subject_hex, 'hex'), 'UTF8');
BEGIN
  PERFORM set_config('app.principal', person, true);
  PERFORM set_config('app.accounts', ARRAY(
    SELECT account_id FROM account_member WHERE subject = person
    ORDER BY subject, account_id LIMIT 100
  )::text, true);
END $$
"""

# For people with more accounts than the list holds. The cost keeps the planner from scanning a
# table with it.
IS_MEMBER = """
CREATE FUNCTION gateway_is_member(account bigint) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM account_member
    WHERE account_id = account AND subject = current_setting('app.principal', true)
  );
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for function in (ACCOUNTS, ENTER, IS_MEMBER):
            op.execute(function)
    for table in OF_ACCOUNTS:
        protect(table)
    protect("account_member", Rows.OF_MEMBERS)
    for table in ("api_key", "job", "webhook_event"):
        protect(table, Rows.OF_PLATFORM)
    protect("audit_event", Rows.OF_LOG)
    protect("webhook_invoice", Rows.OF_NO_ACCOUNT)
