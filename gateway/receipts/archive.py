"""A year's documents of an account as one ZIP file, made while it is sent.

The list of its files is at the end of a ZIP file: without it, a file that was cut off is no ZIP
file. The same documents give the same bytes.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Final, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zoneinfo import ZoneInfo

from gateway.principal import Principal
from gateway.receipts.file_name import document_name, statement_name
from gateway.receipts.pdf import Printed, ReceiptPrinter
from gateway.receipts.seller import Seller
from gateway.receipts.statement_view import PrintedStatement
from gateway.receipts.view import PrintedData
from gateway.store import document_archive, sellers
from gateway.store.engine.stream import Stream
from gateway.store.receipts import parse_data
from gateway.store.sellers import SellerFacts, parse_details
from gateway.store.statements import parse_statement

MEDIA_TYPE: Final = "application/zip"
_READABLE: Final = 0o644 << 16


class _Document(NamedTuple):
    """A document's path in the file, its date, and the data that it is printed from."""

    path: str
    issued_at: datetime
    printed: Printed
    seller: Seller


class _Sink:
    """The end of the file that is being written. It cannot seek, so ZipFile never looks back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: every part is there at once."""

    def take(self) -> bytes:
        """Return the bytes since the last call."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


class Archive:
    """The documents of an account's year. A year is one of the account's zone."""

    def __init__(
        self,
        stream: Stream,
        principal: Principal,
        printer: ReceiptPrinter,
        *,
        account_id: int,
        year: int,
        zone: ZoneInfo,
    ) -> None:
        self._stream = stream
        self._principal = principal
        self._printer = printer
        self._of_year = (account_id, year)
        self._zone = zone
        self._sellers: dict[int | None, Seller] = {}

    async def count(self) -> int:
        """Return the number of documents."""
        return await document_archive.count(self._stream, self._principal, *self._of_year)

    async def parts(self) -> AsyncGenerator[tuple[bytes, int]]:
        """Yield the file in parts, each with its number of documents."""
        sink = _Sink()
        with ZipFile(sink, "w", ZIP_DEFLATED) as file:  # type: ignore[call-overload]  # it writes alone
            async with aclosing(self._documents()) as documents:
                async for document in documents:
                    pdf = await self._printer.print(
                        document.printed, document.seller.logo, keep=False
                    )
                    file.writestr(self._entry(document), pdf)
                    yield sink.take(), 1
        yield sink.take(), 0

    def _entry(self, document: _Document) -> ZipInfo:
        at = document.issued_at.astimezone(self._zone)
        entry = ZipInfo(document.path, (at.year, at.month, at.day, at.hour, at.minute, at.second))
        entry.compress_type, entry.create_system = ZIP_DEFLATED, 3
        entry.external_attr = _READABLE
        return entry

    async def _documents(self) -> AsyncGenerator[_Document]:
        async with aclosing(self._receipts()) as found:
            async for document in found:
                yield document
        async with aclosing(self._statements()) as found:
            async for document in found:
                yield document

    async def _receipts(self) -> AsyncGenerator[_Document]:
        rows = document_archive.receipts(self._stream, self._principal, *self._of_year)
        async with aclosing(rows) as chunks:
            async for chunk in chunks:
                for row in chunk.rows():
                    seller, facts = await self._seller(row["seller_id"])
                    name = document_name(
                        row["number"], refund_id=row["refund_id"], cancels_id=row["cancels_id"]
                    )
                    printed = PrintedData(
                        data=parse_data(row["data"]),
                        seller=facts,
                        original_number=row["original_number"],
                    )
                    yield _Document(f"receipts/{name}", row["issued_at"], printed, seller)

    async def _statements(self) -> AsyncGenerator[_Document]:
        rows = document_archive.statements(self._stream, self._principal, *self._of_year)
        async with aclosing(rows) as chunks:
            async for chunk in chunks:
                for row in chunk.rows():
                    seller, facts = await self._seller(row["seller_id"])
                    printed = PrintedStatement(data=parse_statement(row["data"]), seller=facts)
                    path = f"statements/{statement_name(row['number'])}"
                    yield _Document(path, row["issued_at"], printed, seller)

    async def _seller(self, seller_id: int | None) -> tuple[Seller, SellerFacts]:
        if seller_id not in self._sellers:
            row = await sellers.by_id(self._stream, seller_id)
            self._sellers[seller_id] = Seller.from_row(row) if row else Seller(details="{}")
        seller = self._sellers[seller_id]
        return seller, parse_details(seller.details)
