"""Events of the audit log: each deed is written in its own transaction."""

from datetime import timedelta

import pytest

from gateway.audit.buffer import AuditBuffer
from gateway.audit.deeds import DONE, Act, Deed, _EventKeys, record
from gateway.auth.key_store import issue_key, revoke_key, revoke_named
from gateway.billing.accounts import AccountFacts, put_account, put_member, remove_member
from gateway.clock import FixedClock, SystemClock
from gateway.errors import KeyTaken, NotFound
from gateway.principal import Actor, Permission, Principal, Role
from gateway.store import Database
from gateway.work.loops import Loops
from tests.support.audit import Written, written
from tests.support.books import ACTOR, NOW, Books
from tests.support.raw import REFUSALS, execute, same_database
from tests.support.tables import table_rows

KEY = Actor.of(Principal(subject="key:k1", key_id="k1"), "req-1")
CREATED = {"currency": "USD", "name": "Acme", "stripeCustomerId": None, "timeZone": "UTC"}


async def test_each_change_of_an_account_has_its_event(books: Books) -> None:
    owners = [("ada", Role.OWNER), ("bob", Role.VIEWER)]
    await books.account("acme", members=owners)
    await books.account("acme", members=owners)  # the same again changes nothing
    await books.account(
        "acme",
        name="New",
        time_zone="Asia/Tokyo",
        stripe_customer_id="cus_1",
        low_balance_nanos=5,
        members=[("ada", Role.BILLING), ("eve", Role.OWNER)],
    )
    never = {"nanos": None, "days": None}
    customer = {"from": None, "to": "cus_1"}
    assert await written(books.database) == [
        Written("account.created", "acme", CREATED),
        Written("member.added", "ada", {"role": "OWNER"}),
        Written("member.added", "bob", {"role": "VIEWER"}),
        Written(
            "account.changed",
            "acme",
            {"name": {"from": "Acme", "to": "New"}, "stripeCustomerId": customer},
        ),
        Written("time_zone.changed", "acme", {"from": "UTC", "to": "Asia/Tokyo"}),
        Written("low_balance.changed", None, {"from": never, "to": {"nanos": 5, "days": None}}),
        Written("member.removed", "bob", {"role": "VIEWER"}),
        Written("member.changed", "ada", {"from": "OWNER", "to": "BILLING"}),
        Written("member.added", "eve", {"role": "OWNER"}),
    ]


async def test_an_event_names_its_actor_account_and_request(books: Books) -> None:
    acme = await books.account("acme")
    async with books.database.writing(ACTOR) as transaction:
        await put_member(transaction, [acme], "ada", Role.OWNER, actor=KEY, clock=books.clock)
        await put_member(transaction, [acme], "ada", Role.OWNER, actor=KEY, clock=books.clock)
        await put_member(transaction, [acme], "ada", Role.VIEWER, actor=KEY, clock=books.clock)
        await remove_member(transaction, acme, "ada", actor=KEY, clock=books.clock)
        await remove_member(transaction, acme, "ada", actor=KEY, clock=books.clock)
    _, *events = await table_rows(books.database, "audit_event")
    assert [each["deed"] for each in events] == ["member.added", "member.changed", "member.removed"]
    for each in events:
        assert (each["actor_kind"], each["actor"], each["request_id"]) == ("API_KEY", "k1", "req-1")
        assert (each["account_id"], each["occurred_at"]) == (acme, NOW)


async def test_concurrent_events_of_a_process_have_keys_of_their_own(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.audit.deeds.secrets.randbits", lambda _: 7)
    clocks = [FixedClock(NOW), FixedClock(NOW + timedelta(milliseconds=1))]
    for name in ("ada", "bob"):
        for clock in clocks:
            async with books.database.writing(ACTOR) as transaction:
                await record(transaction, ACTOR, [Act(Deed.DATA_READ, target=name)], clock=clock)
    found = [each.target for each in await written(books.database)]
    assert found == ["ada", "bob", "ada", "bob"]


async def test_a_key_that_another_process_has_drawn_is_drawn_again(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 7, 7, 8])
    monkeypatch.setattr("gateway.audit.deeds.secrets.randbits", lambda _: next(drawn))

    async def other_process() -> None:
        monkeypatch.setattr("gateway.audit.deeds._keys", _EventKeys())
        async with books.database.writing(ACTOR) as transaction:
            acts = [Act(Deed.DATA_READ, target="theirs")]
            await record(transaction, ACTOR, acts, clock=books.clock)

    await other_process()
    with pytest.raises(KeyTaken, match="try again"):
        await other_process()

    monkeypatch.setattr("gateway.audit.deeds._keys", _EventKeys())
    buffer = AuditBuffer(books.database, books.clock, Loops())
    async with buffer.writing():
        buffer.add(Act(Deed.DATA_READ, target="ours"), ACTOR, DONE)
    assert [each.target for each in await written(books.database)] == ["theirs", "ours"]
    assert [metric.read() for metric in buffer.metrics()] == [0, 0]


async def test_a_deed_that_is_taken_back_has_no_event(books: Books) -> None:
    facts = AccountFacts(external_id="acme", name="Acme", currency="USD")

    async def put() -> None:
        async with books.database.writing(ACTOR) as transaction:
            await put_account(transaction, facts, actor=KEY, clock=books.clock, keys=books.keys)
            raise NotFound("Taken back.")

    with pytest.raises(NotFound, match="Taken back"):
        await put()
    assert await written(books.database) == []


async def test_events_of_keys_have_no_secret(database: Database) -> None:
    clock = FixedClock(NOW)
    async with database.writing(ACTOR) as transaction:
        made = [
            await issue_key(
                transaction,
                environment="live",
                name="meters",
                scopes=frozenset({Permission.USAGE_WRITE, Permission.BILLING_READ}),
                actor=ACTOR,
                clock=clock,
            )
            for _ in range(3)
        ]
        assert await revoke_key(transaction, made[0].id, actor=ACTOR, clock=clock)
        assert not await revoke_key(transaction, made[0].id, actor=ACTOR, clock=clock)
        await revoke_named(transaction, "meters", actor=ACTOR, clock=clock)
    rows = await table_rows(database, "audit_event")
    assert [(row["deed"], row["target"]) for row in rows[:4]] == [
        *(("api_key.created", key.id) for key in made),
        ("api_key.revoked", made[0].id),
    ]
    assert {row["target"] for row in rows[4:]} == {made[1].id, made[2].id}
    text = str(rows)
    assert "billing:read usage:write" in text
    for key in made:
        assert key.text not in text
        assert key.text.rpartition("_")[2] not in text


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event"]
)
@pytest.mark.parametrize("role", ["runtime", "owner"])
async def test_a_young_event_is_not_changed(
    database: Database,
    database_url: str,
    request: pytest.FixtureRequest,
    statement: str,
    role: str,
) -> None:
    url = database_url
    if role == "owner" and not url.startswith("sqlite"):
        url = same_database(request.getfixturevalue("postgres_template"), url)
    clock = FixedClock(SystemClock().now() - timedelta(days=29))
    async with database.writing(ACTOR) as transaction:
        await record(transaction, ACTOR, [Act(Deed.SELLER_CHANGED)], clock=clock)
    with pytest.raises(REFUSALS, match=r"never changed|permission denied"):
        await execute(url, statement)
    assert [each.result for each in await written(database)] == [DONE]
