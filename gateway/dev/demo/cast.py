"""The demo's people, accounts and deployments.

A moment of the story is given in thousandths of its length, so that a short one has all of it.
Prices are nanos of a US dollar an hour; an account in another currency pays them times its rate.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.purchase_state import PaymentMethod
from gateway.models import PaymentMethodType
from gateway.principal import Role
from gateway.store.buyers import BillingDetails

ADA: Final = "ada@demo"
GRACE: Final = "grace@demo"
NAMES: Final = {ADA: "Ada Okonkwo", GRACE: "Grace Lindqvist"}

GPU_PRICES: Final = {
    "h200": 3_190_000_000,
    "h100": 2_290_000_000,
    "a100": 1_190_000_000,
    "l40s": 790_000_000,
    "rtx4090": 340_000_000,
    "t4": 149_990_000,
}


class Rhythm(StrEnum):
    """How a deployment's load moves."""

    SERVICE = "SERVICE"  # people's days and weekends, and growth
    JOB = "JOB"  # full load until it is done
    OFFICE = "OFFICE"  # on working days, and not in idle weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One deployment, or one after another every `every_days`, each living up to `life_days`.

    Charged every `hours` for what it leases.
    """

    name: str
    provider: str
    region: str
    project: str | None = None
    gpu_model: str | None = None
    gpus: int = 0
    cpus: int = 0
    memory_gib: int = 0
    storage_gib: int = 0
    egress_gib: int = 0
    ips: int = 0
    hours: int = 6
    rhythm: Rhythm = Rhythm.SERVICE
    opens: int = 0
    every_days: int | None = None
    life_days: int | None = None
    named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax:
    """A tax of an account's purchases, as a payment provider names it."""

    name: str
    per_mille: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """An account. It buys every `every_days` what it will use and `cover` per cent of that, until
    `stops`; `rate` is thousandths of its currency for a dollar. It is warned when it has no more
    than `low_amount` units of its currency, or what lasts `low_days`.
    """

    external_id: str
    name: str
    currency: str
    time_zone: str
    members: tuple[tuple[str, Role], ...]
    fleets: tuple[Fleet, ...] = ()
    methods: tuple[PaymentMethod, ...] = ()
    rate: int = 1_000
    taxes: tuple[Tax, ...] = ()
    billing: BillingDetails | None = None
    opens: int = 0
    every_days: int = 14
    cover: int = 115
    step: int = 10
    stops: int | None = None
    low_amount: int | None = None
    low_days: int | None = 7
    leading: bool = False


def _card(brand: str, last4: str) -> PaymentMethod:
    return PaymentMethod(type=PaymentMethodType.CARD, name="card", brand=brand, last4=last4)


