"""Names of downloaded files: the account, the content, the days and the filter."""

import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import Final

from gateway.exports.request import (
    LedgerExportRequest,
    PurchaseExportRequest,
    UsageExportRequest,
    UsageRows,
)

MAX_BYTES: Final = 200
"""A whole name is of 255 bytes at most on every usual file system, and copies' names get longer."""
OWNER_BYTES: Final = 140
SEARCH_BYTES: Final = 40
FEW: Final = 3
"""Most values of a filter in a file name; of more, the name has their number."""

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def purchases_name(owner: str, request: PurchaseExportRequest, extension: str) -> str:
    """Return a name such as `acme-credit-purchases-2026-01-01_2026-03-31-refunded.csv`."""
    words = [
        *_values(request.status, "statuses"),
        *_values(request.kind, "kinds"),
        *(
            [f"search-{_cut('-'.join(request.search.split()), SEARCH_BYTES)}"]
            if request.search
            else []
        ),
    ]
    return _name(owner, "credit-purchases", (request.from_, request.to), words, extension)


def ledger_name(owner: str, request: LedgerExportRequest, extension: str) -> str:
    """Return a name such as `acme-ledger-from-2026-01-01-adjustment.csv`."""
    words = list(_values(request.cause, "causes"))
    return _name(owner, "ledger", (request.from_, request.to), words, extension)


def usage_name(owner: str, request: UsageExportRequest, extension: str) -> str:
    """Return a name such as `acme-usage-2026-01-01_2026-03-31-by-week.csv`; of aggregated rows with
    `-buckets`, or `-series-gpu-model`.
    """
    days = (request.window.from_, request.window.to)
    words = [f"by-{request.interval.lower()}"]
    if request.rows is not UsageRows.CHARGES:
        dimensions = [each for each in (request.by, request.then) if each is not None]
        words += [each.lower().replace("_", "-") for each in (request.rows, *dimensions)]
    return _name(owner, "usage", days, words, extension)


def documents_name(owner: str, year: int) -> str:
    """Return a name such as `acme-documents-2026.zip`."""
    return f"{_cut(owner, OWNER_BYTES)}-documents-{year}.zip"


def _values(values: Collection[str] | None, many: str) -> Iterator[str]:
    """Yield the words of a filter's values; a filter of no value selects nothing, and says so."""
    if values is None:
        return
    if not 0 < len(values) <= FEW:
        yield f"{len(values)}-{many}"
        return
    yield from (each.lower().replace("_", "-") for each in sorted(values))


def _name(
    owner: str, what: str, days: tuple[date | None, date | None], words: list[str], extension: str
) -> str:
    from_, to = days
    window = (
        f"{from_}_{to}"
        if from_ and to
        else f"from-{from_}"
        if from_
        else f"until-{to}"
        if to
        else ""
    )
    begins = "-".join(filter(None, [_cut(owner, OWNER_BYTES), what, window]))
    left = MAX_BYTES - len(f"{begins}-.{extension}".encode())
    filter_ = _cut("-".join(words), left)
    return f"{'-'.join(filter(None, [begins, filter_]))}.{extension}"


def _cut(text: str, size: int) -> str:
    """Return a text as a part of a name of at most `size` bytes."""
    safe = _UNSAFE.sub("_", text)
    return safe.encode()[:size].decode(errors="ignore")
