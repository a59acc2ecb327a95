"""The command line: `gateway --help`.

Exit codes: 0 done, 1 not done (the reason on standard error), 2 a setting or an argument is
wrong or the port is taken, 130 and 143 broken off by Ctrl-C or SIGTERM.
"""

import gc
from typing import Final

import typer

from gateway.cli.accounts import account
from gateway.cli.api_keys import api_key
from gateway.cli.demo import demo
from gateway.cli.dev_tokens import token
from gateway.cli.doctor import doctor
from gateway.cli.exports import export
from gateway.cli.import_focus import import_focus_file
from gateway.cli.jobs import jobs
from gateway.cli.messages import complain
from gateway.cli.migrate import migrate
from gateway.cli.openapi import openapi
from gateway.cli.row_security import row_security
from gateway.cli.schema import schema
from gateway.cli.serve import serve
from gateway.cli.settings import settings
from gateway.cli.stripe import stripe, stripe_backfill
from gateway.errors import BadUserInput, ConfigurationError, GatewayError
from gateway.exports.focus.imports.reader import FocusRejected

GC_THRESHOLD: Final = 200_000

app = typer.Typer(
    help="Billing & Usage: a GraphQL gateway for prepaid compute.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command()(serve)
app.command()(migrate)
app.command("row-security")(row_security)
app.command()(demo)
app.command("import-focus")(import_focus_file)
app.command()(token)
app.add_typer(account, name="account")
app.add_typer(api_key, name="api-key")
app.add_typer(export, name="export")
app.add_typer(jobs, name="jobs")
app.add_typer(stripe, name="stripe")
app.command("stripe-backfill")(stripe_backfill)
app.command()(doctor)
app.command()(schema)
app.command()(openapi)
app.command()(settings)


def main() -> None:
    """Run the command line; print expected errors as one sentence, without a traceback."""
    # Bulk work keeps much for a moment and makes few cycles; the server sets its own threshold.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    try:
        app()
    except FocusRejected as error:
        _exit("\n".join([error.message, *map(str, error.errors)]), 1)
    except (ConfigurationError, BadUserInput) as error:
        _exit(error.message, 2)
    except GatewayError as error:
        _exit(error.message, 1)


def _exit(message: str, code: int) -> None:
    complain(message)
    raise SystemExit(code)
