"""What a card paid, what came in as credit, and what went back."""

import re

from playwright.async_api import Browser, Locator, expect
from pypdf import PdfReader

from tests.browser.conftest import Site
from tests.browser.support import figure, purchase_rows, settled, tab
from tests.browser.test_live import payment
from tests.support.stripe import charge, intent, refund


async def paid_and_refunded(site: Site, name: str) -> str:
    """Make an account of Ada's with a payment of 100 and 19 tax, half of it refunded."""
    account = await site.operator.put_account(name)
    for event in payment(
        name,
        [
            ("payment_intent.succeeded", intent(status="succeeded", amount_received=11_900)),
            ("charge.succeeded", charge(id=f"ch_{name}")),
            ("refund.created", refund(id=f"re_{name}", charge=f"ch_{name}", status="succeeded")),
        ],
    ):
        await site.operator.deliver(event)
    return account


async def test_a_purchase_shows_its_charge_and_its_credit(
    browser: Browser, each_site: Site
) -> None:
    account = await paid_and_refunded(each_site, "charged")
    await each_site.operator.grant("charged", "5", "charged-1")
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}")
        await expect(purchase_rows(page)).to_have_count(2)
        await settled(page)
        coupon, bought = (
            purchase_rows(page).filter(has_text=kind) for kind in ("Coupon", "Payment")
        )
        day = r"[A-Z][a-z]{2} \d{1,2}, \d{4}"
        await lines(bought, "charged", "$119.00", "incl. $19.00 tax", f"-$59.50 refunded, {day}")
        await lines(bought, "credit", "$100.00", r"+$10.00 bonus", "-$50.00 refunded")
        await lines(coupon, "charged", "—")
        await lines(coupon, "credit", "$5.00")
        for label, value, note in (
            ("Charged to cards", "$119.00", "incl. $19.00 tax"),
            ("Refunded to cards", "-$59.50", "incl. $9.50 tax"),
            ("Bonus and free credit", "$15.00", ""),
            ("Credit added", "$65.00", "after refunds and disputes"),
        ):
            await expect(figure(page, label).locator(".figure-value")).to_have_text(value)
            await expect(figure(page, label).locator(".figure-note")).to_have_text(
                [note] if note else []
            )


async def lines(row: Locator, column: str, *expected: str) -> None:
    """Wait until these are the lines of a cell; the last one as a pattern."""
    *texts, last = expected
    patterns = [*map(re.escape, texts), last.replace("$", r"\$").replace("+", r"\+")]
    whole = re.compile("^" + r"\n".join(patterns) + "$")
    await expect(row.locator(f"td.{column}")).to_have_text(whole, use_inner_text=True)


async def test_a_credit_note_downloads_with_what_went_back(browser: Browser, site: Site) -> None:
    account = await paid_and_refunded(site, "noted")
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}&status=partially_refunded")
        note = purchase_rows(page).get_by_role("button", name=re.compile("Download credit note"))
        async with page.expect_download() as download:
            await note.click()
        file = await (await download.value).path()
        assert "59.50" in "".join(sheet.extract_text() for sheet in PdfReader(file).pages)


async def test_what_was_not_charged_says_so(browser: Browser, site: Site) -> None:
    name = "uncharged"
    account = await site.operator.put_account(name)
    failed = intent(status="requires_payment_method", last_payment_error={"message": "Declined."})
    for event in payment(name, [("payment_intent.payment_failed", failed)]):
        await site.operator.deliver(event)
    async with tab(browser, site) as page:
        await page.goto(f"/?account={account}")
        row = purchase_rows(page)
        await expect(row).to_contain_text("Failed")
        await lines(row, "charged", "$119.00", "incl. $19.00 tax", "not charged")
        await lines(row, "credit", "—")
        await expect(figure(page, "Charged to cards").locator("data").first).to_have_text("$0.00")


async def test_a_refund_that_failed_later_has_both_documents(
    browser: Browser, each_site: Site
) -> None:
    name = "cancelled"
    account = await paid_and_refunded(each_site, name)
    failed = refund(id=f"re_{name}", charge=f"ch_{name}", status="failed")
    [event] = payment(name, [("refund.failed", failed)])
    later = event | {"id": f"evt_{name}_failed", "created": event["created"] + 86_400}
    await each_site.operator.deliver(later)
    async with tab(browser, each_site) as page:
        await page.goto(f"/?account={account}")
        row = purchase_rows(page)
        await lines(row, "charged", "$119.00", "incl. $19.00 tax", "$59.50 refund failed")
        await lines(row, "credit", "$100.00", "+$10.00 bonus")
        documents = row.locator(".document .button-label")
        names = ("Receipt", "Credit note", "Cancellation")
        await expect(documents).to_contain_text(names)
        activity = page.get_by_role("table", name="Activity")
        returned = activity.get_by_role("row").filter(has_text="Refund returned")
        await expect(returned.locator("td.amount")).to_have_text("+$50.00")
        async with page.expect_download() as download:
            await returned.get_by_role("button", name=re.compile("cancellation")).click()
        file = await (await download.value).path()
        assert "59.50" in "".join(sheet.extract_text() for sheet in PdfReader(file).pages)
