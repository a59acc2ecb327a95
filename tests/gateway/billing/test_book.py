"""Who may write to an account, and what takes part in a book."""

import pytest

from gateway.billing.accounts import AccountFacts, put_account, put_member, remove_member
from gateway.billing.book import PARTICIPANTS, Book
from gateway.errors import NotFound
from gateway.principal import Actor, Permission, Principal, Role
from tests.support.books import ACTOR, Books
from tests.support.tables import all_rows

NOBODY = Actor.of(Principal(subject="ada"))


def key_of(account_id: int | None) -> Actor:
    key = Principal(
        subject="key", key_id="k1", account_id=account_id, scopes=frozenset({Permission.ADMIN})
    )
    return Actor.of(key)


async def test_an_account_refuses_who_may_not_write(books: Books) -> None:
    acme, other = await books.account("acme"), await books.account("other")
    before = await all_rows(books.database)
    for actor in (key_of(other), NOBODY):
        async with books.database.writing(ACTOR) as transaction:
            for ids in ([acme], [acme, other]):
                with pytest.raises(NotFound, match="Account not found"):
                    await Book.open(
                        transaction, ids, actor=actor, clock=books.clock, keys=books.keys
                    )
            with pytest.raises(NotFound, match="own account"):
                await put_account(
                    transaction,
                    AccountFacts(external_id="acme", name="Taken", currency="USD"),
                    actor=actor,
                    clock=books.clock,
                    keys=books.keys,
                )
            with pytest.raises(NotFound):
                await put_member(
                    transaction, [acme], "eve", Role.OWNER, actor=actor, clock=books.clock
                )
            with pytest.raises(NotFound):
                await remove_member(transaction, acme, "ada", actor=actor, clock=books.clock)
    assert await all_rows(books.database) == before


async def test_a_key_of_one_account_makes_no_other(books: Books) -> None:
    acme = await books.account("acme")
    facts = AccountFacts(external_id="new", name="New", currency="USD")
    async with books.database.writing(ACTOR) as transaction:
        with pytest.raises(NotFound, match="own account"):
            await put_account(
                transaction, facts, actor=key_of(acme), clock=books.clock, keys=books.keys
            )
        assert await put_account(
            transaction, facts, actor=key_of(None), clock=books.clock, keys=books.keys
        )


def test_system_actors_write_to_every_account() -> None:
    for actor in (ACTOR, Actor.provider("stripe"), Actor.job("low balance"), key_of(None)):
        assert actor.may_write(1)
        assert actor.may_write(None)
    assert key_of(1).may_write(1)
    assert not key_of(1).may_write(2)
    assert not NOBODY.may_write(1)


async def test_each_participant_is_part_of_a_book(books: Books) -> None:
    account_id = await books.account("acme")
    async with books.open([account_id]) as book:
        assert [type(book.part(kind)) for kind in PARTICIPANTS] == [*PARTICIPANTS]
