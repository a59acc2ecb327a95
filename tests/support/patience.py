"""How long what must come is waited for."""

from typing import Final

PATIENCE_SECONDS: Final = 120
"""More than a busy machine takes, so that only what never comes is too late."""
