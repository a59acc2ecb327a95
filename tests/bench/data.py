"""The data that is measured: accounts, purchases with receipts, and two years of daily roll-ups.

Written by set-based statements straight into the tables, so that the full size takes seconds. It is
the same for the same size and last day.
"""

from dataclasses import dataclass
from datetime import date

import asyncpg

SUBJECT = "bench"
"""Who may read every account."""

PURCHASES = 100
DAYS = 730
DEPLOYMENTS = 12

_STATEMENTS = (
    """
    INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix,
        balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at)
    SELECT a, 'customer-' || a, 'Customer ' || a, 'USD', 'UTC', lpad(upper(to_hex(a)), 8, '0'),
        a * 1234567890, 1, $2::date, $3, 1, $2::date - $4 * interval '1 day'
    FROM generate_series(1, $1::bigint) a
    """,
    """
    INSERT INTO account_member (account_id, subject, role, created_at)
    SELECT a, $2, 'OWNER', $3::date FROM generate_series(1, $1::bigint) a
    """,
    """
    INSERT INTO deployment (account_id, id, ordinal, external_id, name, provider, gpu_model,
        spend_nanos, started_at, created_at)
    SELECT a, a * 1000 + d, d, (a * 1000 + d)::text, 'job ' || d, 'provider ' || d % 3, 'h100',
        0, $2::date - $4 * interval '1 day', $2::date - $4 * interval '1 day'
    FROM generate_series(1, $1::bigint) a, generate_series(0, $3::int - 1) d
    """,
    """
    INSERT INTO credit_purchase (account_id, id, kind, status, currency, amount_nanos, tax_nanos,
        bonus_nanos, refunded_nanos, bonus_reversed_nanos, disputed_nanos, failure_reason,
        payment_method_type, payment_method_brand, payment_method_last4, created_at, failed_at,
        settled_at, revision, receipted)
    SELECT a, a * 1000 + p, 'CARD', CASE WHEN failed THEN 'FAILED' ELSE 'SUCCEEDED' END, 'USD',
        (10 + p % 7 * 5) * 1000000000::bigint, 0, 0, 0, 0, 0,
        CASE WHEN failed THEN 'The card was declined.' END, 'CARD',
        (ARRAY['visa', 'mastercard', 'amex'])[1 + p % 3], lpad((p * 37 % 10000)::text, 4, '0'),
        at, CASE WHEN failed THEN at END, CASE WHEN NOT failed THEN at + interval '3 s' END, 1,
        NOT failed
    FROM generate_series(1, $1::bigint) a, generate_series(1, $3::int) p,
        LATERAL (SELECT p % 10 = 0 AS failed,
            $2::date - ($3 - p) * interval '7 days' + a % 86400 * interval '1 s' AS at) each
    """,
    """
    INSERT INTO receipt (account_id, id, number, year, sequence, purchase_id, currency, total_nanos,
        tax_nanos, issued_at, data)
    SELECT account_id, id, receipt_prefix || '-' || year || '-' || lpad(n::text, 6, '0'), year, n,
        id, currency, amount_nanos, 0, settled_at, '{}'
    FROM (
        SELECT p.*, a.receipt_prefix, extract(year FROM settled_at AT TIME ZONE 'UTC')::int AS year,
            row_number() OVER (
                PARTITION BY p.account_id, extract(year FROM settled_at AT TIME ZONE 'UTC')
                ORDER BY settled_at
            ) AS n
        FROM credit_purchase p JOIN account a USING (account_id) WHERE settled_at IS NOT NULL
    ) settled
    """,
    # A set of deployments is an offset of 0 and two bytes, neither of them zero: ordinals 0 to 11.
    r"""
    INSERT INTO rollup_day (account_id, day, spent_nanos, purchased_nanos, bonus_nanos,
        refunded_nanos, adjusted_nanos, deployments, resources)
    SELECT a, $2::date - d, 1000000000::bigint + a * d * 104729 % 9876543210, 0, 0, 0, 0,
        '\x00'::bytea || set_byte('\x01'::bytea, 0, 1 + ((a + d) % 255)::int)
            || set_byte('\x01'::bytea, 0, 1 + (a * d % 15)::int),
        '{"GPU\u001fgpu-hour": ' || d * 1000000000::bigint || '}'
    FROM generate_series(1, $1::bigint) a, generate_series(0, $3::int - 1) d
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    accounts: int
    last_day: date

    def __str__(self) -> str:
        return (
            f"{self.accounts:,} accounts, {self.accounts * PURCHASES:,} purchases, "
            f"{self.accounts * DAYS:,} daily rows"
        )


async def fill(url: str, size: Size) -> None:
    """Fill a migrated, empty Postgres and bring its statistics up to date."""
    connection = await asyncpg.connect(url)
    arguments: tuple[tuple[object, ...], ...] = (
        (size.last_day, DEPLOYMENTS, DAYS),
        (SUBJECT, size.last_day),
        (size.last_day, DEPLOYMENTS, DAYS),
        (size.last_day, PURCHASES),
        (),
        (size.last_day, DAYS),
    )
    for statement, more in zip(_STATEMENTS, arguments, strict=True):
        await connection.execute(statement, *((size.accounts, *more) if more else ()))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
