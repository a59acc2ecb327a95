"""Every setting of the gateway, read once from the environment."""

from gateway.settings.settings import SETTINGS, Settings, load_settings

__all__ = ["SETTINGS", "Settings", "load_settings"]
