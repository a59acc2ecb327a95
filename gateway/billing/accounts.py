"""Accounts as the platform tells of them: made, changed, and who may read them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gateway.audit.deeds import Act, Deed, record
from gateway.billing.balance.book_balances import LowBalances
from gateway.billing.balance.low_balance import Thresholds
from gateway.billing.book import Book, lock_accounts
from gateway.billing.zone_changes import put_zone
from gateway.clock import Clock
from gateway.errors import BadUserInput, Conflict, NotFound
from gateway.ids import KeyFactory, receipt_prefix
from gateway.models import LowBalance
from gateway.money import checked, minor_digits
from gateway.principal import Actor, Role
from gateway.store import Transaction, accounts, purchases
from gateway.store.accounts import AccountChange, NewAccount
from gateway.store.buyers import BillingDetails, dump_billing, parse_billing
from gateway.store.engine.database import CUSTOMER_TAKEN
from gateway.store.rows import LockedAccount
from gateway.windows import USAGE_DELAY_SECONDS, zone


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """Facts of an account as the platform states them. `members` are (subject, role); None leaves
    the stored list, `keeps_customer` the stored Stripe customer, and `keeps_billing` the buyer's
    stored details. Thresholds are nanos and days.
    """

    external_id: str
    name: str
    currency: str
    time_zone: str = "UTC"
    members: Sequence[tuple[str, Role]] | None = None
    stripe_customer_id: str | None = None
    keeps_customer: bool = False
    billing: BillingDetails | None = None
    keeps_billing: bool = True
    low_balance_nanos: int | None = None
    low_balance_days: int | None = None
    created_at: datetime | None = None


MAX_DAYS: Final = 3660
"""The furthest day for which a low balance is foretold: runways end after ten years."""

SUBJECT_LIMIT: Final = 255
"""Characters of a member's subject, and of a customer's id at Stripe."""


async def put_account(
    transaction: Transaction,
    facts: AccountFacts,
    *,
    actor: Actor,
    clock: Clock,
    keys: KeyFactory,
    usage_delay_seconds: int = USAGE_DELAY_SECONDS,
) -> int:
    """Make the account or change it to what the facts say; members that they name replace the
    list. Return the account's key.

    Another time zone is the account's at once where it has few facts, else it is pending until a
    job has made the roll-ups of its days. The low-balance state follows the new thresholds. Raises
    NotFound for an account that the actor may not write to; BadUserInput for an unknown currency or
    zone and for a text of another length than allowed; Conflict for another currency once there is
    a ledger entry or a purchase, and for another account's Stripe customer.
    """
    account_id = await _find(transaction, facts.external_id)
    if not actor.may_write(account_id):
        raise NotFound("This API key may change its own account only.")
    _check(facts)
    await _check_customer(transaction, facts, account_id)
    made: list[Act] = []
    if account_id is None:
        new = _new_account(facts, clock=clock, keys=keys)
        await accounts.insert(transaction, new)
        # A concurrent request may have created the same account first.
        account_id = await _find(transaction, facts.external_id)
        await _check_customer(transaction, facts, account_id)
        assert account_id is not None  # noqa: S101  # one of both has made it
        if account_id == new.account_id:
            made.append(_made(new))
    changed = await _change(transaction, account_id, facts, keys)
    await record(transaction, actor, [*made, *changed], clock=clock)
    await put_thresholds(
        transaction,
        account_id,
        Thresholds(facts.low_balance_nanos, facts.low_balance_days),
        actor=actor,
        clock=clock,
        keys=keys,
        usage_delay_seconds=usage_delay_seconds,
    )
    if facts.members is not None:
        acts = await _replace_members(transaction, account_id, dict(facts.members), clock)
        await record(transaction, actor, acts, clock=clock)
    return account_id


def _made(account: NewAccount) -> Act:
    facts = {
        "name": account.name,
        "currency": account.currency,
        "timeZone": account.time_zone,
        "stripeCustomerId": account.stripe_customer_id,
    }
    return Act(Deed.ACCOUNT_CREATED, account.account_id, account.external_id, facts)


async def _replace_members(
    transaction: Transaction, account_id: int, members: Mapping[str, Role], clock: Clock
) -> list[Act]:
    """Replace the list of members; return the acts, one for each member that changes."""
    stored = await accounts.list_members(transaction, account_id)
    before = {row["subject"]: Role(row["role"]) for row in stored}
    await accounts.replace_members(transaction, account_id, members, clock.now())
    removed = [
        Act(Deed.MEMBER_REMOVED, account_id, subject, {"role": role})
        for subject, role in before.items()
        if subject not in members
    ]
    put = (_put(account_id, each, before.get(each), role) for each, role in members.items())
    return [*removed, *filter(None, put)]


def _put(account_id: int, subject: str, before: Role | None, role: Role) -> Act | None:
    """Return the act of giving a subject a role; None if the subject has the role already."""
    if before is None:
        return Act(Deed.MEMBER_ADDED, account_id, subject, {"role": role})
    if before is role:
        return None
    return Act(Deed.MEMBER_CHANGED, account_id, subject, _difference(before, role))


def _difference(before: object, after: object) -> Mapping[str, object]:
    return {"from": before, "to": after}


async def put_thresholds(
    transaction: Transaction,
    account_id: int,
    thresholds: Thresholds,
    *,
    actor: Actor,
    clock: Clock,
    keys: KeyFactory,
    usage_delay_seconds: int = USAGE_DELAY_SECONDS,
) -> LowBalance | None:
    """Warn an account at these thresholds from now on, and return whether its balance is low now.

    Changed thresholds start fresh: the margin of the old thresholds no longer applies. Raises
    BadUserInput for an invalid threshold and NotFound for a missing account.
    """
    _check_thresholds(thresholds)
    book = await Book.open(
        transaction,
        [account_id],
        actor=actor,
        clock=clock,
        keys=keys,
        usage_delay_seconds=usage_delay_seconds,
    )
    account = book.accounts[account_id]
    others = account.thresholds != thresholds
    if others:
        await accounts.set_thresholds(transaction, account_id, *thresholds)
        details = _difference(_shown(account.thresholds), _shown(thresholds))
        book.acts.append(Act(Deed.LOW_BALANCE_CHANGED, account_id, details=details))
        account.thresholds = thresholds
    book.part(LowBalances).reassess(account_id, reset=others)
    await book.close()
    return account.low


def _shown(thresholds: Thresholds) -> Mapping[str, object]:
    return {"nanos": thresholds.nanos, "days": thresholds.days}


async def put_member(
    transaction: Transaction,
    account_ids: Collection[int],
    subject: str,
    role: Role,
    *,
    actor: Actor,
    clock: Clock,
) -> None:
    """Make a person a member of accounts; a member gets the role. Raises NotFound for an account
    that does not exist or that the actor may not write to.
    """
    locked = await lock_accounts(transaction, account_ids, actor)
    roles = await accounts.roles_of(transaction, list(locked), subject)
    await accounts.put_member(transaction, list(locked), subject, role, clock.now())
    acts = (_put(each, subject, roles.get(each), role) for each in locked)
    await record(transaction, actor, [*filter(None, acts)], clock=clock)


async def remove_member(
    transaction: Transaction, account_id: int, subject: str, *, actor: Actor, clock: Clock
) -> bool:
    """Remove a member; return False where the person is no member. Raises NotFound for an account
    that does not exist or that the actor may not write to.
    """
    await lock_accounts(transaction, [account_id], actor)
    role = await accounts.remove_member(transaction, account_id, subject)
    if role is None:
        return False
    act = Act(Deed.MEMBER_REMOVED, account_id, subject, {"role": role})
    await record(transaction, actor, [act], clock=clock)
    return True


async def _find(transaction: Transaction, external_id: str) -> int | None:
    found = await accounts.by_external_id(transaction, [external_id])
    return found[0]["account_id"] if found else None


async def _check_customer(
    transaction: Transaction, facts: AccountFacts, account_id: int | None
) -> None:
    if facts.stripe_customer_id is not None:
        for owner in await accounts.by_customer(transaction, facts.stripe_customer_id):
            if owner["account_id"] != account_id:
                raise Conflict(CUSTOMER_TAKEN)


def _check(facts: AccountFacts) -> None:
    zone(facts.time_zone)
    minor_digits(facts.currency, argument="currency")
    _check_length("external_id", facts.external_id, 200)
    _check_length("name", facts.name, 200)
    if facts.stripe_customer_id is not None:
        _check_length("stripe_customer_id", facts.stripe_customer_id, SUBJECT_LIMIT)
    subjects = [subject for subject, _ in facts.members or ()]
    for subject in subjects:
        _check_length("members", subject, SUBJECT_LIMIT)
    if len(set(subjects)) != len(subjects):
        raise BadUserInput("Each subject may appear only once in `members`.", argument="members")
    _check_thresholds(Thresholds(facts.low_balance_nanos, facts.low_balance_days))


def _check_thresholds(thresholds: Thresholds) -> None:
    nanos, days = thresholds
    if nanos is not None:
        checked(nanos, argument="low_balance_nanos")
    if days is not None and not 0 < days <= MAX_DAYS:
        raise BadUserInput(
            f"low_balance_days must be from 1 to {MAX_DAYS}.", argument="low_balance_days"
        )


def _check_length(name: str, text: str, limit: int) -> None:
    if not 0 < len(text) <= limit:
        raise BadUserInput(f"{name} must have 1 to {limit} characters.", argument=name)


def _new_account(facts: AccountFacts, *, clock: Clock, keys: KeyFactory) -> NewAccount:
    created_at = facts.created_at or clock.now()
    return NewAccount(
        account_id=keys.new(),
        external_id=facts.external_id,
        name=facts.name,
        currency=facts.currency,
        time_zone=facts.time_zone,
        receipt_prefix=receipt_prefix(keys.draw),
        stripe_customer_id=facts.stripe_customer_id,
        balance_nanos=0,
        ledger_version=0,
        balance_at=created_at,
        low_balance=None,
        low_balance_nanos=None,
        low_balance_days=None,
        deployment_count=0,
        revision=0,
        created_at=created_at,
        billing=dump_billing(facts.billing),
    )


async def _change(
    transaction: Transaction, account_id: int, facts: AccountFacts, keys: KeyFactory
) -> list[Act]:
    """Replace an account's facts; return the acts."""
    (locked,) = await accounts.lock(transaction, [account_id])
    if locked["currency"] != facts.currency and (
        locked["ledger_version"] or await purchases.exist(transaction, account_id)
    ):
        raise Conflict(
            f"The account's currency is {locked['currency']} and cannot change: the account has "
            "ledger entries or purchases."
        )
    change = AccountChange(
        name=facts.name,
        currency=facts.currency,
        stripe_customer_id=(
            locked["stripe_customer_id"] if facts.keeps_customer else facts.stripe_customer_id
        ),
        billing=locked["billing"] if facts.keeps_billing else dump_billing(facts.billing),
    )
    await accounts.change(transaction, account_id, change)
    await put_zone(transaction, locked, facts.time_zone, keys)
    return list(_changes(locked, change, facts.time_zone))


def _changes(before: LockedAccount, after: AccountChange, time_zone: str) -> Iterator[Act]:
    account_id, name = before["account_id"], before["external_id"]
    changed = {
        label: _difference(old, new)
        for label, old, new in (
            ("name", before["name"], after.name),
            ("currency", before["currency"], after.currency),
            ("stripeCustomerId", before["stripe_customer_id"], after.stripe_customer_id),
            ("billing", parse_billing(before["billing"]), parse_billing(after.billing)),
        )
        if old != new
    }
    if changed:
        yield Act(Deed.ACCOUNT_CHANGED, account_id, name, changed)
    zone_before = before["pending_time_zone"] or before["time_zone"]
    if zone_before != time_zone:
        moved = _difference(zone_before, time_zone)
        yield Act(Deed.TIME_ZONE_CHANGED, account_id, name, moved)
