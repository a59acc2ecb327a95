"""`GET /exports/documents`: a year's receipts, credit notes and statements as one ZIP file."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import ClassVar

from gateway.errors import BadUserInput, NotFound
from gateway.exports.export import FilePart
from gateway.exports.file_names import documents_name
from gateway.exports.open import Opened
from gateway.exports.request import Parameters
from gateway.http.query import refuse_unknown
from gateway.links import DOCUMENTS_PATH
from gateway.principal import Principal, Role
from gateway.quotas.rate import DOCUMENT_POINTS
from gateway.receipts.archive import MEDIA_TYPE, Archive
from gateway.receipts.pdf import ReceiptPrinter
from gateway.routes.exports import ExportEndpoint, Exports
from gateway.store.engine.stream import Stream
from gateway.store.rows import VisibleAccount
from gateway.windows import checked_year, zone


class DocumentsExport(ExportEndpoint):
    """`year`: one of the account's time zone."""

    PATH: ClassVar = DOCUMENTS_PATH

    def __init__(self, parts: Exports, printer: ReceiptPrinter) -> None:
        super().__init__(parts)
        self._printer = printer

    async def begin(
        self,
        stream: Stream,
        principal: Principal,
        account: VisibleAccount,
        parameters: dict[str, str],
        details: dict[str, object],
    ) -> Opened:
        refuse_unknown(parameters, ("account", "year"))
        year = _read_year(parameters)
        archive = Archive(
            stream,
            principal,
            self._printer,
            account_id=account["account_id"],
            year=year,
            zone=zone(account["time_zone"]),
        )
        count = await archive.count()
        if not count:
            raise NotFound(f"The account has no documents of {year}.")
        return Opened(
            name=documents_name(account["external_id"], year),
            rows=count,
            media_type=MEDIA_TYPE,
            parts=partial(_parts, archive),
        )

    async def charge(self, key: str, rows: int) -> None:
        await self.parts.points.take(key, rows * DOCUMENT_POINTS)

    def check(self, account: VisibleAccount) -> None:
        Role(account["role"]).require_purchases()


async def _parts(archive: Archive) -> AsyncGenerator[FilePart]:
    async with aclosing(archive.parts()) as parts:
        async for content, rows in parts:
            yield FilePart(content, rows)


def _read_year(parameters: Parameters) -> int:
    text = parameters.get("year", "")
    if not (text.isascii() and text.isdecimal() and len(text) == len("2026")):
        raise BadUserInput("`year` is required: four digits, such as 2026.", argument="year")
    return checked_year(int(text))
