"""The seller's details, as settings give them."""

import json
from pathlib import Path
from zlib import compress, crc32

import pytest

from gateway.errors import ConfigurationError
from gateway.receipts.pdf import Logo, ReceiptPress
from gateway.receipts.picture import PICTURE_BYTES
from gateway.receipts.seller import Seller, read_seller
from gateway.settings import load_settings
from tests.support.receipts import source


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))
    + chunk(b"IDAT", compress(bytes([0, 59, 91, 219])))
    + chunk(b"IEND", b"")
)
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def test_settings_are_kept_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SELLER_NAME", "Northwind Compute GmbH")
    monkeypatch.setenv("GATEWAY_SELLER_ADDRESS", "Hafenstraße 12| 20457 Hamburg |\nGermany")
    monkeypatch.setenv("GATEWAY_SELLER_TAX_ID", "VAT ID DE123")
    monkeypatch.setenv("GATEWAY_SELLER_EMAIL", "billing@northwind.example")
    monkeypatch.setenv("GATEWAY_SELLER_ACCENT", "#D6336C")
    assert json.loads(read_seller(load_settings()).details) == {
        "name": "Northwind Compute GmbH",
        "address": ["Hafenstraße 12", "20457 Hamburg", "Germany"],
        "taxId": "VAT ID DE123",
        "email": "billing@northwind.example",
        "accent": "#d6336c",
    }


def test_a_seller_without_a_name_goes_by_the_public_urls_host() -> None:
    production = read_seller(load_settings(public_url="https://billing.example.com/b"))
    assert json.loads(production.details)["name"] == "billing.example.com"
    assert (
        json.loads(read_seller(load_settings(environment="dev")).details)["name"] == "Demo Compute"
    )


@pytest.mark.parametrize(("content", "kind"), [(PNG, "png"), (SVG, "svg")], ids=["png", "svg"])
def test_a_logo_is_kept_with_its_type_and_prints(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "logo"
    path.write_bytes(content)
    seller = read_seller(load_settings(seller_logo=path))
    assert seller == Seller(details=seller.details, logo=Logo(picture=content, type=kind))
    press = ReceiptPress()
    assert press.print(source(), Logo(picture=content, type=kind)) != press.print(source())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "the file cannot be read"),
        (b"GIF89a", "must be a PNG, JPEG or SVG file"),
        (PNG + b"\0" * PICTURE_BYTES, "must have at most 262,144 bytes"),
        (PNG[:30], "cannot be printed"),
        (b"<svg", "cannot be printed"),
    ],
    ids=["missing", "gif", "large", "half a png", "half an svg"],
)
def test_a_logo_that_cannot_be_used_stops_the_start(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "logo"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"GATEWAY_SELLER_LOGO: {reason}"):
        read_seller(load_settings(seller_logo=path))


@pytest.mark.parametrize("colour", ["blue", "#fff", "3b5bdb", "#3b5bdg"])
def test_a_colour_is_six_hexadecimal_digits(monkeypatch: pytest.MonkeyPatch, colour: str) -> None:
    monkeypatch.setenv("GATEWAY_SELLER_ACCENT", colour)
    with pytest.raises(ConfigurationError, match="GATEWAY_SELLER_ACCENT: must be a colour"):
        load_settings()
