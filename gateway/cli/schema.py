"""`gateway schema`: prints the GraphQL schema."""

from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.cli.messages import fail
from resolvers.schema import build_schema, print_schema_file

SCHEMA_FILE: Final = Path("schema.graphql")


def schema(
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether schema.graphql is up to date.")
    ] = False,
    federation: Annotated[
        bool,
        typer.Option("--federation", help="Print the schema as an Apollo Federation subgraph."),
    ] = False,
) -> None:
    """Print the GraphQL schema, for schema.graphql."""
    text = build_schema(federation=True).as_str() if federation else print_schema_file()
    if not check:
        typer.echo(text, nl=False)
    elif not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text("utf-8") != text:
        fail("schema.graphql is not what the code says: gateway schema > schema.graphql")
