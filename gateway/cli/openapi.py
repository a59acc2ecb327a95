"""`gateway openapi`: prints the description of the REST API, as JSON or as `docs/api.md`."""

from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from gateway.cli.messages import complain
from gateway.routes.openapi.document import build_document
from gateway.routes.openapi.markdown import print_api
from gateway.routes.openapi.surface import SURFACE
from gateway.settings import Settings

API_FILE: Final = Path("docs/api.md")


def openapi(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for docs/api.md.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether docs/api.md is up to date.")
    ] = False,
) -> None:
    """Print the REST API as OpenAPI 3.1, with default limits."""
    settings = Settings.model_construct()
    if check:
        if not API_FILE.exists() or API_FILE.read_text("utf-8") != print_api(settings):
            complain(
                f"{API_FILE} is not what the code says: gateway openapi --markdown > {API_FILE}"
            )
            raise typer.Exit(1)
    elif markdown:
        typer.echo(print_api(settings), nl=False)
    else:
        document = build_document(SURFACE, settings)
        typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
