"""The longest wait of tests for something that must happen."""

from typing import Final

PATIENCE_SECONDS: Final = 120
"""Longer than a busy machine takes, so that only a missing event fails."""
