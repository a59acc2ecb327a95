"""Stripe: what its events say of payments, and how that reaches the books.

An event is never acted on alone. It is stored under its payment (the PaymentIntent; the charge,
where there is none), and the payment is told to the books anew from everything that is stored of
it. So what comes late, twice or in another order ends in the same books.

| Event | Object | What it says |
|---|---|---|
| `payment_intent.*` | PaymentIntent | pending, to be confirmed, failed and why, canceled; whose |
| `charge.succeeded`, `.captured`, `.refunded` … | Charge | the money, when, how; refunds it lists |
| `charge.failed` | Charge | a failed attempt |
| `refund.*`, `charge.refund.updated` | Refund | money taken back, and how that goes |
| `charge.dispute.*` | Dispute | opened, funds withdrawn and reinstated, won, lost |
| `checkout.session.*`, `invoice.paid` | Session, Invoice | the tax, where it is waited for; whose |
| `invoice_payment.paid` | InvoicePayment | which PaymentIntent an invoice was paid with |
| any other | | recorded as IGNORED, like an event of test mode in production |

**What settles a purchase.** The captured charge and the PaymentIntent that succeeded, both known
(a PaymentIntent of an older version of the API brings its charge); a charge without a PaymentIntent
alone. Amounts, times, bonus and payment method are read from
these two and from nothing else, so a receipt is the same in whatever order they came. The purchase
is dated by the PaymentIntent, settled by the charge's own time. An endpoint therefore needs
`payment_intent.*`, `charge.*`, `refund.*` and, where tax comes from there, `checkout.session.*` or
`invoice.paid` and `invoice_payment.paid`.

**Invoices.** Since version 2025-03-31.basil an invoice's event does not say how it was paid, and an
InvoicePayment says nothing else. Each is half of a picture: recorded under the invoice, IGNORED as
long as it is alone. Both together are the picture that Stripe gives on request, taken as an event
of its own (`joined_…`) of the PaymentIntent. An invoice that names its PaymentIntent needs neither.

**Tax.** The credit is the money without its tax. The tax is what the PaymentIntent says itself:
`amount_details.tax.total_tax_amount`, or `tax` in its metadata. Where the PaymentIntent points to a
document (`invoice`; `payment_details.order_reference` of a Checkout Session; `document` in its
metadata: `checkout` or `invoice`), the purchase waits for that document and takes its tax, the
whole of it: an invoice that several payments share is not divided. A
document that the payment does not point to changes no amount: it might come after the receipt.

**Metadata.** `account` is our account's external id; without it the Stripe customer names the
account. What the PaymentIntent and its charges say goes before what a Checkout Session or an
invoice says, so where a customer pays for several accounts, the name belongs into the
PaymentIntent's metadata. `bonus` and `tax` are decimals in the currency's unit ("10.00").

**Kept, not applied (PARKED).** Events of an account that is not known: applied within seconds of
its appearance. Refunds and disputes before their purchase settled: applied when it does. What the
books refuse, such as another currency than the account's: logged, and tried again with the
payment's next event.
"""
