"""The seller's details as settings give them, and as every receipt keeps those it was issued
under.
"""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from gateway.audit.deeds import Act, Deed, record
from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.ids import KeyFactory
from gateway.principal import Actor
from gateway.receipts.pdf import Logo
from gateway.receipts.picture import read_picture
from gateway.settings import Settings
from gateway.store import Database, sellers
from gateway.store.engine.stored_json import dumps
from gateway.store.sellers import SellerCells, SellerRow, parse_details

ACTOR: Final = Actor.operator("seller")

DEMO_NAME: Final = "Demo Compute"
_SETTING: Final = "GATEWAY_SELLER_LOGO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """`details` is the JSON that receipts are printed from, where any are issued."""

    details: str
    logo: Logo | None = None
    issues_receipts: bool = True

    @classmethod
    def from_row(cls, row: SellerRow) -> Self:
        picture, kind = row["logo"], row["logo_type"]
        logo = Logo(picture=picture, type=kind) if picture and kind else None
        return cls(details=row["details"], logo=logo, issues_receipts=row["issues_receipts"])


def read_seller(settings: Settings, *, default_name: str | None = None) -> Seller:
    """Return the seller's details; without a name `default_name`, else the public URL's host, which
    only exports are written with. Raises ConfigurationError for a logo that cannot be used.
    """
    details = dumps(
        {
            "name": settings.seller.name or default_name or _default_name(settings),
            "address": list(settings.seller.address),
            "taxId": settings.seller.tax_id,
            "email": settings.seller.email,
            "accent": settings.seller.accent,
        }
    )
    if settings.seller.logo is None:
        return Seller(details=details, issues_receipts=settings.seller.issues_receipts)
    picture, kind = read_picture(settings.seller.logo, _SETTING)
    logo = Logo(picture=picture, type=kind)
    if not logo.is_printable():
        raise ConfigurationError(f"{_SETTING}: cannot be printed; the file may be damaged.")
    return Seller(details=details, logo=logo, issues_receipts=settings.seller.issues_receipts)


async def keep_seller(
    database: Database, seller: Seller, clock: Clock, *, actor: Actor, replace: bool = True
) -> None:
    """Store the details for future receipts, unless they are already the current ones; without
    `replace`, only if none are stored.
    """
    async with database.writing(ACTOR) as transaction:
        newest = await sellers.newest(transaction)
        if newest and (not replace or Seller.from_row(newest) == seller):
            return
        version = SellerCells(
            id=KeyFactory(clock).new(),
            details=seller.details,
            logo=seller.logo.picture if seller.logo else None,
            logo_type=seller.logo.type if seller.logo else None,
            created_at=clock.now(),
            issues_receipts=seller.issues_receipts,
        )
        await sellers.append(transaction, version)
        act = Act(Deed.SELLER_CHANGED, target=parse_details(seller.details)["name"])
        await record(transaction, actor, [act], clock=clock)


def _default_name(settings: Settings) -> str | None:
    dev = settings.environment == "dev"
    return DEMO_NAME if dev else urlsplit(settings.base_url).hostname
