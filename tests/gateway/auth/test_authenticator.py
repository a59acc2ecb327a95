from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.app import issuer_of
from gateway.auth.api_keys import ApiKeyRecord, digest, issue
from gateway.auth.authenticator import Authenticator, FindApiKey, open_authenticator
from gateway.auth.jwt import TokenVerifier
from gateway.auth.keys import StaticKeys
from gateway.auth.rejected import Rejected, challenge
from gateway.clock import Clock, FixedClock
from gateway.dev.keys import dev_key
from gateway.dev.tokens import mint
from gateway.errors import ConfigurationError, Unauthenticated
from gateway.principal import Permission, Principal
from gateway.settings import Settings, load_settings
from tests.gateway.auth.issuer import AUDIENCE, ISSUER, NOW, Issuer, new_key, sign

KEY = new_key("k1")
API_KEY = issue("live")
PEPPER = b"pepper" * 8
RECORD = ApiKeyRecord(
    id=API_KEY.id,
    account_id=7,
    digest=digest(API_KEY, PEPPER),
    scopes=frozenset({Permission.USAGE_WRITE}),
    expires_at=NOW + timedelta(days=1),
)
PERSON = Principal(subject="auth0|42", expires_at=NOW + timedelta(seconds=600))


async def find_api_key(key_id: str) -> ApiKeyRecord | None:
    return RECORD if key_id == RECORD.id else None


def authenticator(
    clock: FixedClock | None = None, find: FindApiKey | None = find_api_key
) -> Authenticator:
    clock = clock or FixedClock(NOW)
    verifier = TokenVerifier(keys=StaticKeys([KEY]), issuer=ISSUER, audience=AUDIENCE, clock=clock)
    return Authenticator(verifier, clock=clock, find_api_key=find, pepper=PEPPER)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  ", " Bearer "])
async def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert await authenticator().authenticate(scheme + sign(KEY)) == PERSON


@pytest.mark.parametrize(
    ("credential", "reason"),
    [
        (sign(KEY, aud="other"), "Invalid claim: 'aud'"),
        (issue("live").text, "the API key does not exist"),
        ("two parts", "the Authorization header must be `Bearer` and one credential"),
    ],
    ids=["audience", "unknown key", "two parts"],
)
async def test_the_log_says_why_a_credential_was_rejected(credential: str, reason: str) -> None:
    with capture_logs() as logs, pytest.raises(Rejected) as caught:
        await authenticator().authenticate(f"Bearer {credential}")
    (line,) = logs
    assert line["event"] == "credential rejected"
    assert reason in line["reason"]
    assert reason not in caught.value.message
    assert credential not in str(line)


async def test_without_a_credential_nobody_is_asking() -> None:
    with pytest.raises(Unauthenticated) as caught:
        await authenticator().authenticate(None)
    assert not isinstance(caught.value, Rejected)
    assert caught.value.code == "UNAUTHENTICATED"
    assert challenge(caught.value) == "Bearer"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {sign(KEY)}",
        f"Bearer{sign(KEY)}",
        f"Bearer\t{sign(KEY)}",
        sign(KEY),
        f"Bearer {sign(KEY)} {sign(KEY)}",
        f"Bearer {sign(KEY)}, Bearer {sign(KEY)}",
        f"Bearer {sign(KEY)},{API_KEY.text}",
        f'Bearer "{sign(KEY)}"',
        f"Bearer {sign(new_key('k1'))}",
        f"Bearer {sign(KEY, iss='dev')}",
        "Bearer null",
        "Bearer é",
    ],
)
async def test_a_bad_credential_is_never_taken_for_none(value: str) -> None:
    with pytest.raises(Rejected) as caught:
        await authenticator().authenticate(value)
    assert caught.value.extensions == {"code": "UNAUTHENTICATED"}
    assert caught.value.message == "The credential is malformed, expired or not valid here."
    assert challenge(caught.value) == 'Bearer error="invalid_token"'


async def test_an_api_key_is_its_record() -> None:
    assert await authenticator().authenticate(f"Bearer {API_KEY.text}") == Principal(
        subject=f"key:{API_KEY.id}",
        key_id=API_KEY.id,
        account_id=7,
        scopes=frozenset({Permission.USAGE_WRITE}),
        expires_at=RECORD.expires_at,
    )


