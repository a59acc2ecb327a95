import asyncio
import gzip
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from joserfc.jwk import ECKey

from gateway.auth.jwks import RemoteKeys
from gateway.auth.jwt import TokenVerifier
from gateway.auth.rejected import Rejected
from gateway.clock import FixedClock
from gateway.errors import ServiceUnavailable
from tests.gateway.auth.issuer import AUDIENCE, ISSUER, NOW, Issuer, key_set, new_key, sign

OLD = new_key("old")
NEW = new_key("new")
YEAR = 365 * 86_400


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer(OLD) as server:
        yield server


@pytest.fixture
async def keys(issuer: Issuer, clock: FixedClock) -> AsyncIterator[RemoteKeys]:
    source = RemoteKeys(issuer.url, clock)
    yield source
    await source.aclose()


@pytest.fixture
def verifier(keys: RemoteKeys, clock: FixedClock) -> TokenVerifier:
    return TokenVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE, clock=clock)


def token(key: ECKey) -> str:
    return sign(key, header={"kid": key.kid}, exp=int(NOW.timestamp()) + YEAR)


async def is_accepted(verifier: TokenVerifier, key: ECKey) -> bool:
    try:
        return (await verifier.verify(token(key))).subject == "auth0|42"
    except Rejected:
        return False


async def test_keys_are_fetched_once_in_ten_minutes(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock
) -> None:
    for minutes, fetches in ((0, 1), (5, 1), (9.9, 1), (10, 2), (19, 2), (21, 3)):
        clock.instant = NOW + timedelta(minutes=minutes)
        assert await is_accepted(verifier, OLD)
        assert issuer.fetches == fetches, minutes


