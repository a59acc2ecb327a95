"""`/receipts/…` and `/statements/…`: an account's documents."""

from typing import Final

from gateway.routes.descriptions.files import ACCOUNT, BUSY, LIMITS, REFUSALS
from gateway.routes.descriptions.refusals import (
    CREDENTIAL_LIMITS,
    INVALID,
    MALFORMED,
    THROTTLED,
    TIMEOUT,
)
from gateway.routes.openapi.operation import READER, Answer, Example, Operation, Parameter

TAG: Final = "Receipts"
_LIMITS: Final = ("link_seconds", *CREDENTIAL_LIMITS)
_REFUSALS: Final = (
    MALFORMED,
    *(each for each in REFUSALS if each not in {INVALID, BUSY, TIMEOUT}),
    THROTTLED,
)
_DOCUMENT: Final = Answer(
    status=200,
    text="The document.",
    content={"application/pdf": {"type": "string", "format": "binary"}},
    headers=("Content-Disposition",),
)


def _unknown(number: str, document: str) -> Example:
    return Example(
        name="unknown",
        text="A number that does not exist, or without access",
        status=404,
        parameters={"number": number},
        answer={
            "errors": [
                {
                    "message": f"{document} not found, or you don't have access.",
                    "extensions": {"code": "NOT_FOUND"},
                }
            ]
        },
    )


GET_RECEIPT: Final = Operation(
    id="getReceipt",
    method="GET",
    tag=TAG,
    summary="Read a receipt or credit note",
    text="Returns the document as a tagged PDF, with the same bytes every time: a receipt, a "
    "credit note, or a credit note's cancellation. `Receipt.downloadUrl` in GraphQL is a "
    "signed link to the document. Not allowed for a `VIEWER`.",
    access=READER,
    parameters=(
        Parameter(
            name="number",
            place="path",
            text="The document's number: `Receipt.number` in GraphQL, `receiptNumber` in exports.",
            schema={"type": "string", "pattern": "^[0-9A-Z]{8}-[0-9]{4}-[0-9]{6,10}$"},
            required=True,
        ),
    ),
    answers=(_DOCUMENT,),
    refusals=_REFUSALS,
    limits=_LIMITS,
    examples=(
        Example(
            name="receipt",
            text="A receipt",
            status=200,
            parameters={"number": "7K3M9Q2X-2026-000001"},
            variables={"number": "NUMBER"},
        ),
        _unknown("00000000-2026-000001", "Receipt"),
    ),
)

GET_STATEMENT: Final = Operation(
    id="getStatement",
    method="GET",
    tag=TAG,
    summary="Read a monthly statement",
    text="Returns the document as a tagged PDF, with the same bytes every time. "
    "`Statement.downloadUrl` in GraphQL is a signed link to the document. Not allowed for a "
    "`VIEWER`.",
    access=READER,
    parameters=(
        Parameter(
            name="number",
            place="path",
            text="The statement's number: `Statement.number` in GraphQL.",
            schema={"type": "string", "pattern": "^[0-9A-Z]{8}-S[0-9]{4}-[0-9]{2}$"},
            required=True,
        ),
    ),
    answers=(_DOCUMENT,),
    refusals=_REFUSALS,
    limits=_LIMITS,
    examples=(_unknown("00000000-S2026-11", "Statement"),),
)

EXPORT_DOCUMENTS: Final = Operation(
    id="exportDocuments",
    method="GET",
    tag=TAG,
    summary="Export a year's documents",
    text="Returns the receipts, credit notes and their cancellations of a year, and the statements "
    "of its months, as one ZIP file of PDF documents. `Account.documentsUrl` in GraphQL is a "
    "signed link to the file. Not allowed for a `VIEWER`.",
    access=READER,
    parameters=(
        ACCOUNT,
        Parameter(
            name="year",
            place="query",
            text="A year of the account's time zone.",
            schema={"type": "integer", "minimum": 2000, "maximum": 2100},
            required=True,
        ),
    ),
    answers=(
        Answer(
            status=200,
            text="The file, streamed; `X-Export-Rows` is the number of documents. If anything "
            "fails midway the connection is cut, and the file lacks the list at its end, so a "
            "partial file cannot pass for a whole one.",
            content={"application/zip": {"type": "string", "format": "binary"}},
            headers=("Content-Disposition", "X-Export-Rows"),
        ),
    ),
    refusals=REFUSALS,
    limits=LIMITS,
    examples=(
        Example(
            name="documents",
            text="The documents of 2026",
            status=200,
            parameters={"account": "acme", "year": "2026"},
        ),
        Example(
            name="year",
            text="A year without documents",
            status=404,
            parameters={"account": "acme", "year": "2001"},
            answer={
                "errors": [
                    {
                        "message": "The account has no documents of 2001.",
                        "extensions": {"code": "NOT_FOUND"},
                    }
                ]
            },
        ),
    ),
)
