"""Pictures that settings name: read whole when the gateway starts, or refused."""

from pathlib import Path
from typing import Final

from gateway.errors import ConfigurationError

PICTURE_BYTES: Final = 262_144


def read_picture(path: Path, setting: str) -> tuple[bytes, str]:
    """Return a picture and its kind: `png`, `jpg` or `svg`. Raises ConfigurationError, which names
    the setting.
    """
    try:
        with path.open("rb") as file:
            content = file.read(PICTURE_BYTES + 1)
    except OSError:
        raise ConfigurationError(f"{setting}: the file cannot be read.") from None
    if len(content) > PICTURE_BYTES:
        raise ConfigurationError(f"{setting}: must have at most {PICTURE_BYTES:,} bytes.")
    return content, _kind_of(content, setting)


def _kind_of(content: bytes, setting: str) -> str:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if b"<svg" in content[:1024]:
        return "svg"
    raise ConfigurationError(f"{setting}: must be a PNG, JPEG or SVG file.")