_WALLET: Final = PaymentMethod(
    type=PaymentMethodType.WALLET, name="apple_pay", brand="visa", last4="1881"
)
_LINK: Final = PaymentMethod(type=PaymentMethodType.LINK, name="link")
BANK: Final = PaymentMethod(type=PaymentMethodType.BANK_ACCOUNT, name="sepa_debit", last4="3000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """An adjustment of the leading account's balance, at a moment of the story."""

    at: int
    cents: int
    reason: str
    source: SourceKey


ADJUSTMENTS: Final = (
    Adjustment(
        at=550,
        cents=-12_34,
        reason="Correction of an invoice",
        source=SourceKey.demo("invoice-correction"),
    ),
    Adjustment(
        at=968,
        cents=150_00,
        reason="Service credit: half a day without chat-api (SLA 4.2)",
        source=SourceKey.demo("service-credit"),
    ),
    Adjustment(
        at=995,
        cents=-18_75,
        reason="A coupon was counted twice",
        source=SourceKey.demo("coupon-correction"),
    ),
)

LEADER: Final = Player(
    external_id="demo-aurora",
    name="Aurora Inference GmbH",
    currency="USD",
    time_zone="Europe/Berlin",
    members=((ADA, Role.OWNER), (GRACE, Role.BILLING)),
    taxes=(Tax(name="VAT", per_mille=190),),
    billing={
        "name": "Aurora Inference GmbH, Accounts payable",
        "address": ["Lindenallee 7", "20097 Hamburg", "Germany"],
        "taxId": "VAT ID DE000000000",
    },
    every_days=5,
    cover=97,
    step=50,
    low_amount=500,
    leading=True,
    methods=(_card("visa", "4242"), _card("mastercard", "4444"), _WALLET, _LINK),
    fleets=(
        Fleet(
            name="chat-api",
            project="assistant",
            provider="hetzner-gpu",
            region="eu-central",
            gpu_model="h100",
            gpus=2,
            cpus=32,
            memory_gib=256,
            storage_gib=1_000,
            egress_gib=40,
            ips=1,
            hours=1,
        ),
        Fleet(
            name="embeddings",
            project="search",
            provider="northpole.cloud",
            region="eu-north",
            gpu_model="l40s",
            gpus=1,
            cpus=8,
            memory_gib=64,
            storage_gib=200,
            hours=3,
            opens=180,
        ),
        Fleet(
            name="finetune",
            project="assistant",
            provider="lambda-west",
            region="us-west",
            gpu_model="a100",
            gpus=8,
            cpus=96,
            memory_gib=768,
            storage_gib=4_000,
            hours=3,
            rhythm=Rhythm.JOB,
            opens=30,
            every_days=23,
            life_days=5,
        ),
        Fleet(
            name="pretrain",
            project="research",
            provider="northpole.cloud",
            region="eu-north",
            gpu_model="h200",
            gpus=8,
            cpus=128,
            memory_gib=1_024,
            storage_gib=8_000,
            hours=3,
            rhythm=Rhythm.JOB,
            opens=450,
            every_days=61,
            life_days=4,
        ),
        Fleet(
            name="notebook",
            provider="basement-gpus",
            region="us-east",
            gpu_model="rtx4090",
            gpus=1,
            cpus=8,
            memory_gib=32,
            storage_gib=100,
            rhythm=Rhythm.OFFICE,
            opens=60,
            every_days=45,
            life_days=70,
        ),
    ),
)

PLAYERS: Final = (
    LEADER,
    Player(
        external_id="demo-nimbus",
        name="株式会社ニンバス",
        currency="JPY",
        time_zone="Asia/Tokyo",
        members=((ADA, Role.OWNER), (GRACE, Role.VIEWER)),
        rate=150_000,
        taxes=(Tax(name="消費税", per_mille=100),),
        every_days=20,
        step=1_000,
        opens=90,
        methods=(_card("jcb", "0505"),),
        fleets=(
            Fleet(
                name="翻訳サービス",
                project="翻訳",
                provider="tokyo-compute",
                region="jp-east",
                gpu_model="l40s",
                gpus=2,
                cpus=16,
                memory_gib=128,
                storage_gib=400,
                egress_gib=10,
                hours=3,
            ),
        ),
    ),
    Player(
        external_id="demo-falcon",
        name="صقر للذكاء الاصطناعي",
        currency="KWD",
        time_zone="Asia/Kuwait",
        members=((ADA, Role.OWNER),),
        billing={
            "name": "شركة صقر للذكاء الاصطناعي",
            "address": ["شارع الخليج العربي", "مدينة الكويت", "الكويت"],
            "taxId": None,
        },
        rate=307,
        every_days=30,
        step=5,
        low_days=90,  # a purchase takes its office a quarter: it is always late
        opens=250,
        methods=(_card("visa", "0077"), _WALLET),
        fleets=(
            Fleet(
                name="speech",
                project="dispatch",
                provider="gulf-gpu",
                region="me-central",
                gpu_model="a100",
                gpus=1,
                cpus=12,
                memory_gib=96,
                storage_gib=300,
            ),
        ),
    ),
    Player(
        external_id="demo-tinker",
        name="Ada’s weekend box",
        currency="USD",
        time_zone="America/New_York",
        members=((ADA, Role.OWNER),),
        taxes=(
            Tax(name="New York State sales tax", per_mille=40),
            Tax(name="New York City sales tax", per_mille=45),
        ),
        every_days=365,
        step=5,
        methods=(_card("amex", "0005"),),
        fleets=(
            Fleet(
                name="hello",
                provider="basement-gpus",
                region="us-east",
                storage_gib=1,
                hours=24,
                rhythm=Rhythm.JOB,
            ),
        ),
    ),
    Player(
        external_id="demo-new",
        name="Naïve & Söhne",
        currency="EUR",
        time_zone="Europe/Paris",
        members=((ADA, Role.OWNER),),
        opens=997,
        low_days=None,
    ),
    Player(
        external_id="demo-render",
        name="Рендер-ферма «Искра»",
        currency="USD",
        time_zone="Asia/Kathmandu",
        members=((GRACE, Role.OWNER),),
        every_days=7,
        cover=90,
        step=25,
        low_amount=100,
        opens=120,
        stops=880,
        methods=(_card("unionpay", "0005"), _LINK),
        fleets=(
            Fleet(
                name="frames",
                project="film-2026",
                provider="basement-gpus",
                region="us-east",
                gpu_model="rtx4090",
                gpus=4,
                cpus=32,
                memory_gib=128,
                storage_gib=2_000,
                named=False,
            ),
        ),
    ),
    Player(
        external_id="demo-agata",
        name="Laboratório Ágata",
        currency="EUR",
        time_zone="America/Sao_Paulo",
        members=((GRACE, Role.OWNER), (ADA, Role.VIEWER)),
        rate=920,
        taxes=(Tax(name="IVA", per_mille=210),),
        every_days=40,
        step=20,
        opens=300,
        methods=(_card("elo", "5904"),),
        fleets=(
            Fleet(
                name="genomics",
                project="sequencing",
                provider="lambda-west",
                region="us-west",
                gpu_model="t4",
                gpus=2,
                cpus=16,
                memory_gib=64,
                storage_gib=500,
                rhythm=Rhythm.OFFICE,
            ),
        ),
    ),
)