async def test_an_api_key_that_does_not_hold_is_rejected() -> None:
    forged = API_KEY.text[:-7] + ("0" if API_KEY.text[-7] != "0" else "1") + API_KEY.text[-6:]
    for text in (issue("live").text, forged, "gw_live_x"):
        with pytest.raises(Rejected):
            await authenticator().authenticate(f"Bearer {text}")
    with pytest.raises(Rejected, match="not valid here"):
        await authenticator(find=None).authenticate(f"Bearer {API_KEY.text}")
    with pytest.raises(Rejected, match="not valid here"):
        await authenticator(FixedClock(NOW + timedelta(days=1))).authenticate(
            f"Bearer {API_KEY.text}"
        )


async def test_a_key_of_the_same_id_with_another_secret_is_rejected() -> None:
    record = ApiKeyRecord(
        id=API_KEY.id, account_id=7, digest=digest(issue("live"), PEPPER), scopes=frozenset()
    )

    async def find(_: str) -> ApiKeyRecord:
        return record

    with pytest.raises(Rejected) as caught:
        await authenticator(find=find).authenticate(f"Bearer {API_KEY.text}")
    assert caught.value.reason == "the API key does not exist"


def open_configured(
    settings: Settings, clock: Clock, find: FindApiKey | None = None
) -> Authenticator:
    return open_authenticator(settings.auth, issuer_of(settings, clock), clock, find)


async def test_dev_tokens_hold_in_dev_for_thirty_days(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    opened = open_configured(load_settings(environment="dev", data_dir=tmp_path), clock)
    header = f"Bearer {mint(dev_key(tmp_path), 'ada', clock)}"
    assert await opened.authenticate(header) == Principal(
        subject="ada", expires_at=NOW + timedelta(days=30)
    )
    clock.instant += timedelta(days=29)
    assert (await opened.authenticate(header)).subject == "ada"
    clock.instant += timedelta(days=2)
    with pytest.raises(Rejected):
        await opened.authenticate(header)


async def test_dev_accepts_its_own_key_alone(tmp_path: Path) -> None:
    opened = open_configured(
        load_settings(
            environment="dev",
            data_dir=tmp_path / "mine",
            jwt_issuer=ISSUER,
            jwt_audience=AUDIENCE,
            jwt_public_key=KEY.as_pem().decode(),
        ),
        FixedClock(NOW),
    )
    stranger = mint(dev_key(tmp_path / "other"), "ada", FixedClock(NOW))
    for token in (stranger, sign(KEY)):
        with pytest.raises(Rejected):
            await opened.authenticate(f"Bearer {token}")


async def test_production_refuses_dev_tokens_by_key_and_by_issuer(tmp_path: Path) -> None:
    dev = dev_key(tmp_path)
    token = mint(dev, "ada", FixedClock(NOW))
    for key in (KEY, dev):
        opened = open_configured(
            load_settings(
                data_dir=tmp_path,
                jwt_issuer=ISSUER,
                jwt_audience="billing-usage-gateway",
                jwt_public_key=key.as_pem().decode(),
            ),
            FixedClock(NOW),
        )
        with pytest.raises(Rejected):
            await opened.authenticate(f"Bearer {token}")


async def test_production_takes_its_keys_from_the_url() -> None:
    async with Issuer(KEY) as issuer:
        opened = open_configured(
            load_settings(
                jwt_issuer=ISSUER,
                jwt_audience=AUDIENCE,
                jwt_jwks_url=issuer.url,
                api_key_pepper=PEPPER.decode(),
            ),
            FixedClock(NOW),
            find_api_key,
        )
        assert await opened.authenticate(f"Bearer {sign(KEY)}") == PERSON
        assert (await opened.authenticate(f"Bearer {API_KEY.text}")).key_id == API_KEY.id
        assert issuer.fetches == 1
        await opened.aclose()


def test_production_does_not_open_without_an_issuer() -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_JWT_ISSUER"):
        open_configured(load_settings(), FixedClock(NOW))
