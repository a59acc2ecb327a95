"""A process that changes an account's time zone, to be killed: `python -m tests.support.zone_steps
URL ACCOUNT`. It prints a line after each step.
"""

import asyncio
import sys

from pydantic import SecretStr

from gateway.billing import zone_changes
from gateway.billing.zone_changes import ZoneChanges
from gateway.settings import load_settings
from gateway.store import connect
from tests.support.jobs import OUTBOX


async def main(url: str, account_id: int) -> None:
    zone_changes.PIECE_EVENTS = 1  # type: ignore[misc]  # so that there are many steps
    database = await connect(load_settings(database_url=SecretStr(url)))
    changes = ZoneChanges(database, OUTBOX)
    while not (await changes.step(account_id)).is_last:
        print("step", flush=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
