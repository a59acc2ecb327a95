"""`gateway token`, and the file of the demo's tokens."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.resources import read_settings
from gateway.clock import Clock, SystemClock
from gateway.dev.demo.people import Person
from gateway.dev.keys import dev_key
from gateway.dev.people import TOKENS_FILE
from gateway.dev.tokens import mint
from gateway.settings import Settings


def token(
    subject: Annotated[
        str, typer.Argument(help="Subject of the token, as in the list of members.")
    ],
) -> None:
    """Print a dev token for a subject; production refuses dev tokens."""
    typer.echo(mint(dev_key(read_settings(dev=True).data_dir), subject, SystemClock()))


def write_dev_tokens(settings: Settings, people: Sequence[Person], clock: Clock) -> Path:
    """Write the demo people, each with a token, to `dev-tokens.json`, mode 0600; return its
    path.
    """
    key = dev_key(settings.data_dir)
    content = {
        "graphqlUrl": f"{settings.base_url}/graphql",
        "people": [
            {
                "name": person.name,
                "subject": person.subject,
                "token": mint(key, person.subject, clock),
                "accounts": [{"id": each.id, "name": each.name} for each in person.accounts],
            }
            for person in people
        ],
    }
    path = settings.data_dir / TOKENS_FILE
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=settings.data_dir, prefix=f".{TOKENS_FILE}-", delete=False
    ) as draft:
        json.dump(content, draft, ensure_ascii=False, indent=2)
    Path(draft.name).replace(path)
    return path
