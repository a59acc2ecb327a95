"""The seller's details as settings give them, and as every receipt keeps those it was issued
under.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.ids import KeyFactory
from gateway.settings import Settings
from gateway.store import Database, sellers
from gateway.store.stored_json import dumps

LOGO_BYTES: Final = 262_144
_SETTING: Final = "GATEWAY_SELLER_LOGO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """`details` is the JSON that receipts are printed from; `logo` is a picture of `logo_type`."""

    details: str
    logo: bytes | None = None
    logo_type: str | None = None


def read_seller(settings: Settings) -> Seller:
    """Return the seller's details. Raises ConfigurationError for a logo that cannot be used."""
    details = dumps(
        {
            "name": settings.seller_name or _default_name(settings),
            "address": list(settings.seller_address),
            "taxId": settings.seller_tax_id,
            "email": settings.seller_email,
            "accent": settings.seller_accent,
        }
    )
    if settings.seller_logo is None:
        return Seller(details=details)
    logo = _read_logo(settings.seller_logo)
    return Seller(details=details, logo=logo, logo_type=_type_of(logo))


async def keep_seller(database: Database, seller: Seller, clock: Clock) -> None:
    """Put the details in force for what is issued from now on, unless they are already."""
    async with database.writing() as transaction:
        newest = await sellers.newest(transaction)
        if newest and seller == Seller(
            details=newest["details"], logo=newest["logo"], logo_type=newest["logo_type"]
        ):
            return
        await sellers.append(
            transaction,
            KeyFactory(clock).new(),
            seller.details,
            seller.logo,
            seller.logo_type,
            clock.now(),
        )


def _default_name(settings: Settings) -> str | None:
    dev = settings.environment == "dev"
    return "Demo Compute" if dev else urlsplit(settings.base_url).hostname


def _read_logo(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            logo = file.read(LOGO_BYTES + 1)
    except OSError:
        raise ConfigurationError(f"{_SETTING}: names no file that can be read.") from None
    if len(logo) > LOGO_BYTES:
        raise ConfigurationError(f"{_SETTING}: must have at most {LOGO_BYTES:,} bytes.")
    return logo


def _type_of(logo: bytes) -> str:
    if logo.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if logo.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if b"<svg" in logo[:1024]:
        return "svg"
    raise ConfigurationError(f"{_SETTING}: must be a PNG, JPEG or SVG file.")
