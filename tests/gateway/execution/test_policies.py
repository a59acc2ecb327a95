"""Policies are enforced before a field is read, however an operation runs."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

import pytest
import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo, OperationType
from strawberry.types.field import StrawberryField

from gateway.errors import Forbidden
from gateway.execution.engine import Engine
from gateway.execution.fields import EVENTS, POLICY, SOURCE, Columns, Events
from gateway.execution.operation import OperationRequest, OperationResult
from gateway.execution.policies import Check, Reference
from gateway.execution.runner import RootField
from gateway.settings.documents import DocumentSettings

Row = dict[str, Any]
ROWS: list[Row] = [{"number": 1}, {"number": 2, "secret": True}, {"number": 3}]


@dataclass
class Context:
    """The fields that were read, and the rows that were loaded."""

    trusted: bool = False
    read: list[str] = field(default_factory=list)


def refuse_secrets(row: Row, context: Context) -> None:
    if row.get("secret") and not context.trusted:
        raise Forbidden(f"{row['number']} is secret.")


class Policy(Enum):
    OPEN = "open"
    SECRET = "secret"

    @property
    def check(self) -> Check | None:
        return refuse_secrets if self is Policy.SECRET else None


class ColumnField(StrawberryField):
    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        return self.metadata[SOURCE].read(source)


def number_column(policy: Policy | None = None) -> Any:
    """Return the field of the column `number`."""
    metadata = {SOURCE: Columns(names=("number",)), POLICY: policy}
    return ColumnField(metadata=metadata)


def resolved(resolver: Any, policy: Policy | None = None, events: Events | None = None) -> Any:
    return strawberry.field(resolver=resolver, metadata={POLICY: policy, EVENTS: events})


def note(root: strawberry.Parent[Row], info: strawberry.Info[Context]) -> int:
    info.context.read.append(f"note {root['number']}")
    return int(root["number"])


async def note_late(root: strawberry.Parent[Row], info: strawberry.Info[Context]) -> int:
    return note(root, info)


def find_inner(root: strawberry.Parent[Row], info: strawberry.Info[Context]) -> Row:
    note(root, info)
    return root


@strawberry.interface
class Thing:
    number: int

    @classmethod
    def is_type_of(cls, row: Row, _: GraphQLResolveInfo[Any]) -> bool:
        return bool(row.get("type", cls.__name__) == cls.__name__)

    @staticmethod
    def resolve_type(row: Row, _: GraphQLResolveInfo[Any], __: GraphQLAbstractType) -> str:
        return str(row["type"])


@strawberry.type
class Inner(Thing):
    """Its policy holds wherever a field returns it."""

    POLICY: ClassVar = Policy.SECRET

    number: int = number_column()
    noted: int = resolved(note)


@strawberry.type
class Outer(Thing):
    POLICY: ClassVar = Policy.OPEN

    number: int = number_column()
    column: int | None = number_column(Policy.SECRET)
    strict: int = number_column(Policy.SECRET)
    called: int | None = resolved(note, Policy.SECRET)
    late: int | None = resolved(note_late, Policy.SECRET)
    inner: Inner | None = resolved(find_inner)


def list_outers() -> list[Row]:
    return ROWS


def find_things(info: strawberry.Info[Context]) -> list[Awaitable[Reference | None]]:
    return [find_thing(info, row, kind) for row in ROWS for kind in ("Inner", "Outer")]


async def find_thing(info: strawberry.Info[Context], row: Row, kind: str) -> Reference | None:
    async def load() -> Row:
        info.context.read.append(f"load {kind} {row['number']}")
        return {**row, "type": kind}

    return None if row["number"] == 3 else Reference(typename=kind, owner=row, load=load)


def find_loaded() -> Row:
    return {"number": 1, "type": "Inner"}


@strawberry.type
class Query:
    POLICY: ClassVar = Policy.OPEN

    outers: list[Outer | None] = resolved(list_outers)
    things: list[Thing | None] = resolved(find_things)
    loaded: Thing | None = resolved(find_loaded)


async def find_row(_: Context, __: Any) -> Row:
    return ROWS[1]


@strawberry.type
class Subscription:
    POLICY: ClassVar = Policy.OPEN

    pushed: Inner = resolved(find_inner, events=Events(find=find_row, open=repr))


SCHEMA = strawberry.Schema(Query, subscription=Subscription, types=[Inner, Outer])
FALLBACKS: list[str] = []


def make_engine(*, compiled: bool) -> Engine:
    return Engine(
        SCHEMA,
        limits=DocumentSettings(),
        deadline_seconds=10,
        suggestions=False,
        compiled=compiled,
        count_fallback=FALLBACKS.append,
    )


ENGINES = [make_engine(compiled=compiled) for compiled in (True, False)]


@pytest.fixture(params=ENGINES, ids=["compiled", "graphql-core"])
def engine(request: pytest.FixtureRequest) -> Engine:
    FALLBACKS.clear()
    engine: Engine = request.param
    return engine


async def ask(engine: Engine, query: str, context: Context) -> OperationResult:
    prepared = await engine.prepare(
        OperationRequest(query=query), request_id="r1", allowed=frozenset(OperationType)
    )
    assert not isinstance(prepared, OperationResult), prepared.errors
    return await engine.run(prepared, context)


def refusals(result: OperationResult) -> Sequence[tuple[Any, str]]:
    return [(error["path"], error["extensions"]["code"]) for error in result.errors]


@pytest.mark.parametrize("name", ["column", "called", "late", "inner"])
async def test_a_refused_field_is_null_and_never_read(engine: Engine, name: str) -> None:
    context = Context()
    selection = "{ noted }" if name == "inner" else ""
    result = await ask(engine, f"{{ outers {{ number {name} {selection} }} }}", context)
    assert result.data is not None
    found = [each[name] for each in result.data["outers"]]
    assert [value is None for value in found] == [False, True, False]
    assert refusals(result) == [(["outers", 1, name], "FORBIDDEN")]
    assert [place for place in context.read if "2" in place] == []
    assert FALLBACKS == []


@pytest.mark.parametrize("name", ["column", "called", "late", "inner { noted }"])
async def test_an_allowed_field_is_read(engine: Engine, name: str) -> None:
    result = await ask(engine, f"{{ outers {{ value: {name} }} }}", Context(trusted=True))
    assert result.errors == []
    assert FALLBACKS == []


async def test_a_refused_field_that_is_not_null_blanks_its_object(engine: Engine) -> None:
    result = await ask(engine, "{ outers { strict } }", Context())
    assert result.data == {"outers": [{"strict": 1}, None, {"strict": 3}]}
    assert refusals(result) == [(["outers", 1, "strict"], "FORBIDDEN")]


async def test_a_refused_reference_is_never_loaded(engine: Engine) -> None:
    context = Context()
    result = await ask(engine, "{ things { __typename number } }", context)
    assert result.data is not None
    names = [each and each["__typename"] for each in result.data["things"]]
    assert names == ["Inner", "Outer", None, "Outer", None, None]
    assert refusals(result) == [(["things", 2], "FORBIDDEN")]
    assert context.read == ["load Inner 1", "load Outer 1", "load Outer 2"]


async def test_an_object_that_is_no_reference_is_refused(engine: Engine) -> None:
    result = await ask(engine, "{ loaded { number } }", Context(trusted=True))
    assert result.data == {"loaded": None}
    assert result.codes == ["INTERNAL_SERVER_ERROR"]


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_subscription_is_checked_on_the_owner_of_its_events(
    engine: Engine, trusted: bool
) -> None:
    prepared = await engine.prepare(
        OperationRequest(query="subscription { pushed { number } }"),
        request_id="r1",
        allowed=frozenset(OperationType),
    )
    assert not isinstance(prepared, OperationResult)
    root = engine.root_field(prepared)
    assert isinstance(root, RootField)
    if trusted:
        assert await engine.open_events(root, Context(trusted=True)) == repr(ROWS[1])
        return
    with pytest.raises(Forbidden, match="2 is secret"):
        await engine.open_events(root, Context())
    event = await engine.run(prepared, Context(), ROWS[1])
    assert event.data is None
    assert event.codes == ["FORBIDDEN"]
