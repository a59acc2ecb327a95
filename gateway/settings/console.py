"""The pages that the gateway serves, the platform's brand and the sign-in."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gateway.settings.group import Group, Named
from gateway.settings.values import Colour, DeploymentUrl, KeysUrl, Origins, PlainName


class ConsoleSettings(Group):
    """The pages that the gateway serves, the platform's brand and the sign-in."""

    enabled: Annotated[bool, Named("console")] = Field(
        True, description="Serve the Billing & Usage page at `/`."
    )
    graphiql: bool | None = Field(
        None,
        description="Serve GraphiQL at `/graphiql`. Default: in dev only, and never with "
        "`GATEWAY_TRUSTED_ONLY`.",
    )
    frame_ancestors: Origins = Field(
        (),
        description="Origins of sites that may embed the page in a frame; "
        "`https://*.example.com` allows every subdomain. Default: none.",
    )
    top_up_url: KeysUrl | None = Field(
        None,
        description='Target of the "Add credit" button (https). Without a URL the button '
        "is hidden.",
    )
    deployment_url: DeploymentUrl | None = Field(
        None,
        description='Target of the "Open deployment" link on a deployment\'s page (https), with '
        "`{externalId}` in place of the platform's id of the deployment. Without a URL the link "
        "is hidden.",
    )
    customer_portal_url: KeysUrl | None = Field(
        None,
        description='Target of the "Manage billing" link (https), such as Stripe\'s customer '
        "portal. Without a URL the link is hidden.",
    )
    home_url: KeysUrl | None = Field(
        None,
        description='Target of "Home" in the page\'s header (https). Without a URL the '
        "link is hidden.",
    )
    help_url: KeysUrl | None = Field(
        None,
        description='Target of "Help" in the page\'s header (https). Without a URL the '
        "link is hidden.",
    )
    platform_name: PlainName | None = Field(
        None,
        description="Platform name, at most 50 characters; shown in the page's header, title "
        "and sign-in form, and in GraphiQL's title.",
    )
    platform_logo: Path | None = Field(
        None,
        description="PNG, JPEG or SVG file, at most 256 KiB; the logo beside the platform's "
        "name, and the page's icon.",
    )
    platform_accent: Colour | None = Field(
        None,
        description="Colour of the page's links, buttons, focus rings and charts. Its lightness "
        "is adjusted to a contrast of 4.5:1 in the light and the dark theme. "
        "Default: `#3b5bdb`.",
    )
    oidc_issuer: KeysUrl | None = Field(
        None,
        description="Issuer URL of the OpenID provider for signing in (https), exactly as in "
        "its discovery document. Without an issuer the page signs in with an API "
        "key.",
    )
    oidc_client_id: str | None = Field(
        None,
        max_length=200,
        description="The page's client id at the OpenID provider: a public client with "
        "authorization code and PKCE. Redirect URIs: `/callback`, and `/signed-out` "
        "after signing out.",
    )
    oidc_scope: str = Field(
        "openid",
        max_length=500,
        description="OAuth scopes that the page requests, separated by spaces.",
    )
    oidc_origins: Origins = Field(
        (),
        description="More origins of the OpenID provider, such as its token endpoint's.",
    )
