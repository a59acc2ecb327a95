"""npm's `oidc-provider` as the platform's OpenID provider: a process of its own, on Node.

Its packages are installed beside its source, once for each lock file; the start after that takes
half a second. `tests.support.openid` is the quicker one, without a form and without a session.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.support.npm import NODE, installed
from tests.support.openid import AUDIENCE, CLIENT, LONG
from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import ended

SERVER: Final = Path(__file__).parent / "openid_server"
PEOPLE: Final = {"ada@demo": "Ada Okonkwo"}


@asynccontextmanager
async def node_provider(
    origin: str,
    *,
    people: Mapping[str, str] = PEOPLE,
    client: str = CLIENT,
    audience: str = AUDIENCE,
    logout: bool = True,
    lifetime: int = LONG,
) -> AsyncIterator[str]:
    """Serve a provider on loopback that signs `people` (names by subject) in with any password;
    yields its issuer, whose keys are at `/jwks`.

    It knows one public client: the page at `origin`. Without `logout` its discovery document names
    no `end_session_endpoint`. Tokens hold for `lifetime` seconds.
    """
    await asyncio.to_thread(installed, SERVER)
    settings = {
        "client": client,
        "origin": origin,
        "audience": audience,
        "people": dict(people),
        "logout": logout,
        "lifetime": lifetime,
    }
    process = await asyncio.create_subprocess_exec(
        NODE,
        SERVER / "server.mjs",
        json.dumps(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield await _issuer(process)
    finally:
        await ended(process)


async def _issuer(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
    assert line, (await process.stderr.read()).decode()
    return line.decode().strip()
