"""Limits of GraphQL documents and their answers, and the documents that are trusted."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from gateway.settings.group import Group, Named
from gateway.settings.values import Limit


class DocumentSettings(Group):
    """Limits of GraphQL documents and their answers, and the documents that are trusted."""

    PREFIX: ClassVar = "document_"

    operation_seconds: Annotated[Limit[float], Named("operation_seconds")] = Field(
        10, gt=0, le=300, description="Longest run of an operation; then `TIMEOUT`."
    )
    length: Limit[int] = Field(
        65_536, ge=1, le=1_048_576, description="Longest GraphQL document, characters."
    )
    tokens: Limit[int] = Field(1_500, ge=1, le=100_000, description="Most tokens in a document.")
    comments: Limit[int] = Field(500, ge=0, le=100_000, description="Most comments in a document.")
    depth: Limit[int] = Field(
        10, ge=1, le=50, description="Deepest nesting of fields, fragments expanded."
    )
    introspection_depth: Limit[int] = Field(
        15, ge=1, le=50, description="Deepest nesting of fields in introspection."
    )
    aliases: Limit[int] = Field(
        30, ge=0, le=10_000, description="Most aliases in an operation, fragments expanded."
    )
    directives: Limit[int] = Field(
        50, ge=0, le=10_000, description="Most directives in a document."
    )
    operations: Limit[int] = Field(20, ge=1, le=1_000, description="Most operations in a document.")
    variables: Limit[int] = Field(
        100, ge=0, le=10_000, description="Most variables declared in a document."
    )
    fragments: Limit[int] = Field(100, ge=0, le=10_000, description="Most fragments in a document.")
    fields: Limit[int] = Field(
        2_500,
        ge=1,
        le=100_000,
        description="Most fields and fragments that an operation selects, fragments expanded.",
    )
    variable_values: Annotated[Limit[int], Named("variable_values")] = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="Most values in an operation's variables, lists and objects counted with "
        "their contents.",
    )
    operation_points: Annotated[Limit[int], Named("operation_points")] = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="Most points that an operation may cost: one for each object of its answer, "
        "amounts of money excepted. Computed before the operation runs.",
    )
    operation_rows: Annotated[Limit[int], Named("operation_rows")] = Field(
        150_000,
        ge=1_000,
        le=10_000_000,
        description="Most rows that an operation may load, estimated before it runs.",
    )
    answer_bytes: Annotated[Limit[int], Named("answer_bytes")] = Field(
        8_388_608,
        ge=65_536,
        le=268_435_456,
        description="Longest answer in bytes, estimated before the operation runs.",
    )
    answer_values: Annotated[Limit[int], Named("answer_values")] = Field(
        200_000, ge=1_000, description="Most scalars, objects and lists in an answer."
    )
    trusted_documents: Annotated[Path | None, Named("trusted_documents")] = Field(
        None,
        description="JSON file that maps the SHA-256 hash of each trusted document to the "
        "document. Clients may send the hash alone. The page's own documents are "
        "always trusted.",
    )
    trusted_only: Annotated[bool, Named("trusted_only")] = Field(
        False, description="Serve trusted documents only."
    )
