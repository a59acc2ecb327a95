"""`GET /exports/documents`: a year's documents as one ZIP file, whole or visibly broken off."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile

import pytest

from gateway.billing.statements.issuing import issue_next
from gateway.ids import encode_global_id
from gateway.links import DOCUMENTS_PATH
from gateway.principal import Permission, Principal, Role
from gateway.receipts.pdf import ReceiptPress
from gateway.receipts.seller import keep_seller
from gateway.store import Database
from tests.gateway.receipts.test_pdf import words
from tests.gateway.routes.test_receipts import SELLER
from tests.support.books import ACTOR, Books
from tests.support.callers import refusal_of
from tests.support.facts import purchase, refund, save
from tests.support.graph import ask, data_of
from tests.support.rows import member, put
from tests.support.served import Served, serving
from tests.support.tables import table_rows

LINK = (
    "query($id: ID!, $year: Int!) { account(id: $id) { documentYears documentsUrl(year: $year) } }"
)


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    """An account with a receipt and a credit note of 2026, and the statements of two months."""
    books = Books(database)
    await keep_seller(database, SELLER, books.clock, actor=ACTOR)
    account_id = await books.account("acme")
    at = books.clock.instant = datetime(2026, 10, 5, tzinfo=UTC)
    await save(books, account_id, purchase(account_id, created_at=at, succeeded_at=at))
    at = books.clock.instant = datetime(2026, 11, 5, tzinfo=UTC)
    await save(books, account_id, refund("re_1", "30", created_at=at))
    books.clock.instant = datetime(2026, 12, 2, tzinfo=UTC)
    for _ in range(2):
        await issue_next(database, account_id, actor=ACTOR, clock=books.clock, keys=books.keys)
    await put(database, member(account_id, "ada"), member(account_id, "vic", role=Role.VIEWER))
    async with serving(database, database_url, tmp_path) as served:
        yield served


async def key(served: Served) -> dict[str, str]:
    return await served.key(Permission.BILLING_READ)


async def test_the_file_has_every_document_of_the_year(served: Served) -> None:
    headers, parameters = await key(served), {"account": "acme", "year": "2026"}
    answer = await served.client.get(DOCUMENTS_PATH, params=parameters, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["x-export-rows"] == "4"
    assert 'filename="acme-documents-2026.zip"' in answer.headers["content-disposition"]
    with ZipFile(BytesIO(answer.content)) as file:
        assert file.testzip() is None
        rows = await table_rows(served.database, "receipt")
        receipt, note = sorted(row["number"] for row in rows)
        prefix = receipt[:8]
        assert file.namelist() == [
            f"receipts/receipt-{receipt}.pdf",
            f"receipts/credit-note-{note}.pdf",
            f"statements/statement-{prefix}-S2026-10.pdf",
            f"statements/statement-{prefix}-S2026-11.pdf",
        ]
        for name, texts in zip(
            file.namelist(),
            (("Paid", "$119.00"), ("Refunded", receipt), ("October",), ("November",)),
            strict=True,
        ):
            text = words(file.read(name))
            assert all(each in text for each in ("Northwind Compute", *texts)), name
        single = await served.client.get(f"/receipts/{receipt}.pdf", headers=headers)
        assert file.read(f"receipts/receipt-{receipt}.pdf") == single.content
    again = await served.client.get(DOCUMENTS_PATH, params=parameters, headers=headers)
    assert again.content == answer.content


async def test_a_cut_off_file_is_no_zip_file(served: Served) -> None:
    parameters = {"account": "acme", "year": "2026"}
    answer = await served.client.get(DOCUMENTS_PATH, params=parameters, headers=await key(served))
    for size in (10, len(answer.content) // 2, len(answer.content) - 1):
        with pytest.raises(BadZipFile):
            ZipFile(BytesIO(answer.content[:size]))


async def test_a_failure_midway_breaks_the_transfer(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[object] = []

    def fail_at_the_third(press: ReceiptPress, *document: object) -> bytes:
        printed.append(document)
        if len(printed) == 3:
            raise RuntimeError("out of paper")
        return b"%PDF-"

    monkeypatch.setattr(ReceiptPress, "print", fail_at_the_third)
    headers, parameters = await key(served), {"account": "acme", "year": "2026"}
    with pytest.raises(Exception, match="out of paper"):
        await served.client.get(DOCUMENTS_PATH, params=parameters, headers=headers)
    assert len(printed) == 3


async def test_the_graph_hands_out_a_link_to_the_file(served: Served) -> None:
    (account,) = await table_rows(served.database, "account")
    variables = {"id": encode_global_id("Account", account["account_id"]), "year": 2026}
    data = await data_of(served.database, Principal(subject="ada"), LINK, variables)
    assert data["account"]["documentYears"] == [2026]
    url = urlsplit(data["account"]["documentsUrl"])
    assert url.path == DOCUMENTS_PATH
    assert url.query.startswith("year=2026&account=")
    viewer = await ask(served.database, Principal(subject="vic"), LINK, variables)
    assert viewer.data == {"account": {"documentYears": None, "documentsUrl": None}}
    assert [code for _, code, _ in viewer.errors] == ["FORBIDDEN"] * 2
    far = await ask(served.database, Principal(subject="ada"), LINK, variables | {"year": 1999})
    assert far.errors == [
        (["account", "documentsUrl"], "BAD_USER_INPUT", "`year` must be from 2000 to 2100.")
    ]


async def test_a_bad_request_says_what_is_allowed(served: Served) -> None:
    headers = await key(served)
    for parameters, expected in (
        ({}, (400, "BAD_USER_INPUT", "`year` is required: four digits, such as 2026.")),
        ({"year": "26"}, (400, "BAD_USER_INPUT", "`year` is required: four digits, such as 2026.")),
        ({"year": "9999"}, (400, "BAD_USER_INPUT", "`year` must be from 2000 to 2100.")),
        ({"year": "2025"}, (404, "NOT_FOUND", "The account has no documents of 2025.")),
    ):
        named = {"account": "acme", **parameters}
        answer = await served.client.get(DOCUMENTS_PATH, params=named, headers=headers)
        assert refusal_of(answer) == expected
