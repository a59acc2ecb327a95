"""The files that `console/` was built into: pages, and the hashed files that they load."""

import asyncio
import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "static"
MANIFEST: Final = "persisted-documents.json"
HOW_TO_BUILD: Final = (
    "The page has not been built: run `make run` or `python hatch_build.py` in the source "
    "directory."
)
BROTLI: Final = "br"
GZIP: Final = "gzip"
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
    """A file with a content hash in its name; read on the first request, then kept."""

    path: Path
    has_brotli: bool = False
    """Whether the build has put Brotli's variant beside it."""
    _kept: dict[str | None, bytes] = field(default_factory=dict, init=False)

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.path.suffix, "application/octet-stream")

    @property
    def codings(self) -> tuple[str, ...]:
        """Its compressed variants, the smallest first."""
        if self.path.suffix not in _COMPRESSED:
            return ()
        return (BROTLI, GZIP) if self.has_brotli else (GZIP,)

    async def read(self, coding: str | None) -> bytes:
        """Return the file or one of its compressed variants; raises FileNotFoundError."""
        kept = self._kept.get(coding)
        return await asyncio.to_thread(self._load, coding) if kept is None else kept

    def _load(self, coding: str | None) -> bytes:
        content = (_brotli_of(self.path) if coding == BROTLI else self.path).read_bytes()
        self._kept[coding] = gzip.compress(content, mtime=0) if coding == GZIP else content
        return self._kept[coding]


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The files of a build; the directory may still be missing."""

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
        files = {path for path in root.rglob("*") if path.is_file()}
        return {
            path.relative_to(root).as_posix(): Asset(path, has_brotli=_brotli_of(path) in files)
            for path in files
            if path.suffix != f".{BROTLI}"
        }


def _brotli_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.{BROTLI}")
