"""`python -m tests.support.webhook_process [die]`: the gateway as a process of its own.

With `die` it kills itself after the commit of a charge, before the answer.
"""

import os
import signal
import sys
from contextlib import nullcontext
from unittest.mock import patch

from gateway.app import create_app
from gateway.observability.logs import configure_logging
from gateway.providers.stripe.inbox import Inbox, Outcome
from gateway.server.process import serve
from gateway.settings import load_settings

take = Inbox.receive


async def take_and_die(inbox: Inbox, body: bytes, signature: str) -> Outcome:
    outcome = await take(inbox, body, signature)
    if b"charge.succeeded" in body:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome


if __name__ == "__main__":
    settings = load_settings()
    configure_logging("error", pretty=False)
    dying = patch.object(Inbox, "receive", take_and_die) if "die" in sys.argv else nullcontext()
    with dying:
        sys.exit(serve(create_app(settings), settings))
