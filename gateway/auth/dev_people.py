"""The demo's people as pages in dev offer them, each with a token that is fresh."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from gateway.auth.dev import dev_key
from gateway.auth.tokens import mint
from gateway.clock import Clock

TOKENS_FILE: Final = "dev-tokens.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevAccount:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevPerson:
    """Someone of the demo, with a token that is ready to use."""

    name: str
    token: str
    accounts: tuple[DevAccount, ...]


def read_people(data_dir: Path, clock: Clock) -> list[DevPerson]:
    """Return the people of the file of dev tokens, none where it is not there; new tokens."""
    path = data_dir / TOKENS_FILE
    if not path.exists():
        return []
    key = dev_key(data_dir)
    return [
        DevPerson(
            name=person["name"],
            token=mint(key, person["subject"], clock),
            accounts=tuple(DevAccount(**account) for account in person["accounts"]),
        )
        for person in orjson.loads(path.read_bytes())["people"]
    ]
