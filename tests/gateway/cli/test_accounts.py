from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.accounts import account
from gateway.errors import BadUserInput, NotFound

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
    assert (again.exit_code, again.output) == (0, made.output)
    said = ["acme", "Acme", "UTC", "0.00 USD", "never warned\n"]
    assert shown.output.split("\t") == [made.output.strip(), *said]


def test_a_member_is_put_into_an_account_that_is_there(run: Run) -> None:
    run("create", "acme", "--name", "Acme")
    assert run("put-member", "acme", "auth0|7", "--role", "BILLING").exit_code == 0
    assert isinstance(run("put-member", "nobody", "auth0|7").exception, NotFound)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "other\u202e", "--name", "Other"),
        ("create", "other", "--name", "Other", "--owner", "grace\u202e"),
        ("put-member", "acme", "grace\u202e"),
    ],
)
def test_no_identifier_is_mended(run: Run, arguments: tuple[str, ...]) -> None:
    run("create", "acme", "--name", "Acme")
    assert isinstance(run(*arguments).exception, BadUserInput)
    assert run("members", "acme").output == ""
    assert len(run("list").output.splitlines()) == 1


def test_every_account_is_listed_oldest_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.cli.accounts.PAGE", 2)
    made = [run("create", name, "--name", name.title()).output.strip() for name in ("c", "a", "b")]
    lines = [line.split("\t") for line in run("list").output.splitlines()]
    assert [line[0] for line in lines] == made
    assert lines[1][1:] == ["a", "A", "UTC", "0.00 USD", "never warned"]


def test_members_are_listed_and_removed(run: Run) -> None:
    run("create", "acme", "--name", "Acme", "--owner", "auth0|9")
    run("put-member", "acme", "auth0|7", "--role", "BILLING")
    listed = [line.split("\t")[:2] for line in run("members", "acme").output.splitlines()]
    assert listed == [["auth0|7", "BILLING"], ["auth0|9", "OWNER"]]
    removed = run("remove-member", "acme", "auth0|7")
    assert removed.output == "auth0|7 is no longer a member of acme.\n"
    assert isinstance(run("remove-member", "acme", "auth0|7").exception, NotFound)
    assert [line[:7] for line in run("members", "acme").output.splitlines()] == ["auth0|9"]
    assert isinstance(run("members", "nobody").exception, NotFound)


def test_an_account_is_warned_at_what_is_said(run: Run) -> None:
    run("create", "acme", "--name", "Acme", "--low-amount", "0", "--low-days", "7")

    def shown() -> str:
        return run("show", "acme").output.split("\t")[-1]

    assert shown() == "warned at 0.00 USD or 7 days: low by MONEY\n"
    assert run("low-balance", "acme", "--low-days", "3").output == "The balance is low by DAYS.\n"
    assert shown() == "warned at 3 days: low by DAYS\n"
    assert run("low-balance", "acme").output == "The balance is not low.\n"
    assert shown() == "never warned\n"
    assert isinstance(run("low-balance", "acme", "--low-days", "0").exception, BadUserInput)
    assert isinstance(run("low-balance", "nobody").exception, NotFound)
