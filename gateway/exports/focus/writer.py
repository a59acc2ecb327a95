"""FOCUS 1.2: cost and usage as FinOps tools read them, CSV in UTF-8 without a byte order mark.

Prepaid credit is a **virtual currency** as in the specification's appendix: one `Credit` pays one
unit of the account's currency. What an account buys is billed when it buys it, and what it uses is
paid for already:

| row | ChargeCategory | BilledCost | EffectiveCost | what it moves, in Credit |
|---|---|---|---|---|
| credit bought by card | Purchase | what was paid, without tax | 0 | PricingQuantity |
| its tax | Tax | the tax | 0, as that of what it is on | |
| bonus, coupon, trial or manual credit | Credit | 0 | 0 | PricingQuantity |
| what a refund or a dispute took back | as above, negative | | 0 | PricingQuantity |
| what cancels the credit note of a refund that failed | what that took | | 0 | PricingQuantity |
| metered usage | Usage | 0 | its amount | PricingCurrencyEffectiveCost |

So the file adds up: BilledCost over an InvoiceId is what that document says was paid or returned,
EffectiveCost over a window is its usage, and the credit that was moved is the balance, but for
adjustments.

- **Amounts** are exact decimals of at least two places. Usage was priced by the meter, which sends
  no price: the unit price is the shortest one of nine decimals or more for which the quantity,
  rounded to the nano as the ledger rounds, costs the amount. Where none can (an amount below 0, an
  amount for nothing) the charge is priced in credit, one for one.
- **Periods** are UTC. A billing period is the calendar month of a purchase's settlement or of a
  usage's start. A correction that came in a later month is in that one, as a `Correction`, and so
  is what was taken back later. Credit does not expire: its charge period is the second in which it
  came, and so is that of usage that took no time.
- **InvoiceId** is the number of the receipt or credit note. Usage has none: nothing is due for it,
  and disputes have none. A credit note's charges are what it says, for ever; where its refund fails
  later, the opposite ones are those of the document that cancels it, in the month of that.
- **Tax** goes back with a refund as its credit note says, and with a dispute by its share: what is
  taken back whole was billed nothing. A dispute's charges are dated by the money that it moved.
- **ProviderName** and **InvoiceIssuerName** are the seller: that of the receipt or credit note, and
  where there is none, as for usage, the one in force. **PublisherName** is who runs the machine.
- **Names**: a ResourceId is a deployment's external id, or a purchase's global id. ServiceName says
  which resource was used, because FOCUS wants one category for each; the meter's own word for its
  service, its unit and other facts that FOCUS has no column for are in the columns `x_…`.
- **Purchases that have not settled** are no charges. There are no sub-accounts, tags, availability
  zones, commitments or capacity reservations, and no columns for them.

Texts stand as they are: the standard forbids to change them, and files are joined by them. A
spreadsheet may take one for a formula; the file for spreadsheets is the CSV.
"""

from collections.abc import Callable, Iterable
from typing import Final, Generic

from gateway.exports.export import PurchasesSubject, UsageSubject
from gateway.exports.focus.purchases import PurchaseCharges
from gateway.exports.focus.terms import COLUMNS
from gateway.exports.focus.usage import UsageCharges
from gateway.store.engine.statement import R
from gateway.store.engine.stream import Chunk
from gateway.store.exported_usage import ExportedUsage
from gateway.store.exports import ExportedPurchase

MEDIA_TYPE: Final = "text/csv; charset=utf-8; header=present"
_LINE_END: Final = "\r\n"


class FocusExport(Generic[R]):
    """An `Export` of charges; `charges` makes the cells of a chunk's, in the order of COLUMNS and
    as they stand in the file.
    """

    media_type = MEDIA_TYPE
    extension = "focus.csv"

    def __init__(self, charges: Callable[[Chunk[R]], Iterable[Iterable[str]]]) -> None:
        self._charges = charges

    def begin(self) -> bytes:
        return f"{','.join(COLUMNS)}{_LINE_END}".encode()

    def write(self, chunk: Chunk[R]) -> bytes:
        lines = [*map(",".join, self._charges(chunk)), ""]
        return _LINE_END.join(lines).encode()

    def end(self) -> bytes:
        return b""


def write_purchases(subject: PurchasesSubject) -> FocusExport[ExportedPurchase]:
    """Return the writer of credit purchases: their charges, then what was taken back of each."""
    return FocusExport(PurchaseCharges(subject))


def write_usage(subject: UsageSubject) -> FocusExport[ExportedUsage]:
    """Return the writer of usage: one charge for each event."""
    return FocusExport(UsageCharges(subject))
