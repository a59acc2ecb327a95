"""`GET /receipts/{number}.pdf` and `GET /statements/{number}.pdf`: an account's documents, by a
signed link or by Authorization.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import GatewayError, NotFound
from gateway.http.credentials import CredentialChecker, credential_of, refuse_credential
from gateway.http.headers import attachment
from gateway.http.request_log import RequestRecord, record_of
from gateway.http.responses import error_response
from gateway.links import RECEIPT_PATH, STATEMENT_PATH, Links, is_signed
from gateway.principal import Principal, Role
from gateway.quotas import Quotas
from gateway.quotas.rate import DOCUMENT_POINTS
from gateway.receipts.file_name import document_name, statement_name
from gateway.receipts.pdf import Printed, ReceiptPrinter
from gateway.receipts.seller import Seller
from gateway.receipts.statement_view import PrintedStatement
from gateway.receipts.view import PrintedData
from gateway.routes.openapi.route import DescribedRoute
from gateway.store import Database, Reader, Snapshot, receipts, sellers, statements
from gateway.store.receipts import parse_data
from gateway.store.sellers import SellerFacts, parse_details
from gateway.store.statements import parse_statement


class Found(NamedTuple):
    """A document: its file's name, the key of its seller's details, and a function of these details
    that returns the data to print.
    """

    name: str
    seller_id: int | None
    printed: Callable[[SellerFacts], Printed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """The parts that the endpoints of documents share."""

    authenticator: CredentialChecker
    database: Database
    links: Links
    printer: ReceiptPrinter
    quotas: Quotas


def document_routes(parts: Documents) -> list[DescribedRoute]:
    return [
        DescribedRoute(endpoint.PATH, endpoint(parts).serve)
        for endpoint in (ReceiptEndpoint, StatementEndpoint)
    ]


class DocumentEndpoint(ABC):
    """Serves documents to bearers of a signed link, and to credentials with access to the account's
    purchases.

    A missing number and a number of an account without access get the same answer.
    """

    PATH: ClassVar[str]
    NUMBER: ClassVar[re.Pattern[str]]
    """A document's number; its first group is the account's prefix."""
    MISSING: ClassVar[str]

    def __init__(self, parts: Documents) -> None:
        self.parts = parts

    @abstractmethod
    async def find(
        self, reader: Reader, principal: Principal, prefix: str, number: str
    ) -> Found | None:
        """Return the document of a number; None where there is none, or no access. Raises Forbidden
        where the principal's role does not see documents.
        """

    async def serve(self, request: Request) -> Response:
        record = record_of(request.scope)
        try:
            name, pdf = await self._document(request, record)
        except GatewayError as error:
            record.codes = [error.code]
            return error_response(error)
        headers = {
            "content-disposition": attachment(name),
            "cache-control": "private, no-store",
        }
        return Response(pdf, media_type="application/pdf", headers=headers)

    async def _document(self, request: Request, record: RequestRecord) -> tuple[str, bytes]:
        """Return the document's name and the document."""
        record.principal = principal = await self._principal(request)
        quotas = self.parts.quotas
        await quotas.points.take(principal.quota_key, DOCUMENT_POINTS)
        async with quotas.gates.reads.admitted(principal.quota_key):
            return await self._read(request, principal)

    async def _read(self, request: Request, principal: Principal) -> tuple[str, bytes]:
        number, printer = request.path_params["number"], self.parts.printer
        match = self.NUMBER.fullmatch(number)
        if match is None:
            raise NotFound(self.MISSING)
        async with Snapshot(self.parts.database, principal) as snapshot:
            found = await self.find(snapshot, principal, match[1], number)
            if found is None:
                raise NotFound(self.MISSING)
            kept = printer.kept(number)
            if kept is not None:
                return found.name, kept
            row = await sellers.by_id(snapshot, found.seller_id)
        seller = Seller.from_row(row) if row else Seller(details="{}")
        printed = found.printed(parse_details(seller.details))
        return found.name, await printer.print(printed, seller.logo)

    async def _principal(self, request: Request) -> Principal:
        """Return the principal of a signed link, which reads the link's account, or of a
        credential.
        """
        query = request.scope["query_string"].decode("latin-1")
        if is_signed(query):
            refuse_credential(request.scope)
            grant = self.parts.links.check(request.scope["raw_path"].decode("latin-1"), query)
            return grant.principal
        return await self.parts.authenticator.authenticate(credential_of(request.scope))


class ReceiptEndpoint(DocumentEndpoint):
    """Receipts, credit notes and their cancellations."""

    PATH: ClassVar = RECEIPT_PATH
    NUMBER: ClassVar = re.compile(r"([0-9A-Z]{8})-[0-9]{4}-[0-9]{6,10}", re.ASCII)
    MISSING: ClassVar = "Receipt not found, or you don't have access."

    async def find(
        self, reader: Reader, principal: Principal, prefix: str, number: str
    ) -> Found | None:
        row = await receipts.find_document(reader, principal, prefix, number)
        if row is None:
            return None
        Role(row["role"]).require_purchases()
        if row["data"] is None:
            return None
        return Found(
            name=document_name(number, refund_id=row["refund_id"], cancels_id=row["cancels_id"]),
            seller_id=row["seller_id"],
            printed=partial(_receipt, row["data"], row["original_number"]),
        )


class StatementEndpoint(DocumentEndpoint):
    """Monthly statements."""

    PATH: ClassVar = STATEMENT_PATH
    NUMBER: ClassVar = re.compile(r"([0-9A-Z]{8})-S[0-9]{4}-[0-9]{2}", re.ASCII)
    MISSING: ClassVar = "Statement not found, or you don't have access."

    async def find(
        self, reader: Reader, principal: Principal, prefix: str, number: str
    ) -> Found | None:
        row = await statements.find_document(reader, principal, prefix, number)
        if row is None:
            return None
        Role(row["role"]).require_purchases()
        if row["data"] is None:
            return None
        return Found(
            name=statement_name(number),
            seller_id=row["seller_id"],
            printed=partial(_statement, row["data"]),
        )


def _receipt(data: str, original_number: str | None, seller: SellerFacts) -> PrintedData:
    return PrintedData(data=parse_data(data), seller=seller, original_number=original_number)


def _statement(data: str, seller: SellerFacts) -> PrintedStatement:
    return PrintedStatement(data=parse_statement(data), seller=seller)
