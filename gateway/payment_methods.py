"""Names of payment methods and card brands, as their owners write them. Pure.

One table for receipts, files, the schema and the page. Its keys are the names that Stripe gives to
the methods; other providers' names are added beside them.
"""

from typing import Final

METHODS: Final = {
    "ach_credit_transfer": "ACH credit transfer",
    "ach_debit": "ACH Direct Debit",
    "acss_debit": "Canadian pre-authorized debit",
    "affirm": "Affirm",
    "afterpay_clearpay": "Afterpay/Clearpay",
    "alipay": "Alipay",
    "alma": "Alma",
    "amazon_pay": "Amazon Pay",
    "amex_express_checkout": "Amex Express Checkout",
    "apple_pay": "Apple Pay",
    "au_becs_debit": "BECS Direct Debit",
    "bacs_debit": "Bacs Direct Debit",
    "bancontact": "Bancontact",
    "bank_transfer": "Bank transfer",
    "billie": "Billie",
    "bizum": "Bizum",
    "blik": "BLIK",
    "boleto": "Boleto",
    "card": "Card",
    "card_present": "Card",
    "cashapp": "Cash App Pay",
    "crypto": "Crypto",
    "customer_balance": "Bank transfer",
    "eps": "EPS",
    "fpx": "FPX",
    "giropay": "giropay",
    "google_pay": "Google Pay",
    "gopay": "GoPay",
    "grabpay": "GrabPay",
    "ideal": "iDEAL",
    "interac_present": "Interac",
    "kakao_pay": "Kakao Pay",
    "klarna": "Klarna",
    "konbini": "Konbini",
    "kr_card": "Korean card",
    "link": "Link",
    "masterpass": "Masterpass",
    "mb_way": "MB WAY",
    "mobilepay": "MobilePay",
    "multibanco": "Multibanco",
    "naver_pay": "Naver Pay",
    "nz_bank_account": "NZ bank account",
    "oxxo": "OXXO",
    "p24": "Przelewy24",
    "pay_by_bank": "Pay by Bank",
    "payco": "PAYCO",
    "paynow": "PayNow",
    "paypal": "PayPal",
    "paypay": "PayPay",
    "payto": "PayTo",
    "pix": "Pix",
    "promptpay": "PromptPay",
    "qris": "QRIS",
    "revolut_pay": "Revolut Pay",
    "samsung_pay": "Samsung Pay",
    "satispay": "Satispay",
    "scalapay": "Scalapay",
    "sepa_credit_transfer": "SEPA Credit Transfer",
    "sepa_debit": "SEPA Direct Debit",
    "shopeepay": "ShopeePay",
    "sofort": "Sofort",
    "stripe_account": "Stripe account",
    "sunbit": "Sunbit",
    "swish": "Swish",
    "twint": "TWINT",
    "upi": "UPI",
    "us_bank_account": "US bank account",
    "visa_checkout": "Visa Checkout",
    "wechat": "WeChat Pay",
    "wechat_pay": "WeChat Pay",
    "zip": "Zip",
}
"""Names of payment methods for people, by the provider's name."""

BRANDS: Final = {
    "american_express": "American Express",
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "diners_club": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos Australia",
    "elo": "Elo",
    "girocard": "girocard",
    "interac": "Interac",
    "jcb": "JCB",
    "link": "Link",
    "maestro": "Maestro",
    "mastercard": "Mastercard",
    "mir": "Mir",
    "rupay": "RuPay",
    "unionpay": "UnionPay",
    "unknown": "Card",
    "visa": "Visa",
    "visa_electron": "Visa Electron",
}
"""Names of card networks for people, by the provider's name."""

_KINDS: Final = {
    "CARD": "Card",
    "WALLET": "Wallet",
    "LINK": "Link",
    "BANK_ACCOUNT": "Bank account",
    "OTHER": "Other",
}
"""Names of methods of which only the kind is known."""

_CARDS: Final = frozenset({"card", "card_present"})
_CARD_WALLETS: Final = (
    "amex_express_checkout",
    "apple_pay",
    "google_pay",
    "link",
    "masterpass",
    "samsung_pay",
    "visa_checkout",
)
_EARLIER_LABELS: Final = {
    **{name.replace("_", " ").capitalize(): name for name in METHODS if name not in _CARDS},
    **{name.replace("_", " ").title(): name for name in _CARD_WALLETS},
}
"""The provider's name by the label that earlier versions made of it; they did not keep the name."""

_EARLIER_BRANDS: Final = ("amex", "diners", "jcb", "unionpay")
"""Brands that earlier versions wrote as their owners do."""

_DOTS: Final = "••••"


def readable(name: str) -> str:
    """Return a name that no table knows, begun like a sentence: `new_method` as "New method"."""
    text = name.replace("_", " ").strip()
    return f"{text[:1].upper()}{text[1:]}"


def method_label(name: str | None, label: str | None) -> str | None:
    """Return the name of a method beside its card: its bank's name, else its own; None for a plain
    card. `name` is the provider's; `label` is the stored bank's, or an earlier version's form of
    the name.
    """
    if name is None:
        earlier = _EARLIER_LABELS.get(label or "")
        return METHODS[earlier] if earlier else label
    return label or (None if name in _CARDS else _method_name(name))


def display_name(
    kind: str, name: str | None, brand: str | None, last4: str | None, label: str | None
) -> str:
    """Return how a person reads what something was paid with; never empty.

    A card is `Visa •••• 4242`, a wallet `Apple Pay (Visa •••• 4242)`, a bank account
    `SEPA Direct Debit •••• 3000`, or with its bank's name `US bank account (ACME •••• 6789)`.
    """
    has_bank = name is not None and label is not None
    method = method_label(name, None if has_bank else label)
    holder = _brand_name(brand) if brand else label if has_bank else None
    digits = f"{_DOTS} {last4}" if last4 else None
    account = " ".join(each for each in (holder, digits) if each)
    if method and holder:
        return f"{method} ({account})"
    return " ".join(each for each in (method or (not holder and _KINDS[kind]), account) if each)


def earlier_display_name(brand: str | None, last4: str | None, label: str | None) -> str:
    """Return how receipts of earlier versions name a method: a card's brand and last digits, or a
    wallet; empty where nothing is known.

    These receipts did not freeze the name, and their bytes must not change: brands beside
    `_EARLIER_BRANDS` are only capitalised.
    """
    named = BRANDS[brand] if brand in _EARLIER_BRANDS else brand and brand.capitalize()
    digits = f"{_DOTS} {last4}" if last4 else None
    card = " ".join(part for part in (named, digits) if part)
    if label and named:
        return f"{label} ({card})"
    return " ".join(part for part in (label, card) if part)


def _method_name(name: str) -> str:
    return METHODS.get(name) or readable(name)


def _brand_name(brand: str) -> str:
    return BRANDS.get(brand.lower().replace(" ", "_")) or readable(brand)
