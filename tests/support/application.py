"""A private application: a synthetic schema, with resolvers that sleep, fail and misbehave."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import NewType, NoReturn, TypedDict, Unpack

import strawberry
from starlette.applications import Starlette
from strawberry.schema.config import StrawberryConfig

from gateway.app import build_app
from gateway.auth.rejected import Rejected
from gateway.errors import BadUserInput, NotFound, ServiceUnavailable, Unauthenticated
from gateway.execution.fields import EVENTS, Events
from gateway.http.credentials import CredentialChecker
from gateway.http.static_files import StaticFiles
from gateway.live.access import CurrentAccess
from gateway.live.hub import Hub
from gateway.parts import Parts
from gateway.principal import Permission, Principal
from gateway.quotas import build_quotas
from gateway.routes.console import DevAccount, DevPerson
from gateway.routes.openapi.route import DescribedRoute
from gateway.settings import Settings, load_settings
from gateway.transports.feeds import ContextFactory

Day = NewType("Day", str)
SECRET = "postgresql://gateway:hunter2@db"


def parse_day(value: object) -> str:
    if not isinstance(value, str) or len(value) != 10:
        raise BadUserInput("A day is written like 2026-11-01.")
    return value


@dataclass
class Context:
    principal: Principal
    request_id: str
    statements: int = 0


@dataclass
class Journal:
    """What happened in the application, for tests to look at."""

    opened: int = 0
    closed: int = 0
    cancelled: int = 0
    contexts: list[Context] = field(default_factory=list)
    running: asyncio.Event = field(default_factory=asyncio.Event)


journal = Journal()


@strawberry.type
class Item:
    number: int

    @strawberry.field
    def parent(self) -> "Item":
        return self


@strawberry.input
class Window:
    days: int
    start: Day | None = None


def ada() -> str:
    return "ada"


@strawberry.type
class Query:
    name: str = strawberry.field(resolver=ada, deprecation_reason="Use `who`.")

    @strawberry.field
    def who(self, info: strawberry.Info[Context]) -> str:
        info.context.statements += 1
        return info.context.principal.subject

    @strawberry.field
    async def items(self, first: int = 3) -> list[Item]:
        await asyncio.sleep(0)
        return [Item(number=number) for number in range(first)]

    @strawberry.field
    async def sleep(self, seconds: float) -> str:
        journal.running.set()
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            journal.cancelled += 1
            raise
        return "rested"

    @strawberry.field
    async def crash(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    async def missing(self) -> str | None:
        raise NotFound("Object not found.")

    @strawberry.field
    async def away(self) -> str:
        raise ServiceUnavailable("The database is away.")

    @strawberry.field
    def overflow(self) -> int | None:
        return 2**40

    @strawberry.field
    def on(self, day: Day) -> str:
        return day

    @strawberry.field
    def span(self, window: Window) -> int:
        return window.days


@strawberry.type
class Mutation:
    @strawberry.field
    def touch(self) -> bool:
        return True


async def find_nothing(*_: object) -> NoReturn:
    raise NotFound("Account not found.")


@strawberry.type
class Subscription:
    ticks: int = strawberry.field(
        resolver=lambda: 1, metadata={EVENTS: Events(find=find_nothing, open=repr)}
    )


@cache
def make_schema() -> strawberry.Schema:
    scalar = strawberry.scalar(name="Day", serialize=str, parse_value=parse_day)
    config = StrawberryConfig(scalar_map={Day: scalar})
    return strawberry.Schema(Query, Mutation, Subscription, config=config)


class FixedTokens:
    """Accepts the tokens `ada` and `admin`; `broken` raises an unexpected error."""

    async def authenticate(self, authorization: str | None) -> Principal:
        match authorization:
            case None:
                raise Unauthenticated("A credential is needed.")
            case "Bearer ada":
                return Principal(subject="ada")
            case "Bearer admin":
                scopes = frozenset({Permission.ADMIN})
                return Principal(subject="key:1", key_id="1", scopes=scopes)
            case "Bearer broken":
                raise RuntimeError(SECRET)
            case _:
                raise Rejected("unknown")


class AnyCaller:
    async def authenticate(self, authorization: str | None) -> Principal:
        return Principal(subject="anyone")


@asynccontextmanager
async def context_for(principal: Principal, request_id: str) -> AsyncIterator[Context]:
    context = Context(principal, request_id)
    journal.contexts.append(context)
    yield context


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    journal.opened += 1
    yield
    journal.closed += 1


async def read_access(*_: object) -> CurrentAccess:
    return CurrentAccess(roles={}, keys=())


async def ready() -> None:
    """The database is there."""


PEOPLE = (
    DevPerson(
        name="Ada </script>", token="t0k3n", accounts=(DevAccount(id="acct_1", name="Acme"),)
    ),
)


class PartChanges(TypedDict, total=False):
    """The parts that a test may replace."""

    authenticator: CredentialChecker
    context_for: ContextFactory
    ready: Callable[[], Awaitable[None]]
    files: StaticFiles
    routes: Sequence[DescribedRoute]


def make_parts(settings: Settings) -> Parts:
    return Parts(
        schema=make_schema(),
        authenticator=FixedTokens(),
        context_for=context_for,
        hub=Hub(),
        quotas=build_quotas(settings),
        read_access=read_access,
        ready=ready,
        running=running,
        describe=lambda context, record: record.details.update(statements=context.statements),
        files=StaticFiles(Path("/nowhere")),
        people=lambda: PEOPLE,
    )


def make_app(settings: Settings | None = None, **changes: Unpack[PartChanges]) -> Starlette:
    settings = settings or load_settings(environment="dev")
    return build_app(settings, replace(make_parts(settings), **changes))
