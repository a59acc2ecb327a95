"""Posts credit that the platform requests; a repeated request has no further effect."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

import orjson

from gateway.audit.deeds import Act, Deed
from gateway.billing.book import Book
from gateway.billing.credits.posting import adjust_balance, grant_credit
from gateway.billing.ledger.source_key import SourceKey
from gateway.clock import Clock
from gateway.errors import BadUserInput, Conflict, NotFound, OutOfRange
from gateway.ids import KeyFactory, encode_global_id
from gateway.models import CreditPurchaseKind
from gateway.money import MAX_NANOS, format_amount
from gateway.principal import Actor
from gateway.store import Transaction, accounts, idempotency
from gateway.store.idempotency import AnsweredRequest

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""How far the sender's clock may be ahead of ours."""


class CreditKind(StrEnum):
    """Kinds of credit; an adjustment may be negative, all other kinds are positive."""

    COUPON = "COUPON"
    MANUAL_CREDIT = "MANUAL_CREDIT"
    TRIAL_GRANT = "TRIAL_GRANT"
    ADJUSTMENT = "ADJUSTMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRequest:
    """A credit in nanos for an account by its external id. Default time: now."""

    account: str
    kind: CreditKind
    amount: int
    currency: str
    description: str | None = None
    occurred_at: datetime | None = None

    @property
    def fingerprint(self) -> bytes:
        """A digest of 16 bytes: equal only for equal requests."""
        return blake2b(orjson.dumps(self), digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditResult:
    """The result of a credit: the global id of its purchase or the version of its ledger entry,
    and the balance after it in nanos.
    """

    purchase_id: str | None
    version: int | None
    balance: int
    currency: str


class RecordedCredit(NamedTuple):
    """The result of a request; `is_new` unless it was sent before."""

    result: CreditResult
    is_new: bool


async def credit_once(
    transaction: Transaction,
    request: CreditRequest,
    key: str,
    *,
    actor: Actor,
    clock: Clock,
    keys: KeyFactory,
    usage_delay_seconds: int,
) -> RecordedCredit:
    """Post the credit, or find the result of the same request.

    Raises NotFound for an account that is unknown or that the actor may not write to, Conflict
    where `key` came with another request, BadUserInput for an amount, currency or instant that is
    not allowed, OutOfRange for a balance beyond its range.
    """
    account_id = await _find(transaction, request.account, actor)
    book = await Book.open(
        transaction,
        [account_id],
        actor=actor,
        clock=clock,
        keys=keys,
        usage_delay_seconds=usage_delay_seconds,
    )
    # Read under the account's lock, so that of two equal requests at once one waits for the other.
    known = await idempotency.by_key(transaction, account_id, key)
    if known is not None:
        if bytes(known.fingerprint) != request.fingerprint:
            raise Conflict("This Idempotency-Key was already used for a different credit.")
        return RecordedCredit(CreditResult(**orjson.loads(known.response)), is_new=False)
    result = _post_credit(book, account_id, request, key)
    book.acts.append(_act(account_id, request, result))
    await book.close()
    answered = AnsweredRequest(
        account_id=account_id,
        key=key,
        fingerprint=request.fingerprint,
        response=orjson.dumps(result).decode("utf-8"),
        created_at=book.now,
    )
    await idempotency.insert(transaction, answered)
    return RecordedCredit(result, is_new=True)


def _act(account_id: int, request: CreditRequest, result: CreditResult) -> Act:
    is_adjustment = request.kind is CreditKind.ADJUSTMENT
    details: dict[str, object] = {
        "kind": request.kind,
        "amount": format_amount(request.amount, request.currency),
        "currency": request.currency,
    }
    if is_adjustment:
        details["ledgerVersion"] = result.version
    deed = Deed.BALANCE_ADJUSTED if is_adjustment else Deed.CREDIT_GIVEN
    return Act(deed, account_id, result.purchase_id, details)


async def _find(transaction: Transaction, external_id: str, actor: Actor) -> int:
    for row in await accounts.by_external_id(transaction, [external_id]):
        account_id: int = row["account_id"]
        if actor.may_write(account_id):
            return account_id
    raise NotFound("Account not found, or this API key has no access to it.")


def _post_credit(book: Book, account_id: int, request: CreditRequest, key: str) -> CreditResult:
    account = book.accounts[account_id]
    occurred_at = request.occurred_at or book.now
    _check(request, account.currency, occurred_at, book.now + FUTURE_TOLERANCE)
    _check_balance(account.balance + request.amount, account.currency)
    purchase_id = version = None
    if request.kind is CreditKind.ADJUSTMENT:
        version = adjust_balance(
            book,
            account_id,
            request.amount,
            source=SourceKey.adjustment(key),
            occurred_at=occurred_at,
            description=request.description,
        )
    else:
        purchase = grant_credit(
            book,
            account_id,
            CreditPurchaseKind(request.kind),
            request.amount,
            currency=request.currency,
            occurred_at=occurred_at,
            description=request.description,
        )
        purchase_id = encode_global_id("CreditPurchase", account_id, purchase.id)
    return CreditResult(
        purchase_id=purchase_id,
        version=version,
        balance=account.balance,
        currency=account.currency,
    )


def _check(request: CreditRequest, currency: str, occurred_at: datetime, latest: datetime) -> None:
    if request.currency != currency:
        raise BadUserInput(
            f"The account's currency is {currency}; amounts are not converted.", argument="currency"
        )
    if request.amount == 0 or (request.amount < 0 and request.kind is not CreditKind.ADJUSTMENT):
        raise BadUserInput(
            "`amount` must be greater than zero; only an ADJUSTMENT may be negative.",
            argument="amount",
        )
    if occurred_at > latest:
        raise BadUserInput("`occurredAt` must not be in the future.", argument="occurredAt")


def _check_balance(balance: int, currency: str) -> None:
    if not -MAX_NANOS <= balance <= MAX_NANOS:
        most = format_amount(MAX_NANOS, currency)
        raise OutOfRange(
            f"With this `amount` the balance would leave the range of -{most} to {most}.",
            argument="amount",
        )
