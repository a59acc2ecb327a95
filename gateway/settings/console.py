"""The settings of the pages that the gateway serves, and of the documents it trusts."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from gateway.settings.values import Colour, KeysUrl, Origins, PlainName


class PageSettings(BaseSettings):
    """The part of the settings that is about pages; see `gateway.settings`."""

    console: bool = Field(True, description="Serves the page Billing & Usage at `/`.")
    graphiql: bool | None = Field(
        None,
        description="Serves GraphiQL at `/graphiql`. Default: in dev alone, and never with "
        "`GATEWAY_TRUSTED_ONLY`.",
    )
    frame_ancestors: Origins = Field(
        (),
        description="Origins of pages that may embed the page in a frame, "
        "`https://*.example.com` for all below one. Default: none may.",
    )
    top_up_url: KeysUrl | None = Field(
        None, description='Where "Add credit" leads (https). Default: none, and it is not shown.'
    )
    customer_portal_url: KeysUrl | None = Field(
        None,
        description='Where "Manage billing" leads (https), such as Stripe\'s customer portal. '
        "Default: none, and it is not shown.",
    )
    home_url: KeysUrl | None = Field(
        None, description='Where "Home" in the page\'s header leads (https). Default: none.'
    )
    help_url: KeysUrl | None = Field(
        None, description='Where "Help" in the page\'s header leads (https). Default: none.'
    )
    platform_name: PlainName | None = Field(
        None,
        description="The platform's name, of at most 50 characters: in the page's header, title "
        "and sign-in, and in GraphiQL's title.",
    )
    platform_logo: Path | None = Field(
        None,
        description="A PNG, JPEG or SVG file of at most 256 KiB: the page's picture beside its "
        "name, and its icon.",
    )
    platform_accent: Colour | None = Field(
        None,
        description="The page's colour of links, buttons, focus rings and charts. Its lightness is "
        "adjusted, for light and dark, to a contrast of 4.5:1. Default: `#3b5bdb`.",
    )
    oidc_issuer: KeysUrl | None = Field(
        None,
        description="OpenID provider that people sign in at (https), as its discovery document "
        "names itself. Default: none, and the page asks for an API key.",
    )
    oidc_client_id: str | None = Field(
        None,
        max_length=200,
        description="The page's client id at the provider: a public client, code flow with PKCE, "
        "redirected to `/callback` and, after its sign-out, to `/signed-out`.",
    )
    oidc_scope: str = Field(
        "openid", max_length=500, description="Scopes that the page asks the provider for."
    )
    oidc_origins: Origins = Field(
        (),
        description="Other origins that the provider answers the page at, such as its token "
        "endpoint's.",
    )
    trusted_documents: Path | None = Field(
        None,
        description="A manifest of operations that clients may send as their hash, beside the "
        "page's own: JSON, document by SHA-256.",
    )
    trusted_only: bool = Field(
        False, description="Serves the documents of the manifests and no other."
    )
