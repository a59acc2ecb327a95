"""The demo's people, as far as their accounts are in a database."""

from dataclasses import dataclass
from typing import Final

from gateway.dev.demo.cast import NAMES, PLAYERS
from gateway.ids import encode_global_id
from gateway.principal import Actor
from gateway.store import Database, Snapshot, accounts

ACTOR: Final = Actor.operator("demo")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAccount:
    """An account that a person may read: its global id and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone with a token: `subject` is what members are called by."""

    name: str
    subject: str
    accounts: tuple[PersonAccount, ...]


async def find_people(database: Database) -> list[Person]:
    """Return the demo's people with those of their demo accounts that are there."""
    async with Snapshot(database, ACTOR) as snapshot:
        rows = await accounts.by_external_id(snapshot, [each.external_id for each in PLAYERS])
    found = {
        row["external_id"]: PersonAccount(
            id=encode_global_id("Account", row["account_id"]), name=row["name"]
        )
        for row in rows
    }
    return [
        Person(
            name=name,
            subject=subject,
            accounts=tuple(
                found[each.external_id]
                for each in PLAYERS
                if each.external_id in found and subject in dict(each.members)
            ),
        )
        for subject, name in NAMES.items()
    ]
