"""Stripe: what its events say of payments, and how that reaches the books.

An event is never acted on alone. It is stored under its payment (the PaymentIntent; the charge,
where there is none) or under its invoice, and the payment is recorded in the books from everything
that is stored of it. So events that come late, twice or in another order end in the same books.

| Event | Object | What it says |
|---|---|---|
| `payment_intent.*` | PaymentIntent | pending, to be confirmed, failed and why, canceled, settled |
| `charge.succeeded`, `.captured`, `.refunded` … | Charge | the money, how; refunds it lists |
| `charge.failed` | Charge | a failed attempt |
| `refund.*`, `charge.refund.updated` | Refund | money taken back, and how that goes |
| `charge.dispute.*` | Dispute | opened, won, lost; the money that it moved |
| `checkout.session.*`, `invoice.paid` | Session, Invoice | the tax of purchases that wait for it |
| `invoice_payment.paid` | InvoicePayment | which payment paid an invoice, or which part of it |
| any other | | recorded as IGNORED, like an event of test mode in production |

**What settles a purchase** (`terms`). Its PaymentIntent succeeded, and a charge is known with the
PaymentIntent's `amount_received` as its `amount_captured`: a charge says `captured` between several
captures too. A charge without a PaymentIntent settles when it is captured. The credit is
`amount_received` without the tax. Amounts, bonus and payment method are read from these two alone,
so a receipt is the same in whatever order they came. The purchase is dated by the PaymentIntent. It
settled at `created` of the event `payment_intent.succeeded`; without a PaymentIntent, of
`charge.captured` or `charge.succeeded`. No other event gives an instant. An endpoint therefore
needs `payment_intent.*`, `charge.*`, `refund.*` and, where tax comes from there,
`checkout.session.*` or `invoice.paid` and `invoice_payment.paid`.

**Backfill** (`backfill`). A list has no events: an object of it is taken as an event at the time of
reading, known by its content. It settles a purchase at `created` of the charge's balance
transaction. This is the only difference to events: whichever settled the purchase first, its
`settledAt` and the date of its receipt stay.

**Partial capture** (`releases`). Captures with versions of the API before 2025-03-31.basil release
the uncaptured rest as a Refund. That is none here: no refund, no credit note.

**Before it settles** (`attempts`) a purchase shows the latest attempt, by Stripe's own time, then
by rank; its amount and tax are that attempt's. A payment that was canceled, such as an
authorisation that was never captured, is CANCELED; a refund that releases the authorisation waits
for nothing.

**Invoices** (`invoices`). An InvoicePayment links a payment with its invoice; before
2025-03-31.basil the invoice and the payment name each other. Several payments may pay one invoice,
and share its tax by their parts, in the order of (created, id). They settle when `invoice.paid` and
payments that add up to its `amount_paid` are known. That is less than its total where a balance at
Stripe paid a part; and where a part was paid elsewhere (`paid_out_of_band`), nothing is added up. A
new event of an invoice records each of its payments. An invoice without a payment counts as
IGNORED.

**Tax.** The credit is the money without its tax. The tax is what the PaymentIntent says itself:
`amount_details.tax.total_tax_amount`, or `tax` in its metadata. Where the PaymentIntent points to a
document (`invoice`; `payment_details.order_reference` of a Checkout Session or an invoice;
`document` in its metadata: `checkout` or `invoice`), the purchase waits for that document and takes
its tax, or its part of an invoice's. A document that the payment does not point to changes no
amount: it might come after the receipt.

**Disputes.** Money follows the dispute's `balance_transactions`, each once by its id and without
Stripe's fee; an event's type moves nothing, and an inquiry (`warning_…`) neither moves nor decides
anything. A balance transaction in another currency than the charge's is converted back by its
`exchange_rate`; what differs from the disputed amount by no more than rounding is that amount.

**Metadata.** `account` is our account's external id; without it the Stripe customer names the
account. What the PaymentIntent and its charges say goes before what a Checkout Session or an
invoice says, so where a customer pays for several accounts, the name belongs into the
PaymentIntent's metadata. `bonus` and `tax` are decimals in the currency's unit ("10.00").

**Kept, not applied (PARKED), with the reason.** Events of an account that is not known: applied
within seconds of its appearance. A captured charge without its PaymentIntent, Checkout Session or
invoice. Refunds and disputes before their purchase settled: applied when it does. What the books
refuse, such as another currency than the account's: logged, and tried again with the payment's next
event.
"""
