"""Secrets of dev mode, in place of an identity provider: created once and stored in the data
directory.
"""

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from joserfc.jwk import ECKey

from gateway.errors import ConfigurationError

KEY_FILE: Final = "dev-key.pem"
SIGNING_KEYS_FILE: Final = "dev-signing-keys"
SIGNING_KEY_ID: Final = "dev"


def keep_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the file's content; create a missing file first.

    Two starters at once get the same bytes, and none ever reads half of them. The file has mode
    0600, also where it was there with another. Raises ConfigurationError where it cannot be kept.
    """
    try:
        if not path.exists():
            _create(path, make())
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"GATEWAY_DATA_DIR: {path.name} cannot be written there ({error.strerror})."
        ) from None


def _create(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
        # A link appears whole or not at all; where another starter was first, its file counts.
        with suppress(FileExistsError):
            os.link(draft.name, path)


def dev_key(data_dir: Path) -> ECKey:
    """Return the private key (P-256) that signs dev tokens."""
    pem = keep_secret(data_dir / KEY_FILE, lambda: ECKey.generate_key("P-256").as_pem(private=True))
    return ECKey.import_key(pem)


def dev_signing_keys(data_dir: Path) -> str:
    """Return a value for `GATEWAY_SIGNING_KEYS`."""
    text = keep_secret(
        data_dir / SIGNING_KEYS_FILE,
        lambda: f"{SIGNING_KEY_ID}:{secrets.token_urlsafe(48)}".encode(),
    )
    return text.decode("ascii")
