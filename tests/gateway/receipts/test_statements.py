"""Statements as text and as PDF."""

from typing import Any

from gateway.receipts.statement_view import statement_view
from tests.gateway.receipts.test_pdf import PRESS, failures, letters, read, words
from tests.support.statements import statement

ARABIC = "شركة الأفق للحوسبة"


def view(**changes: Any) -> Any:
    return statement_view(statement(**changes), lambda text: text)


def test_a_statement_says_how_the_balance_moved() -> None:
    said = view()
    assert (said["title"], said["state"]) == ("Statement", "November 2026")
    assert said["summary"] == "Balance at the end of the month: $98.749136"
    assert [(each["name"], each["amount"]) for each in said["sums"]] == [
        ("Opening balance", "$20.00"),
        ("Credit bought", "$100.00"),
        ("Bonus and granted credit", "$10.00"),
        ("Refunds", "−$30.00"),
        ("Usage", "−$1.250864"),
        ("Closing balance", "$98.749136"),
    ]
    rows = [(row["date"], row["name"], row["balance"]) for row in said["movements"]]
    assert rows == [
        ("3 Nov", "Credit bought", ""),
        ("", "Bonus credit", ""),
        ("", "Usage", "$128.749136"),
        ("28 Nov", "Refund", "$98.749136"),
    ]
    notes = [[note["text"] for note in row["note"]] for row in said["movements"]]
    assert notes[3] == ["Requested by customer", "K7WQ2M9X-2026-000043"]


def test_usage_has_a_section_for_each_part() -> None:
    month, earlier = view()["usage"]
    assert (month["title"], earlier["title"]) == (
        "Usage in November 2026",
        "Usage of earlier months",
    )
    assert [
        (row["resource"]["text"], row["quantity"]["text"], row["cost"])
        for row in month["projects"][0]["rows"]
    ] == [("GPU", "1,234.5 gpu-hour", "$1.00"), ("CPU", "3 cpu-hour", "$0.25")]
    assert earlier["projects"][0]["name"]["text"] == "Without a project"
    assert earlier["projects"][0]["rows"][0]["deployment"]["text"] == "Without a deployment"


def test_a_line_says_what_the_usage_tab_showed() -> None:
    (same, _), (other, _) = view()["usage"], view(usageShown="1.50")["usage"]
    when = "on 1 December 2026, when this statement was issued"
    assert same["note"] == f"$1.25 is what the Usage tab showed for November 2026 {when}."
    assert other["note"].startswith(f"The Usage tab showed $1.50 for November 2026 {when}.")


def test_a_month_without_movement_says_so() -> None:
    said = view(days=[], usage=[], taxes=[], closing="20.00")
    assert [each["name"] for each in said["sums"]] == ["Opening balance", "Closing balance"]
    assert said["none"] == "The balance did not change in November 2026."


def test_a_statement_is_accessible_and_has_the_same_bytes() -> None:
    printed = [PRESS.print(statement(buyer=ARABIC)) for _ in range(2)]
    assert printed[0] == printed[1]
    assert failures(printed[0]) == set()
    assert letters(words(printed[0])) == letters(ARABIC)
    for text in ("Statement", "K7WQ2M9X-S2026-11", "−$1.250864", "chat-api", "Taxes paid"):
        assert text in words(printed[0])


def test_a_long_statement_goes_over_many_pages() -> None:
    (day, _), (month, _) = statement().data["days"], statement().data["usage"]
    days: list[Any] = [day | {"date": f"2026-11-{number:02}"} for number in range(1, 31)]
    usage: Any = month | {"deployments": month["deployments"] * 60}
    pdf = PRESS.print(statement(days=days, usage=[usage]))
    assert failures(pdf) == set()
    pages = [" ".join(page.extract_text().split()) for page in read(pdf).pages]
    assert len(pages) > 4
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))
    assert " ".join(pages).count("chat-api") == 60
