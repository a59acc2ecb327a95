"""Every setting of the gateway, read once from the environment."""

from gateway.settings.settings import Settings, load_settings

__all__ = ["Settings", "load_settings"]
