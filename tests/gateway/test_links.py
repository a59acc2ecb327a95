"""Links: what they grant, to what path, and for how long."""

from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import FixedClock
from gateway.errors import BadUserInput, Forbidden
from gateway.exports.request import UsageExportRequest
from gateway.links import MOST, READABLE, Grant, Links, is_signed
from gateway.signing import Signer, SigningKey
from gateway.store.usage_filter import UsageFilter
from gateway.windows import Interval, Window, zone

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD = SigningKey(id="old", secret=b"o" * 32)
NEW = SigningKey(id="new", secret=b"n" * 32)
ACCOUNT = 2**62 + 5
PATH = "/receipts/ABCD1234-2026-000001.pdf"


def links(*keys: SigningKey, at: datetime = NOW, seconds: int = 900) -> Links:
    signer = Signer(keys or (NEW,))
    return Links(signer, FixedClock(at), base_url="https://billing.example/b", seconds=seconds)


def parts(link: str) -> tuple[str, str]:
    """Return a link's path below the base URL, and its query."""
    split = urlsplit(link)
    return split.path.removeprefix("/b"), split.query


def test_a_link_grants_what_was_signed() -> None:
    link = links().sign("/exports/usage", ACCOUNT, {"format": "CSV", "from": "=é&account=1"})
    path, query = parts(link)
    assert link.startswith("https://billing.example/b/exports/usage?")
    assert is_signed(query)
    assert links().check(path, query) == Grant(
        account_id=ACCOUNT, parameters={"format": "CSV", "from": "=é&account=1"}
    )


def test_five_lists_of_a_hundred_values_fit_a_link() -> None:
    random = Random(1)
    selected = UsageFilter(
        deployments=tuple(2**62 + random.getrandbits(60) for _ in range(100)),
        providers=tuple(f"akash{random.getrandbits(60):x}.example" for _ in range(100)),
        gpu_models=tuple(f"NVIDIA RTX {n} Ada" for n in range(100)),
        projects=tuple(f"Zürich {n} / research" for n in range(100)),
        resources=tuple(f"GPU {n}" for n in range(100)),
    )
    request = UsageExportRequest(
        window=Window(from_=NOW.date(), to=NOW.date(), zone=zone("UTC")),
        interval=Interval.DAY,
        filter=selected,
        account_id=ACCOUNT,
    )
    given = request.parameters()
    assert len(urlencode(given)) > READABLE
    link = links().sign("/exports/usage", ACCOUNT, given)
    assert len(link) <= MOST
    path, query = parts(link)
    assert links().check(path, query) == Grant(account_id=ACCOUNT, parameters=given)
    with pytest.raises(Forbidden, match="is invalid"):
        links().check(path, query.replace("packed=", "packed=A"))


def test_a_link_that_no_proxy_would_take_is_refused() -> None:
    random = Random(1)
    given = {"projects": "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=20_000))}
    with pytest.raises(BadUserInput, match="at most 7,000 characters"):
        links().sign("/exports/usage", ACCOUNT, given)


def test_a_link_to_a_receipt_names_its_path() -> None:
    path, query = parts(links().to_receipt(ACCOUNT, "ABCD1234-2026-000001"))
    assert path == PATH
    assert links().check(path, query) == Grant(account_id=ACCOUNT, parameters={})


def test_links_to_many_receipts_are_those_of_each() -> None:
    numbers = [f"ABCD1234-2026-{number:06}" for number in range(3)]
    each = [links().to_receipt(ACCOUNT + index, number) for index, number in enumerate(numbers)]
    assert links().to_receipts([ACCOUNT, ACCOUNT + 1, ACCOUNT + 2], numbers) == each


PATH_SIGNED, QUERY_SIGNED = parts(links().to_receipt(ACCOUNT, "ABCD1234-2026-000001"))


@given(
    position=st.integers(0, len(PATH_SIGNED + QUERY_SIGNED) - 1),
    byte=st.characters(min_codepoint=33, max_codepoint=126),
)
def test_one_changed_byte_opens_nothing(position: int, byte: str) -> None:
    whole = PATH_SIGNED + QUERY_SIGNED
    if whole[position] == byte:
        return
    changed = whole[:position] + byte + whole[position + 1 :]
    path, query = changed[: len(PATH_SIGNED)], changed[len(PATH_SIGNED) :]
    with pytest.raises(Forbidden, match="is invalid"):
        links().check(path, query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "signature=",
        "&signature=",
        QUERY_SIGNED + "=",
        QUERY_SIGNED + "&signature=x",
        QUERY_SIGNED + "&more=1",
        "more=1&" + QUERY_SIGNED,
        QUERY_SIGNED[:-1],
        QUERY_SIGNED.replace("key=new", "key=old"),
        QUERY_SIGNED.replace("key=new", "key=%00"),
        QUERY_SIGNED + "\xff",
    ],
)
def test_a_malformed_link_opens_nothing(query: str) -> None:
    with pytest.raises(Forbidden, match="is invalid"):
        links().check(PATH, query)


def test_a_link_opens_no_other_path() -> None:
    with pytest.raises(Forbidden, match="is invalid"):
        links().check(PATH.replace("000001", "000002"), QUERY_SIGNED)


def test_a_link_holds_until_it_expires() -> None:
    path, query = parts(links(seconds=60).to_receipt(ACCOUNT, "ABCD1234-2026-000001"))
    links(at=NOW + timedelta(seconds=59.9)).check(path, query)
    with pytest.raises(Forbidden, match="expired at 2026-11-24 12:01:00 UTC"):
        links(at=NOW + timedelta(seconds=60)).check(path, query)


def test_a_link_outlives_the_rotation_of_its_key() -> None:
    path, query = parts(links(OLD).to_receipt(ACCOUNT, "ABCD1234-2026-000001"))
    links(NEW, OLD).check(path, query)
    with pytest.raises(Forbidden, match="is invalid"):
        links(NEW).check(path, query)
