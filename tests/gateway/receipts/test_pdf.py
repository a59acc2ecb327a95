"""Receipts as PDF: readable, accessible, the same each time, whatever the texts hold."""

import asyncio
import hashlib
import subprocess
import sys
import time
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import page
import pytest
from fontTools.cffLib import CFFFontSet
from fontTools.pens.basePen import NullPen
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    NameObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from gateway.receipts.glyphs import CJK, LATIN, REPLACEMENT, RIGHT_TO_LEFT, Glyphs
from gateway.receipts.pdf import Logo, ReceiptPress, ReceiptPrinter
from tests.support.cpu import cpu_below
from tests.support.receipts import CANCELLATION, CREDIT_NOTE, source

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="4"/></svg>'
PRESS = ReceiptPress()
GLYPHS = Glyphs()
# Said of CFF fonts whose widths are right, as `test_the_widths_of_chinese_glyphs…` shows.
MISTAKEN = "PDFUA1-FONT-GLYPH-WIDTH-001"


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def inside(found: PdfObject, *names: str) -> DictionaryObject:
    """Return the dictionary, or the stream, to which names lead."""
    for name in names:
        assert isinstance(found, DictionaryObject)
        found = found[name]
    assert isinstance(found, DictionaryObject)
    return found


def data_of(found: PdfObject, *names: str) -> bytes:
    stream = inside(found, *names)
    assert isinstance(stream, StreamObject)
    return stream.get_data()


def words(pdf: bytes) -> str:
    return " ".join(" ".join(each.extract_text() for each in read(pdf).pages).split())


def letters(text: str) -> Counter[str]:
    """Return the Hebrew and Arabic letters of a text: programs differ in how they order them."""
    return Counter(character for character in text if "\u0590" < character < "\u0700")


def failures(pdf: bytes) -> set[str]:
    report = page.validate_pdf_bytes(pdf, profile="ua1")
    assert report.rules.total > 100
    return {failure.rule_id for failure in report.failures}


NAMES = {
    "Latin": "Café Łódź Þór ẞtraße",
    "Greek": "Αθήνα Υπολογιστική",
    "Cyrillic": "Київ Обчислення ООО",
    "Hindi": "नमस्ते कंपनी",
    "Vietnamese": "Nguyễn Đặng",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_in_other_scripts_print_and_can_be_read(name: str) -> None:
    pdf = PRESS.print(source(buyer=name))
    assert GLYPHS.printable(name) == name
    assert REPLACEMENT not in words(pdf)
    assert failures(pdf) == set()
    if name != NAMES["Hindi"]:
        assert name in words(pdf)


@pytest.mark.parametrize(
    "name", ["شركة النور للحوسبة (دبي) 24", "شرکت پردازش گستر", "پاکستان کلاؤڈ", "חברת המחשוב"]
)
def test_names_that_run_right_to_left_print_and_each_letter_can_be_read_once(name: str) -> None:
    pdf = PRESS.print(source(buyer=name))
    assert GLYPHS.printable(name) == name
    assert failures(pdf) == set()
    assert letters(words(pdf)) == letters(name)


@pytest.mark.parametrize("name", ["北京云计算有限公司", "株式会社オーロラ計算機", "한국 컴퓨팅"])
def test_names_in_chinese_japanese_and_korean_print(name: str) -> None:
    pdf = PRESS.print(source(buyer=name))
    assert name in words(pdf)
    assert failures(pdf) <= {MISTAKEN}


def test_the_widths_of_chinese_glyphs_are_those_that_the_pages_say() -> None:
    (only,) = read(PRESS.print(source(buyer="北京云计算有限公司"))).pages
    checked = 0
    for font in inside(only, "/Resources", "/Font").values():
        descendants = inside(font.get_object())["/DescendantFonts"]
        assert isinstance(descendants, ArrayObject)
        descendant = inside(descendants[0].get_object())
        if descendant["/Subtype"] != NameObject("/CIDFontType0"):
            continue
        fonts = CFFFontSet()
        program = data_of(descendant, "/FontDescriptor", "/FontFile3")
        fonts.decompile(BytesIO(program), None)
        outlines = fonts[0].CharStrings
        widths = descendant["/W"]
        assert isinstance(widths, ArrayObject)
        first, last, width = widths
        for cid in range(first + 1, last + 1):
            outline = outlines[f"cid{cid:05}"]
            outline.draw(NullPen())
            assert outline.width == width
            checked += 1
    assert checked == 9


def test_a_glyph_that_no_font_has_prints_as_a_replacement() -> None:
    pdf = PRESS.print(source(buyer="Rocket 🚀 ไทย 👩‍💻 Co"))
    assert f"Rocket {REPLACEMENT} {REPLACEMENT * 3} {REPLACEMENT * 2} Co" in words(pdf)
    assert failures(pdf) == set()


def test_without_the_extra_chinese_prints_as_replacements() -> None:
    assert Glyphs((*LATIN, *RIGHT_TO_LEFT)).printable("北京 A") == f"{REPLACEMENT * 2} A"
    assert Glyphs((*CJK, "no-such-package")).printable("北京") == "北京"


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=60))
def test_no_text_fails_a_receipt(text: str) -> None:
    pdf = PRESS.print(source(buyer=text, purchase={"description": text}))
    assert failures(pdf) <= {MISTAKEN}


