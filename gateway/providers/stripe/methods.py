"""How a payment was made, from Stripe's details of its method."""

from typing import Final

from gateway.billing.purchases.purchase_state import PaymentMethod
from gateway.models import PaymentMethodType
from gateway.providers.stripe.texts import Json, object_of, text_of

_WALLETS: Final = frozenset(
    [
        "alipay",
        "amazon_pay",
        "cashapp",
        "grabpay",
        "kakao_pay",
        "mobilepay",
        "naver_pay",
        "paypal",
        "revolut_pay",
        "samsung_pay",
        "twint",
        "wechat_pay",
    ]
)
_BANKS: Final = frozenset(
    [
        "ach_credit_transfer",
        "ach_debit",
        "acss_debit",
        "au_becs_debit",
        "bacs_debit",
        "bank_transfer",
        "customer_balance",
        "eps",
        "fpx",
        "ideal",
        "nz_bank_account",
        "p24",
        "sepa_credit_transfer",
        "sepa_debit",
        "sofort",
        "us_bank_account",
    ]
)


def method_of(details: object) -> PaymentMethod | None:
    """Return the method of `payment_method_details`, or of a PaymentMethod: same shape."""
    method = object_of(details)
    name = text_of(method.get("type"), 50)
    if name is None:
        return None
    parts = object_of(method.get(name))
    if name in {"card", "card_present"}:
        return _card(name, parts)
    kind = PaymentMethodType.LINK if name == "link" else _kind(name)
    if kind in {PaymentMethodType.LINK, PaymentMethodType.WALLET}:
        return PaymentMethod(type=kind, name=name)
    return PaymentMethod(
        type=kind,
        name=name,
        last4=text_of(parts.get("last4"), 4),
        label=text_of(parts.get("bank_name"), 200),
    )


def _kind(name: str) -> PaymentMethodType:
    if name in _WALLETS:
        return PaymentMethodType.WALLET
    return PaymentMethodType.BANK_ACCOUNT if name in _BANKS else PaymentMethodType.OTHER


def _card(name: str, card: Json) -> PaymentMethod:
    wallet = text_of(object_of(card.get("wallet")).get("type"), 50)
    kind = PaymentMethodType.WALLET if wallet else PaymentMethodType.CARD
    return PaymentMethod(
        type=PaymentMethodType.LINK if wallet == "link" else kind,
        name=wallet or name,
        brand=text_of(card.get("brand"), 50),
        last4=text_of(card.get("last4"), 4),
    )
