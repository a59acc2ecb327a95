from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from gateway.commands.accounts import account
from gateway.errors import Conflict, NotFound

Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", sqlite_database_url)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(account, arguments)

    return run


def test_an_account_is_made_once_and_shown(run: Run) -> None:
    made = run("create", "acme", "--name", "Acme", "--owner", "auth0|42")
    again = run("create", "acme", "--name", "Other")
    shown = run("show", "acme")
    assert made.exit_code == 0
    assert isinstance(again.exception, Conflict)
    assert shown.output.split("\t") == [made.output.strip(), "acme", "Acme", "UTC", "0.00 USD\n"]


def test_a_member_is_put_into_an_account_that_is_there(run: Run) -> None:
    run("create", "acme", "--name", "Acme")
    assert run("put-member", "acme", "auth0|7", "--role", "BILLING").exit_code == 0
    assert isinstance(run("put-member", "nobody", "auth0|7").exception, NotFound)
