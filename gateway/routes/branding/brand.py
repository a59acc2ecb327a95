"""The platform's own name, picture, colour and links on the page."""

import re
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.receipts.picture import read_picture
from gateway.routes.branding.accent import derive_theme
from gateway.settings.console import ConsoleSettings

_ICON: Final = re.compile(r'<link rel="icon"[^>]*>')
_MEDIA_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "svg": "image/svg+xml"}
_HEADERS: Final = {
    "cache-control": "public, max-age=31536000, immutable",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    # Opened by itself, an SVG is a page: it runs nothing, loads nothing and has no origin.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; "
    "frame-ancestors 'none'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture and the path that it is served at, which changes with it."""

    path: str
    content: bytes = field(repr=False)
    media_type: str

    async def serve(self, _: Request) -> Response:
        return Response(self.content, media_type=self.media_type, headers=_HEADERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """The platform's name, logo, links and colours on the page; `style` is a style sheet."""

    name: str | None = None
    logo: Picture | None = None
    style: str = ""
    home_url: str | None = None
    help_url: str | None = None
    portal_url: str | None = None

    @classmethod
    def read(cls, settings: ConsoleSettings) -> Self:
        """Return the settings' brand; raises ConfigurationError for a logo that cannot be used."""
        accent = settings.platform_accent
        return cls(
            name=settings.platform_name,
            logo=_read_logo(settings),
            style=derive_theme(accent).style() if accent else "",
            home_url=settings.home_url,
            help_url=settings.help_url,
            portal_url=settings.customer_portal_url,
        )

    def routes(self) -> list[Route]:
        return [Route(self.logo.path, self.logo.serve)] if self.logo else []

    def bootstrap(self) -> dict[str, object]:
        """Return the brand's bootstrap settings."""
        return {
            "platform": self.name,
            "logoUrl": self.logo and self.logo.path,
            "homeUrl": self.home_url,
            "helpUrl": self.help_url,
            "portalUrl": self.portal_url,
        }

    def titled(self, html: str) -> str:
        """Return a page with the platform's name at the end of its title, and its icon."""
        if self.name:
            html = html.replace("</title>", f" · {escape(self.name)}</title>", 1)
        if self.logo:
            icon = f'<link rel="icon" type="{self.logo.media_type}" href="{self.logo.path}">'
            html = _ICON.sub(icon, html, count=1)
        return html

    def head(self, nonce: str) -> str:
        """Return the first elements of a page's head."""
        return f'<style nonce="{nonce}">{self.style}</style>' if self.style else ""


def _read_logo(settings: ConsoleSettings) -> Picture | None:
    if settings.platform_logo is None:
        return None
    content, kind = read_picture(settings.platform_logo, "GATEWAY_PLATFORM_LOGO")
    path = f"/platform/{sha256(content).hexdigest()[:16]}.{kind}"
    return Picture(path=path, content=content, media_type=_MEDIA_TYPES[kind])
