"""Identifies charges: equal digests of two rows mean the same charge.

Clouds export a month to date every day, and write the same charge in another way: tags in another
order, an invoice's number that is filled in later, `1.0000` for `1.00`. So rows are compared by
what they charge, as values:

    usage        account, deployment, resource, unit, quantity, cost, whether it is a correction,
                 provider, GPU model, region, service, SKU, start and end of the charge period
    adjustment   account, category, description, cost, start of the charge period

An account has one currency. Quantities and costs count as they are booked, rounded to the nano.
Tags, a project, names, the invoice, the billing period and everything else of the bill are no part:
they may change and charge nothing. A description is part of an adjustment alone, because nothing
else of it is kept that tells one tax from another. Equal rows of one file are separate charges.

The digest is BLAKE2b of 16 bytes over these values as a JSON list: instants in microseconds since
1970, numbers in nanos as text.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

import orjson

from gateway.exports.focus.imports.rows import FocusRow
from gateway.models.base import microseconds_from_instant
from gateway.store.imported_charges import CountedCharges, ImportedChargeRow

_BYTES: Final = 16
_BUCKET_BITS: Final = 12
_MICROSECOND: Final = timedelta(microseconds=1)


def digest_of(row: FocusRow) -> bytes:
    """Return the digest of a row: 16 bytes, equal for equal charges."""
    start = microseconds_from_instant(row.started_at)
    if not row.is_usage:
        return _digest((row.account_external_id, row.description, str(row.adjustment_nanos), start))
    return _digest(
        (
            row.account_external_id,
            row.deployment_external_id,
            row.resource.value,
            row.unit,
            str(row.quantity_nanos),
            str(row.cost_nanos),
            row.correction,
            row.provider,
            row.gpu_model,
            row.region,
            row.service,
            row.sku,
            start,
            microseconds_from_instant(row.ended_at),
        )
    )


def event_id_of(row: FocusRow, digest: bytes, ordinal: int, restatement: int) -> str:
    """Return the id of the `ordinal`-th row (from 1) with this digest, after a number of
    restatements of the account.
    """
    id_ = _digest((digest.hex(), row.issuer, row.billing_account)).hex()
    if ordinal > 1:
        id_ = f"{id_}-{ordinal}"
    return f"{id_}-restated-{restatement}" if restatement else id_


def correction_id_of(event_id: str, restatement: int) -> str:
    """Return the id of the row that takes another one back in an account's restatement."""
    return f"{event_id}-corrected-{restatement}"


def _digest(values: tuple[object, ...]) -> bytes:
    return blake2b(orjson.dumps(values), digest_size=_BYTES).digest()


class ChargeDigests:
    """Counts digests, in little more than 16 bytes per row."""

    def __init__(self) -> None:
        self._buckets: defaultdict[int, bytearray] = defaultdict(bytearray)

    def add(self, digest: bytes) -> bool:
        """Add a digest; return whether the digest was already counted."""
        bucket = self._bucket(digest)
        found = _find(bucket, digest) is not None
        bucket.extend(digest)
        return found

    def take(self, digest: bytes) -> bool:
        """Remove a digest once; return whether the digest was counted."""
        bucket = self._bucket(digest)
        at = _find(bucket, digest)
        if at is None:
            return False
        bucket[at : at + _BYTES] = bucket[-_BYTES:]
        del bucket[-_BYTES:]
        return True

    def _bucket(self, digest: bytes) -> bytearray:
        return self._buckets[int.from_bytes(digest[:2], "big") >> (16 - _BUCKET_BITS)]


def _find(bucket: bytearray, digest: bytes) -> int | None:
    at = bucket.find(digest)
    while at > 0 and at % _BYTES:
        at = bucket.find(digest, at + 1)
    return None if at < 0 else at


class Scope(NamedTuple):
    """The owner of a row's charge: an account, identified by the provider and the provider's
    account.
    """

    account: str
    issuer: str
    billing_account: str


@dataclass(slots=True)
class Coverage:
    """A file's span: all charges of its scopes from the first instant to the last."""

    scopes: set[Scope] = field(default_factory=set)
    providers: set[tuple[str, str]] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def add(self, row: FocusRow) -> None:
        """Extend the span by a row."""
        account = row.account_external_id
        self.scopes.add(Scope(account, row.issuer, row.billing_account))
        self.providers |= {(account, row.issuer), (account, row.provider or "")}
        last = max(row.started_at, row.ended_at - _MICROSECOND)
        self.first = row.started_at if self.first is None else min(self.first, row.started_at)
        self.last = last if self.last is None else max(self.last, last)

    @property
    def end(self) -> datetime | None:
        """The instant after the last one."""
        return self.last and self.last + _MICROSECOND

    def has(self, account: str, charge: CountedCharges | ImportedChargeRow) -> bool | None:
        """Return whether a stored charge of the span belongs to the file; None where that is
        unknown. What an earlier version imported has no billing account, and may have no issuer.
        """
        issuer, billing_account = charge["issuer"], charge["billing_account"]
        if issuer is None:
            return None
        if billing_account is not None:
            return Scope(account, issuer, billing_account) in self.scopes
        return not issuer or (account, issuer) in self.providers
