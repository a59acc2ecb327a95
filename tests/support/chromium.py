"""What the Chromium of tests is started with."""

from typing import Final

# The bar of addresses draws what it proposes as two pages of Chromium's own, in every window: more
# work than to open a small page.
ADDRESS_BAR: Final = ("WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "WebUIOmniboxPopup")
# What Playwright switches off: its list would give way to another one.
PLAYWRIGHTS: Final = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    # Without these Chromium asks its maker's hosts, which has nothing to do with the page.
    "--disable-background-networking",
    "--disable-sync",
    f"--disable-features={','.join((*ADDRESS_BAR, *PLAYWRIGHTS))}",
)
