"""Accounts as the platform tells of them: made, changed, and who may read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.clock import Clock
from gateway.errors import BadUserInput, Conflict
from gateway.ids import KeyFactory, receipt_prefix
from gateway.money import minor_digits
from gateway.principal import Role
from gateway.store import Transaction, accounts, rebuild
from gateway.windows import zone


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What the platform says of an account. `members` are (subject, role); thresholds in nanos,
    days.
    """

    external_id: str
    name: str
    currency: str
    time_zone: str = "UTC"
    members: Sequence[tuple[str, Role]] = ()
    stripe_customer_id: str | None = None
    low_balance_nanos: int | None = None
    low_balance_days: int | None = None
    created_at: datetime | None = None


async def put_account(
    transaction: Transaction, facts: AccountFacts, *, clock: Clock, keys: KeyFactory
) -> int:
    """Make the account or change it to what the facts say; its members are replaced. Return its
    key.

    A change of the time zone rebuilds the account's daily roll-ups. Raises BadUserInput for an
    unknown currency or zone, Conflict for another currency once the ledger has an entry.
    """
    _check(facts)
    found = await accounts.by_external_id(transaction, [facts.external_id])
    if found:
        account_id: int = found[0]["account_id"]
        await _change(transaction, account_id, facts)
    else:
        account_id = await _add(transaction, facts, clock=clock, keys=keys)
    members = [(subject, role.value) for subject, role in facts.members]
    await accounts.replace_members(transaction, account_id, members, clock.now())
    return account_id


def _check(facts: AccountFacts) -> None:
    zone(facts.time_zone)
    minor_digits(facts.currency, argument="currency")
    for name, limit in (("external_id", 200), ("name", 200)):
        if not 0 < len(getattr(facts, name)) <= limit:
            raise BadUserInput(f"{name} must have 1 to {limit} characters.", argument=name)
    if len({subject for subject, _ in facts.members}) != len(facts.members):
        raise BadUserInput("A subject may stand among the members once.", argument="members")


async def _add(
    transaction: Transaction, facts: AccountFacts, *, clock: Clock, keys: KeyFactory
) -> int:
    created_at = facts.created_at or clock.now()
    account_id = keys.new(created_at)
    row = {
        "account_id": account_id,
        "external_id": facts.external_id,
        "name": facts.name,
        "currency": facts.currency,
        "time_zone": facts.time_zone,
        "receipt_prefix": receipt_prefix(keys.draw),
        "stripe_customer_id": facts.stripe_customer_id,
        "balance_nanos": 0,
        "ledger_version": 0,
        "balance_at": created_at,
        "low_balance": None,
        "low_balance_nanos": facts.low_balance_nanos,
        "low_balance_days": facts.low_balance_days,
        "deployment_count": 0,
        "created_at": created_at,
    }
    await accounts.insert(transaction, row)
    return account_id


async def _change(transaction: Transaction, account_id: int, facts: AccountFacts) -> None:
    (locked,) = await accounts.lock(transaction, [account_id])
    if locked["currency"] != facts.currency and locked["ledger_version"]:
        raise Conflict(
            f"The account is kept in {locked['currency']} and has ledger entries; "
            "its currency cannot change."
        )
    await accounts.change(
        transaction,
        account_id,
        name=facts.name,
        currency=facts.currency,
        time_zone=facts.time_zone,
        stripe_customer_id=facts.stripe_customer_id,
        low_balance_nanos=facts.low_balance_nanos,
        low_balance_days=facts.low_balance_days,
    )
    if locked["time_zone"] != facts.time_zone:
        await rebuild.days(transaction, account_id, zone(facts.time_zone))
