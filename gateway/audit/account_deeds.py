"""The deeds that an account's owners read, and what they read of each: nothing of the platform's
own affairs.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.audit.deeds import Deed
from gateway.ids import MAX_KEY
from gateway.money import format_amount
from gateway.principal import ActorKind
from gateway.store import Selection
from gateway.store.engine.stored_json import loads

DEEDS: Final = (
    Deed.ACCOUNT_CREATED,
    Deed.ACCOUNT_CHANGED,
    Deed.TIME_ZONE_CHANGED,
    Deed.LOW_BALANCE_CHANGED,
    Deed.MEMBER_ADDED,
    Deed.MEMBER_CHANGED,
    Deed.MEMBER_REMOVED,
    Deed.API_KEY_CREATED,
    Deed.API_KEY_REVOKED,
    Deed.CREDIT_GIVEN,
    Deed.BALANCE_ADJUSTED,
)
MOST_CHANGES: Final = 8

_SUBJECTS: Final = {Deed.TIME_ZONE_CHANGED: "timeZone", Deed.MEMBER_CHANGED: "role"}
"""The fact that a deed changes, where its details do not name it."""
_FACTS: Final = frozenset(
    (
        *("name", "currency", "timeZone", "billing", "role", "scopes", "expiresAt", "kind"),
        *("amount", "days"),
    )
)
"""The facts that are shown. The Stripe customer is not the owners' affair."""
_ENDS: Final = frozenset((Deed.MEMBER_REMOVED, Deed.API_KEY_REVOKED))


class AccountActorKind(StrEnum):
    """The kinds of actors, as an account's owners see them."""

    PERSON = "PERSON"
    API_KEY = "API_KEY"
    PLATFORM = "PLATFORM"


class Change(NamedTuple):
    """A fact before and after a deed; null where there was none."""

    name: str
    before: str | None
    after: str | None


def select_deeds(account_id: int) -> Selection:
    """Return all events of an account that its owners read."""
    return Selection(
        scope=(account_id,),
        lower=(-1,),
        upper=(MAX_KEY,),
        conditions=(("done", ()),),
        parameters=(("deeds", tuple(each.value for each in DEEDS)),),
    )


def actor_kind(kind: str, account_id: int, own_account: int | None) -> AccountActorKind:
    """Return the kind of an event's actor: an API key is the account's own, or the platform."""
    if kind == ActorKind.PERSON:
        return AccountActorKind.PERSON
    is_own = kind == ActorKind.API_KEY and own_account == account_id
    return AccountActorKind.API_KEY if is_own else AccountActorKind.PLATFORM


def actor_name(kind: str, account_id: int, own_account: int | None, name: str) -> str | None:
    """Return a person's subject, or the id of the account's own API key; None for the platform."""
    is_platform = actor_kind(kind, account_id, own_account) is AccountActorKind.PLATFORM
    return None if is_platform else name


def changes(deed: str, details: str | None, currency: str) -> list[Change]:
    """Return the facts in an event's details that owners read, at most MOST_CHANGES."""
    found = {} if details is None else loads(details)
    shown = (each for each in _changes(Deed(deed), found, currency) if each.name in _FACTS)
    return [*shown][:MOST_CHANGES]


def _changes(deed: Deed, details: Mapping[str, object], currency: str) -> Iterator[Change]:
    if details.keys() == {"from", "to"}:
        before, after = details["from"], details["to"]
        if deed is Deed.LOW_BALANCE_CHANGED:
            yield from _thresholds(before, after, currency)
        else:
            yield Change(_SUBJECTS.get(deed, ""), _text(before), _text(after))
        return
    for name, value in details.items():
        if isinstance(value, Mapping) and value.keys() == {"from", "to"}:
            yield Change(name, _text(value["from"]), _text(value["to"]))
        elif deed in _ENDS:
            yield Change(name, _text(value), None)
        else:
            yield Change(name, None, _text(value))


def _thresholds(before: object, after: object, currency: str) -> Iterator[Change]:
    assert isinstance(before, Mapping)  # noqa: S101  # narrows for the type checker
    assert isinstance(after, Mapping)  # noqa: S101  # as above
    for name, key in (("amount", "nanos"), ("days", "days")):
        if before[key] != after[key]:
            was, will = (
                format_amount(each[key], currency)
                if key == "nanos" and each[key] is not None
                else _text(each[key])
                for each in (before, after)
            )
            yield Change(name, was, will)


def _text(value: object) -> str | None:
    """Return a value as text; the texts of several, such as a buyer's details, by commas."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        value = [*value.values()]
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    return str(value)
