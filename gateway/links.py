"""Signed links to one account's files, valid for a short time.

The signature covers the whole URL below the base URL: path, parameters, account and expiry. One
changed byte makes the link invalid.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from gateway.clock import Clock
from gateway.errors import BadUserInput, Forbidden
from gateway.principal import Permission, Principal
from gateway.signing import Signer

RECEIPT_PATH: Final = "/receipts/{number}.pdf"
STATEMENT_PATH: Final = "/statements/{number}.pdf"
PURCHASES_PATH: Final = "/exports/credit-purchases"
USAGE_PATH: Final = "/exports/usage"
LEDGER_PATH: Final = "/exports/ledger"
DOCUMENTS_PATH: Final = "/exports/documents"
READABLE: Final = 2_000
"""Most characters of a link's plain parameters; longer ones are compressed."""
MOST: Final = 7_000
"""Longest link, characters: common proxies and clients take 8 kB."""
_PACKED: Final = "packed"
_SIGNATURE: Final = "&signature="
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_CHANGED: Final = "This link is invalid; request a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The access that a valid link grants."""

    account_id: int
    parameters: Mapping[str, str]

    @property
    def principal(self) -> Principal:
        """The bearer as a principal: reads like an account key."""
        scopes = frozenset({Permission.BILLING_READ})
        return Principal(
            subject=f"link:{self.account_id}",
            key_id="link",
            account_id=self.account_id,
            scopes=scopes,
        )


class Links:
    """Signs and checks links below `base_url` that expire `seconds` after they were made."""

    def __init__(self, signer: Signer, clock: Clock, *, base_url: str, seconds: int) -> None:
        self._signer = signer
        self._clock = clock
        self._base_url = base_url
        self._lifetime = timedelta(seconds=seconds)

    def to_receipt(self, account_id: int, number: str) -> str:
        """Return a link to a receipt's document."""
        return self.to_receipts([account_id], [number])[0]

    def to_receipts(self, account_ids: Sequence[int], numbers: Sequence[str]) -> list[str]:
        """Return a link to the document of each receipt."""
        return self._to_documents(RECEIPT_PATH, account_ids, numbers)

    def to_statements(self, account_ids: Sequence[int], numbers: Sequence[str]) -> list[str]:
        """Return a link to the document of each statement."""
        return self._to_documents(STATEMENT_PATH, account_ids, numbers)

    def _to_documents(
        self, path: str, account_ids: Sequence[int], numbers: Sequence[str]
    ) -> list[str]:
        expires = self._expiry()
        return [
            self._signed(f"{path.format(number=number)}?", account_id, expires)
            for account_id, number in zip(account_ids, numbers, strict=True)
        ]

    def sign(self, path: str, account_id: int, parameters: Mapping[str, str] | None = None) -> str:
        """Return the link to `path` for an account; the parameters are readable in the link, unless
        they are long. Raises BadUserInput where the link would be longer than `MOST`.
        """
        query = urlencode(parameters or {})
        if len(query) > READABLE:
            packed = urlsafe_b64encode(zlib.compress(query.encode(), 9)).decode("ascii")
            query = urlencode({_PACKED: packed.rstrip("=")})
        link = self._signed(f"{path}?{query}{'&' * bool(query)}", account_id, self._expiry())
        if len(link) > MOST:
            raise BadUserInput(
                f"A link may have at most {MOST:,} characters, and with these values it would have "
                f"{len(link):,}. Request fewer values, or download the file with an API key.",
            )
        return link

    def _expiry(self) -> int:
        return int((self._clock.now() + self._lifetime).timestamp())

    def _signed(self, address: str, account_id: int, expires: int) -> str:
        signer = self._signer
        signed = f"{address}account={account_id}&expires={expires}&key={signer.key_id}"
        signature = b2a_base64(signer.sign(b"link", signed.encode()), newline=False)
        text = signature.translate(_URL_SAFE, b"=").decode("ascii")
        return f"{self._base_url}{signed}{_SIGNATURE}{text}"

    def check(self, path: str, query: str) -> Grant:
        """Return the access that a link grants; `query` is its undecoded text.

        Raises Forbidden for one that was changed, or moved to another path, or has expired.
        """
        signed_query, _, signature = query.rpartition(_SIGNATURE)
        parameters = dict(parse_qsl(signed_query, keep_blank_values=True))
        key_id = parameters.pop("key", "")
        signed = f"{path}?{signed_query}".encode()
        if not self._signer.verify(_decoded(signature), b"link", signed, key_id=key_id):
            raise Forbidden(_CHANGED)
        expires_at = datetime.fromtimestamp(int(parameters.pop("expires")), UTC)
        if self._clock.now() >= expires_at:
            raise Forbidden(
                f"This link expired at {expires_at:%Y-%m-%d %H:%M:%S} UTC; request a new one."
            )
        account_id = int(parameters.pop("account"))
        if packed := parameters.pop(_PACKED, None):
            query = zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4))).decode()
            parameters = dict(parse_qsl(query, keep_blank_values=True))
        return Grant(account_id=account_id, parameters=parameters)


def is_signed(query: str) -> bool:
    """Whether a query has a link's signature."""
    return "signature=" in query


def _decoded(signature: str) -> bytes:
    try:
        decoded = urlsafe_b64decode(f"{signature}=")
    except ValueError:
        return b""
    # One signature has one spelling: the last character's spare bits are not for free.
    spelled = urlsafe_b64encode(decoded).decode("ascii").rstrip("=")
    return decoded if spelled == signature else b""
