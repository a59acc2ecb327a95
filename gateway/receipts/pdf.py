"""Receipts and statements as PDF: tagged (PDF/UA-1), the same bytes for the same document, nothing
fetched.

Typst compiles in a thread of its own, without the interpreter's lock. What was printed is kept: a
document never changes.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Final, TypeAlias

import typst
from cachetools import LRUCache

from gateway.receipts.glyphs import Glyphs
from gateway.receipts.statement_view import PrintedStatement, statement_view
from gateway.receipts.view import PrintedData, receipt_view
from gateway.receipts.writer import View

TEMPLATES: Final = Path(__file__).parent
Printed: TypeAlias = PrintedData | PrintedStatement
"""The frozen data of a document and its seller."""
KEPT_BYTES: Final = 16 * 1024 * 1024
"""Most bytes of documents that are kept in memory."""

_FAMILIES: Final = (
    "Inter",
    "Noto Sans",
    "IBM Plex Sans Arabic",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture; `type` is `png`, `jpg` or `svg`."""

    picture: bytes
    type: str

    def is_printable(self) -> bool:
        """Whether the picture can be decoded."""
        try:
            typst.compile(
                b"#image(bytes(json(bytes(sys.inputs.logo))), format: sys.inputs.type)",
                sys_inputs={"logo": self.numbers(), "type": self.type},
                ignore_system_fonts=True,
            )
        except typst.TypstError:
            return False
        return True

    def numbers(self) -> str:
        """Return the picture's bytes as a JSON list: Typst's inputs are text."""
        return json.dumps(list(self.picture))


class ReceiptPress:
    """Prints documents, one after another; for one thread. Fonts are read at the first."""

    def print(self, printed: Printed, logo: Logo | None = None) -> bytes:
        """Return the PDF of a receipt or a statement."""
        name, view = self._view(printed)
        families = (*_FAMILIES, f"Noto Sans CJK {view['han']}")
        view["fonts"] = [family for family in families if family in self._installed]
        view["logo"] = logo.type if logo else None
        pdf = self._compiler.compile(  # type: ignore[type-var]  # the stub leaves mappings out
            input={"main.typ": self._template(name)},
            format="pdf",
            sys_inputs={
                "document": json.dumps(view),
                "logo": logo.numbers() if logo else "[]",
            },
            pdf_standards="ua-1",
            timestamp=int(datetime.fromisoformat(printed.data["issuedAt"]).timestamp()),
        )
        assert isinstance(pdf, bytes)  # noqa: S101  # one format, no file: the bytes
        return pdf

    def _view(self, printed: Printed) -> tuple[str, View]:
        """Return the template's name and values."""
        if isinstance(printed, PrintedStatement):
            return "statement.typ", statement_view(printed, self._glyphs.printable)
        return "receipt.typ", receipt_view(printed, self._glyphs.printable)

    @staticmethod
    @cache
    def _template(name: str) -> bytes:
        return TEMPLATES.joinpath(name).read_bytes()

    @cached_property
    def _glyphs(self) -> Glyphs:
        return Glyphs()

    @cached_property
    def _fonts(self) -> typst.Fonts:
        return typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=self._glyphs.folders,
        )

    @cached_property
    def _installed(self) -> frozenset[str]:
        return frozenset(self._fonts.families())

    @cached_property
    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(root=TEMPLATES, font_paths=self._fonts)


class ReceiptPrinter:
    """Prints documents in a thread, and caches the most recent documents."""

    def __init__(self, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._press = ReceiptPress()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="receipts")
        self._kept: LRUCache[str, bytes] = LRUCache(kept_bytes, getsizeof=len)

    def kept(self, number: str) -> bytes | None:
        """Return the cached document of a number, or None."""
        return self._kept.get(number)

    async def print(
        self, printed: Printed, logo: Logo | None = None, *, keep: bool = True
    ) -> bytes:
        """Return the document; with `keep`, cache it."""
        loop = asyncio.get_running_loop()
        pdf = await loop.run_in_executor(self._thread, self._press.print, printed, logo)
        if keep and len(pdf) <= self._kept.maxsize:
            self._kept[printed.data["number"]] = pdf
        return pdf

    def close(self) -> None:
        """Stop the thread without waiting for a running print."""
        self._thread.shutdown(wait=False, cancel_futures=True)
