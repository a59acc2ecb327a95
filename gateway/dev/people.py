"""The demo's people on dev's pages, each with a fresh token."""

from pathlib import Path
from typing import Final

import orjson

from gateway.clock import Clock
from gateway.dev.keys import dev_key
from gateway.dev.tokens import mint
from gateway.routes.console import DevAccount, DevPerson

TOKENS_FILE: Final = "dev-tokens.json"


def read_people(data_dir: Path, clock: Clock) -> list[DevPerson]:
    """Return the people of the file of dev tokens with new tokens; none where the file does not
    exist.
    """
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
