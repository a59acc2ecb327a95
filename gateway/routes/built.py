"""What `console/` was built into: pages, and the hashed files that they load."""

import asyncio
import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "static"
MANIFEST: Final = "persisted-documents.json"
HOW_TO_BUILD: Final = (
    "The page has not been built: run `make run`, or `python hatch_build.py`, in the checkout."
)
_COMPRESSED: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
}
CONTENT_TYPES: Final = _COMPRESSED | {
    ".ico": "image/x-icon",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


@dataclass(slots=True)
class Asset:
    """A file whose name changes with its content; read when it is first asked for, then kept."""

    path: Path
    _plain: bytes | None = field(default=None, init=False)
    _gzipped: bytes | None = field(default=None, init=False)

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.path.suffix, "application/octet-stream")

    @property
    def compresses(self) -> bool:
        """Whether there is a compressed variant."""
        return self.path.suffix in _COMPRESSED

    async def read(self, *, gzipped: bool) -> bytes:
        """Return the file, `gzipped` where it compresses; raises FileNotFoundError."""
        kept = self._gzipped if gzipped else self._plain
        return await asyncio.to_thread(self._load, gzipped=gzipped) if kept is None else kept

    def _load(self, *, gzipped: bool) -> bytes:
        if not gzipped:
            self._plain = self.path.read_bytes()
            return self._plain
        self._gzipped = gzip.compress(self.path.read_bytes(), mtime=0)
        return self._gzipped


@dataclass(frozen=True, slots=True)
class Built:
    """The output of a build, or a folder where there is none yet."""

    folder: Path = FOLDER

    @property
    def manifest(self) -> Path | None:
        """The manifest of the page's documents; None where nothing was built."""
        path = self.folder / MANIFEST
        return path if path.exists() else None

    def page(self, name: str) -> str | None:
        """Return a page's HTML, None where it was not built."""
        path = self.folder / f"{name}.html"
        return path.read_text("utf-8") if path.exists() else None

    def assets(self) -> dict[str, Asset]:
        """Return the files that pages load, by their path below `assets/`."""
        root = self.folder / "assets"
        files = (path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): Asset(path) for path in files}
