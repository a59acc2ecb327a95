from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.cli.dev_tokens import write_dev_tokens
from gateway.clock import FixedClock
from gateway.dev.demo.people import Person, PersonAccount
from gateway.dev.keys import dev_key
from gateway.dev.people import read_people
from gateway.routes.console import DevAccount
from gateway.settings import load_settings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ADA = Person(name="Ada", subject="ada@demo", accounts=(PersonAccount(id="acct_1", name="Acme"),))


def claims(token: str, key: ECKey) -> dict[str, Any]:
    return jwt.decode(token, key, algorithms=["ES256"]).claims


def test_a_token_is_as_fresh_as_the_view(tmp_path: Path) -> None:
    write_dev_tokens(load_settings(environment="dev", data_dir=tmp_path), [ADA], FixedClock(NOW))
    assert (tmp_path / "dev-tokens.json").stat().st_mode & 0o777 == 0o600
    later = NOW + timedelta(days=300)
    (ada,) = read_people(tmp_path, FixedClock(later))
    assert (ada.name, ada.accounts) == ("Ada", (DevAccount(id="acct_1", name="Acme"),))
    payload = claims(ada.token, dev_key(tmp_path))
    assert payload["sub"] == "ada@demo"
    assert datetime.fromtimestamp(payload["exp"], UTC) > later + timedelta(days=1)


def test_there_is_nobody_before_the_demo(tmp_path: Path) -> None:
    assert read_people(tmp_path, FixedClock(NOW)) == []