async def test_requests_at_once_share_one_fetch(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.delay = 0.05
    principals = await asyncio.gather(*(verifier.verify(token(OLD)) for _ in range(50)))
    assert {principal.subject for principal in principals} == {"auth0|42"}
    assert issuer.fetches == 1


async def test_a_caller_that_leaves_does_not_end_the_fetch_of_the_others(
    issuer: Issuer, keys: RemoteKeys
) -> None:
    issuer.delay = 0.1
    first = asyncio.create_task(keys.find("old"))
    second = asyncio.create_task(keys.find("old"))
    await asyncio.sleep(0.05)
    first.cancel()
    assert [key.kid for key in await second] == ["old"]
    assert issuer.fetches == 1


async def test_a_thousand_unknown_kids_cost_at_most_one_fetch(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock
) -> None:
    assert await is_accepted(verifier, OLD)
    clock.instant += timedelta(seconds=31)
    spent = []
    for number in range(1000):
        bad = sign(OLD, header={"kid": f"random-{number}"})
        started = time.process_time()
        with pytest.raises(Rejected):
            await verifier.verify(bad)
        spent.append(time.process_time() - started)
    assert issuer.fetches == 2
    assert sorted(spent)[990] < 0.005
    assert await is_accepted(verifier, OLD)


async def test_unknown_kids_at_once_share_one_fetch(
    issuer: Issuer, keys: RemoteKeys, clock: FixedClock
) -> None:
    await keys.find("old")
    clock.instant += timedelta(seconds=31)
    issuer.delay = 0.05
    found = await asyncio.gather(*(keys.find(f"random-{number}") for number in range(1000)))
    assert not any(found)
    assert issuer.fetches == 2


async def test_a_new_key_is_accepted_after_at_most_thirty_seconds(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock
) -> None:
    assert await is_accepted(verifier, OLD)
    issuer.body = key_set(OLD, NEW)
    clock.instant = NOW + timedelta(seconds=29)
    assert not await is_accepted(verifier, NEW)
    clock.instant = NOW + timedelta(seconds=30)
    assert await is_accepted(verifier, NEW)
    assert await is_accepted(verifier, OLD)
    assert issuer.fetches == 2


async def test_a_withdrawn_key_is_refused_after_at_most_ten_minutes(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock
) -> None:
    assert await is_accepted(verifier, OLD)
    issuer.body = key_set(NEW)
    clock.instant = NOW + timedelta(minutes=9, seconds=59)
    assert await is_accepted(verifier, OLD)
    clock.instant = NOW + timedelta(minutes=10)
    assert not await is_accepted(verifier, OLD)
    assert await is_accepted(verifier, NEW)


async def test_an_unchanged_document_keeps_its_keys(
    issuer: Issuer, keys: RemoteKeys, clock: FixedClock
) -> None:
    (before,) = await keys.find("old")
    clock.instant += timedelta(minutes=11)
    (after,) = await keys.find("old")
    assert after is before
    assert issuer.fetches == 2


async def fail_with_status(issuer: Issuer) -> None:
    issuer.status = 500


async def fail_with_redirect(issuer: Issuer) -> None:
    issuer.status = 302
    issuer.headers = {"Location": issuer.url + "/elsewhere"}
    issuer.body = key_set(NEW)


async def fail_with_size(issuer: Issuer) -> None:
    issuer.body = key_set(NEW) + b" " * 64 * 1024


async def fail_with_nonsense(issuer: Issuer) -> None:
    issuer.body = b"<html>"


async def fail_with_no_keys(issuer: Issuer) -> None:
    issuer.body = b'{"keys": []}'


async def fail_with_packed_body(issuer: Issuer) -> None:
    issuer.headers = {"Content-Encoding": "gzip"}
    issuer.body = gzip.compress(key_set(NEW) + b" " * 1_000_000)


async def fail_with_cut_body(issuer: Issuer) -> None:
    issuer.headers = {"Content-Length": str(len(issuer.body) + 9)}


async def fail_with_closed_port(issuer: Issuer) -> None:
    issuer._server.close()


Fail = Callable[[Issuer], Awaitable[None]]

FAILURES: list[Fail] = [
    fail_with_status,
    fail_with_redirect,
    fail_with_size,
    fail_with_nonsense,
    fail_with_no_keys,
    fail_with_packed_body,
    fail_with_cut_body,
    fail_with_closed_port,
]


@pytest.mark.parametrize("fail", FAILURES)
async def test_after_a_failed_fetch_the_last_keys_serve_for_a_day(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock, fail: Fail
) -> None:
    assert await is_accepted(verifier, OLD)
    await fail(issuer)
    for age in (timedelta(minutes=10), timedelta(hours=23, minutes=59)):
        clock.instant = NOW + age
        assert await is_accepted(verifier, OLD)
        assert not await is_accepted(verifier, NEW)
    clock.instant = NOW + timedelta(hours=24)
    with pytest.raises(ServiceUnavailable):
        await verifier.verify(token(OLD))
    assert set(issuer.paths) == {"/keys"}


@pytest.mark.parametrize("fail", FAILURES)
async def test_without_any_keys_the_service_is_unavailable(
    issuer: Issuer, verifier: TokenVerifier, fail: Fail
) -> None:
    await fail(issuer)
    with pytest.raises(ServiceUnavailable, match="cannot be fetched"):
        await verifier.verify(token(OLD))


async def test_a_failing_issuer_is_asked_once_in_thirty_seconds(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock
) -> None:
    issuer.status = 503
    for second in range(0, 60, 3):
        clock.instant = NOW + timedelta(seconds=second)
        with pytest.raises(ServiceUnavailable):
            await verifier.verify(token(OLD))
    assert issuer.fetches == 2
    issuer.status = 200
    clock.instant = NOW + timedelta(seconds=60)
    assert await is_accepted(verifier, OLD)


async def test_a_slow_issuer_is_given_up(
    issuer: Issuer, keys: RemoteKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.auth.jwks.TIMEOUT_SECONDS", 0.2)
    issuer.delay = 60
    started = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        await keys.find("old")
    assert time.monotonic() - started < issuer.delay / 2


@pytest.mark.parametrize("days", [1, -1])
async def test_a_clock_that_jumps_a_day_only_costs_a_fetch(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock, days: int
) -> None:
    assert await is_accepted(verifier, OLD)
    clock.instant += timedelta(days=days)
    issuer.body = key_set(NEW)
    late = sign(NEW, header={"kid": "new"}, iat=1, exp=int(NOW.timestamp()) + YEAR)
    assert (await verifier.verify(late)).subject == "auth0|42"
    assert issuer.fetches == 2


async def test_a_day_back_and_a_failing_issuer_is_unavailable(
    issuer: Issuer, verifier: TokenVerifier, clock: FixedClock
) -> None:
    assert await is_accepted(verifier, OLD)
    issuer.status = 500
    clock.instant -= timedelta(days=1)
    with pytest.raises(ServiceUnavailable):
        await verifier.verify(token(OLD))


async def test_closing_ends_a_fetch_under_way(issuer: Issuer, clock: FixedClock) -> None:
    issuer.delay = 60
    source = RemoteKeys(issuer.url, clock)
    waiting = asyncio.create_task(source.find("old"))
    await asyncio.sleep(0.05)
    await source.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_start_that_fetches_no_keys_is_a_warning(
    issuer: Issuer, keys: RemoteKeys, verifier: TokenVerifier
) -> None:
    issuer.status = 503
    with structlog.testing.capture_logs() as lines:
        keys.begin()
        with pytest.raises(ServiceUnavailable):
            await keys.find("old")
    assert issuer.fetches == 1
    assert lines[0]["log_level"] == "warning"
    assert lines[0]["reason"] == "the answer's status is 503"
    assert lines[0]["help"].startswith("No token is accepted until the keys of GATEWAY_JWT_JWKS")
    # Whoever comes next does not wait for half a minute to pass.
    issuer.status = 200
    assert await is_accepted(verifier, OLD)
    assert issuer.fetches == 2


async def test_an_authority_of_ssl_cert_file_is_trusted(
    clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = own_certificate(tmp_path)
    async with Issuer(OLD, certificate=certificate) as server:
        distrusting = RemoteKeys(server.url, clock)
        with structlog.testing.capture_logs() as lines, pytest.raises(ServiceUnavailable):
            await distrusting.find("old")
        assert "set SSL_CERT_FILE" in lines[0]["help"]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = RemoteKeys(server.url, clock)
        assert [key.kid for key in await trusting.find("old")] == ["old"]
        await distrusting.aclose()
        await trusting.aclose()


def own_certificate(folder: Path) -> Path:
    """Make a certificate of 127.0.0.1 that nobody else signed; return its file, with its key."""
    file = folder / "issuer.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=issuer "
        "-addext subjectAltName=IP:127.0.0.1"
    )
    made = folder / "made.pem"
    places = ("-keyout", str(file), "-out", str(made))
    subprocess.run([*command.split(), *places], check=True, capture_output=True)
    file.write_text(file.read_text() + made.read_text())
    return file
