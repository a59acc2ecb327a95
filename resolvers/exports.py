"""Signs links to exports with the filter or window of a field."""

from collections.abc import Collection
from typing import Annotated, TypeAlias

import strawberry

from gateway.exports.export import ExportFormat
from gateway.exports.request import Parameters
from gateway.exports.writers import check_offered
from resolvers.context import Info

Format: TypeAlias = Annotated[
    ExportFormat, strawberry.argument(name="format", description="The format of the file.")
]


def sign_export(
    info: Info,
    path: str,
    account_id: int,
    format_: ExportFormat,
    parameters: Parameters,
    writers: Collection[ExportFormat],
) -> str:
    """Return the link; raises BadUserInput for a format that is not offered."""
    check_offered(format_, writers)
    return info.context.links.sign(path, account_id, {"format": format_, **parameters})
