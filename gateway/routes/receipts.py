"""`GET /receipts/{number}.pdf`: a receipt's document, by a signed link or by Authorization."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import GatewayError, NotFound
from gateway.http.credentials import CredentialChecker, credential_of, refuse_credential
from gateway.http.headers import attachment
from gateway.http.request_log import RequestRecord, record_of
from gateway.http.responses import error_response
from gateway.links import RECEIPT_PATH, Links, is_signed
from gateway.principal import Principal, Role
from gateway.quotas import Quotas
from gateway.quotas.rate import DOCUMENT_POINTS
from gateway.receipts.file_name import document_name
from gateway.receipts.pdf import ReceiptPrinter
from gateway.receipts.seller import Seller
from gateway.receipts.view import PrintedData
from gateway.routes.openapi.route import DescribedRoute
from gateway.store import Database, Snapshot, receipts, sellers
from gateway.store.receipts import parse_data
from gateway.store.sellers import parse_details

_NUMBER: Final = re.compile(r"([0-9A-Z]{8})-[0-9]{4}-[0-9]{6,10}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Serves documents to bearers of a signed link, and to credentials with access to the account's
    purchases.

    A missing number and a number of an account without access get the same answer.
    """

    authenticator: CredentialChecker
    database: Database
    links: Links
    printer: ReceiptPrinter
    quotas: Quotas

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
        await self.quotas.points.take(principal.quota_key, DOCUMENT_POINTS)
        async with self.quotas.gates.reads.admitted(principal.quota_key):
            return await self._read(request, principal)

    async def _read(self, request: Request, principal: Principal) -> tuple[str, bytes]:
        number = request.path_params["number"]
        match = _NUMBER.fullmatch(number)
        if match is None:
            raise _missing()
        async with Snapshot(self.database, principal) as snapshot:
            found = await receipts.find_document(snapshot, principal, match[1], number)
            if found is None:
                raise _missing()
            Role(found["role"]).require_purchases()
            if found["data"] is None:
                raise _missing()
            name = document_name(
                number, refund_id=found["refund_id"], cancels_id=found["cancels_id"]
            )
            kept = self.printer.kept(number)
            if kept is not None:
                return name, kept
            row = await sellers.by_id(snapshot, found["seller_id"])
        seller = Seller.from_row(row) if row else Seller(details="{}")
        printed = PrintedData(
            data=parse_data(found["data"]),
            seller=parse_details(seller.details),
            original_number=found["original_number"],
        )
        return name, await self.printer.print(printed, seller.logo)

    async def _principal(self, request: Request) -> Principal:
        """Return the principal of a signed link, which reads the link's account, or of a
        credential.
        """
        query = request.scope["query_string"].decode("latin-1")
        if is_signed(query):
            refuse_credential(request.scope)
            grant = self.links.check(request.scope["raw_path"].decode("latin-1"), query)
            return grant.principal
        return await self.authenticator.authenticate(credential_of(request.scope))


def receipt_route(receipts: Receipts) -> DescribedRoute:
    return DescribedRoute(RECEIPT_PATH, receipts.serve)


def _missing() -> NotFound:
    return NotFound("Receipt not found, or you don't have access.")