@pytest.mark.parametrize(
    "text",
    [
        "#set page(fill: red)\n= Head *bold* _it_ $x^2$ `raw` <label> @ref // no /* no */ \\u{41}",
        '#image("/etc/passwd") #read(\'receipt.typ\') #import "@preview/x:0.1.0" https://x.example',
        '"}); #panic() --- ... ~ [x](y) <b>b</b> &amp; %s {0} ${x}',
    ],
)
def test_what_a_text_holds_is_never_markup(text: str) -> None:
    pdf = PRESS.print(source(buyer=text, purchase={"description": text}))
    # Lines may break where the text has no space.
    assert words(pdf).replace(" ", "").count("".join(text.split())) == 2
    assert len(read(pdf).pages) == 1


def test_controls_and_overrides_of_direction_are_left_out() -> None:
    assert GLYPHS.printable("a\u202eb\x00c\u2066d\r\n\te\ufeff\u200b") == "abcd e"
    assert GLYPHS.printable("می‌خواهم") == "می‌خواهم"
    assert GLYPHS.printable("e\u0301") == "é"
    assert GLYPHS.printable("\ue000\U000f0000\uffff") == REPLACEMENT * 3


def test_words_too_long_for_a_column_may_be_broken_and_others_not() -> None:
    assert GLYPHS.printable("someone.with.a.name@company.example") == (
        "someone.with.a.name@company.example"
    )
    assert GLYPHS.printable("W" * 30).split("\u200b") == ["W" * 20, "W" * 10]


def test_what_does_not_fit_on_a_line_does_not_run_together() -> None:
    wallet = {"type": "CARD", "brand": "amex", "last4": "0005", "label": "Apple Pay"}
    text = words(
        PRESS.print(
            source(
                original_number="K7WQ2M9X-2026-000042",
                purchase={"paymentMethod": wallet},
                **CREDIT_NOTE,
            )
        )
    )
    assert "Number K7WQ2M9X-2026-000043 Date refunded 25 November 2026 For receipt" in text
    assert "K7WQ2M9X-2026-000042 Payment method Apple Pay (American Express •••• 0005)" in text


@pytest.mark.parametrize(
    ("title", "changes"),
    [
        ("Receipt K7WQ2M9X-2026-000042", {}),
        ("Credit note K7WQ2M9X-2026-000043", CREDIT_NOTE),
        ("Cancellation of credit note K7WQ2M9X-2026-000044", CANCELLATION),
    ],
)
def test_the_document_is_tagged_and_says_what_it_is(title: str, changes: dict[str, Any]) -> None:
    pdf = PRESS.print(source(**changes), Logo(picture=SVG, type="svg"))
    found = read(pdf)
    root = found.root_object
    assert inside(root, "/MarkInfo")["/Marked"] == BooleanObject(True)
    assert root["/Lang"] == TextStringObject("en")
    assert inside(root, "/ViewerPreferences")["/DisplayDocTitle"] == BooleanObject(True)
    assert "/StructTreeRoot" in root
    assert found.metadata is not None
    assert found.metadata.title == title
    assert b"pdfuaid" in data_of(root, "/Metadata")
    assert not any("/JS" in str(each) or "/URI" in str(each) for each in root.values())
    assert failures(pdf) == set()


def test_the_same_receipt_has_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys, hashlib\n"
        "from gateway.receipts.pdf import ReceiptPress\n"
        "from tests.support.receipts import source\n"
        "PRESS = ReceiptPress()\n"
        "PRESS.print(source(number='ZZZZZZZZ-2026-000001', buyer='Ζ ж'))\n"
        "print(hashlib.sha256(PRESS.print(source(buyer='北京 شركة'))).hexdigest())"
    )
    once = hashlib.sha256(ReceiptPress().print(source(buyer="北京 شركة"))).hexdigest()
    for seed in ("1", "2"):
        other = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parents[3],
            env={"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert other.stdout.strip() == once


LONGEST: dict[str, Any] = {
    "buyer": "W" * 200,
    "purchase": {"description": "word " * 400},
    "seller": {"name": "N" * 200, "address": ["A" * 200] * 8, "accent": "#000000"},
}


def test_the_longest_texts_stay_small_and_on_a_few_pages() -> None:
    pdf = PRESS.print(source(**LONGEST))
    assert len(pdf) < 200_000
    assert 1 <= len(read(pdf).pages) <= 3


async def test_printing_takes_less_than_a_second_and_holds_nobody_up() -> None:
    printer = ReceiptPrinter()
    await printer.print(source())  # reads the fonts
    longest = 0.0
    with cpu_below(1):
        printing = asyncio.create_task(printer.print(source(**LONGEST)))
        while not printing.done():
            turn = time.thread_time()
            await asyncio.sleep(0.001)
            longest = max(longest, time.thread_time() - turn)
    assert longest < 0.05
    assert len(await printing) < 20_000_000
    printer.close()
