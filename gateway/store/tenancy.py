"""Tenancy: a statement over account data always contains the principal's tenant filter."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final, Generic, NamedTuple, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    String,
    bindparam,
    false,
    select,
    true,
)
from sqlalchemy.sql import ClauseElement

from gateway.models import Account, AccountMember, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.membership import membership
from gateway.store.engine.parameters import batch_of_texts, only_of
from gateway.store.engine.sql import BARRIER, ColumnType, DialectName, Expression
from gateway.store.engine.sqlite_stream import Following, SqliteStream, Texts
from gateway.store.engine.statement import R, Statement
from gateway.store.engine.stream import Chunk, Stream

_ACCOUNT = table_of(Account)
_MEMBER = table_of(AccountMember)
_SUBJECT: Final = bindparam("principal_subject", type_=String())


class _Sight(Enum):
    """The ways in which a principal sees accounts."""

    __hash__ = object.__hash__  # Enum's own hashes the name, in Python

    MEMBERSHIP = auto()
    ONE_ACCOUNT = auto()
    EVERYTHING = auto()
    NOTHING = auto()


def _sight(principal: Principal) -> _Sight:
    if principal.is_person:
        return _Sight.MEMBERSHIP
    if not principal.reads_accounts:
        return _Sight.NOTHING
    return _Sight.EVERYTHING if principal.account_id is None else _Sight.ONE_ACCOUNT


class Cells(Protocol):
    """Columns by their names, or parameters in the place of columns."""

    def __getitem__(self, name: str, /) -> Any: ...


class HasCells(Protocol):
    """A table, a batch of keys or its only key."""

    @property
    def c(self) -> Cells: ...


class OnlyKey(NamedTuple):
    """The only key of a batch, as parameters in the place of columns; `seen` says whether the
    principal may see its account.
    """

    c: Mapping[str, Expression]
    seen: ColumnElement[bool]


class Visible:
    """The tenant filter for a column of account keys, passed to the builder of a scoped
    statement. With `has_one_key` the statement is for a batch of one key.
    """

    def __init__(self, sight: _Sight, dialect: DialectName, *, has_one_key: bool = False) -> None:
        self._sight = sight
        self.dialect: DialectName = dialect
        self._has_one_key = has_one_key

    def __call__(self, account_id: Expression) -> ColumnElement[bool]:
        match self._sight:
            case _Sight.MEMBERSHIP:
                # Not `IN` all of the person's accounts: those of staff may be a great many.
                return (
                    select(_MEMBER.c.account_id)
                    .where(_MEMBER.c.account_id == account_id, _MEMBER.c.subject == _SUBJECT)
                    .correlate_except(_MEMBER)
                    .exists()
                )
            case _Sight.ONE_ACCOUNT:
                return account_id == bindparam("principal_account", type_=BigInteger())
            case _Sight.EVERYTHING:
                return true()
            case _Sight.NOTHING:
                return false()

    def of(self, keys: FromClause) -> FromClause:
        """Return the keys of a batch in accounts that the principal may see.

        The offset keeps the look-up at the keys: joined, Postgres may do it for each row found.
        """
        return select(*keys.c).where(self(keys.c.account_id)).offset(BARRIER).subquery("keys")

    def batch(self, **columns: ColumnType) -> FromClause:
        """Return the keys of a batch without the tenant filter: see `batch_of_texts`."""
        return batch_of_texts(self.dialect, **columns)

    def keys(self, **columns: ColumnType) -> FromClause:
        """Return the keys of a batch, `account_id` among them, in accounts that the principal may
        see.
        """
        return self.of(self.batch(**columns))

    def only_key(self, **columns: ColumnType) -> OnlyKey | None:
        """Return the key of a batch of one, as parameters: a table of keys would be joined, and the
        rows sorted. None for other batches.
        """
        if not self._has_one_key:
            return None
        cells = {name: only_of(self.dialect, name, kind) for name, kind in columns.items()}
        return OnlyKey(cells, self.only(cells["account_id"]))

    def only(self, account_id: Expression) -> ColumnElement[bool]:
        """Return the tenant filter for the account of a batch's only key."""
        condition = self(account_id)
        if self.dialect == "sqlite" or self._sight is not _Sight.MEMBERSHIP:
            return condition
        return membership(condition, account_id, _SUBJECT)

    def own(self, subject: Expression) -> ColumnElement[bool]:
        """Return whether a column of subjects has the principal's: never for an API key."""
        if self._sight is not _Sight.MEMBERSHIP:
            return false()
        return subject == _SUBJECT

    def role(self, account_id: Expression) -> ColumnElement[str]:
        """Return the principal's role in an account: a person's by their membership."""
        if self._sight is not _Sight.MEMBERSHIP:
            return bindparam("principal_role", type_=String())
        return (
            select(_MEMBER.c.role)
            .where(_MEMBER.c.account_id == account_id, _MEMBER.c.subject == _SUBJECT)
            .scalar_subquery()
        )

    def accounts(self) -> Select[tuple[int, str]]:
        """Return the keys of the principal's accounts, with the `role` in each.

        A person's accounts come from the members' index, in the order of their keys, so that the
        time does not grow with the number of all accounts.
        """
        if self._sight is _Sight.MEMBERSHIP:
            return select(_MEMBER.c.account_id, _MEMBER.c.role).where(_MEMBER.c.subject == _SUBJECT)
        key = _ACCOUNT.c.account_id
        return select(key, self.role(key).label("role")).where(self(key))


class Scoped(Generic[R]):
    """A statement of rows R, compiled for each way of seeing accounts. `build(visible)` must apply
    the filter to each table that it reads.
    """

    def __init__(
        self, build: Callable[[Visible], ClauseElement], *, has_one_key: bool = False
    ) -> None:
        self._statements: Mapping[_Sight, Statement[R]] = {
            sight: Statement[R](_builder(build, sight, has_one_key=has_one_key)) for sight in _Sight
        }

    def fetch(
        self, reader: Reader, principal: Principal, /, **parameters: object
    ) -> Coroutine[Any, Any, Sequence[R]]:
        """Return the rows that the principal may see."""
        statement, bound = self._bound(principal)
        return reader.fetch(statement, **bound, **parameters)

    def chunks(
        self, stream: Stream, principal: Principal, size: int, /, **parameters: object
    ) -> AsyncGenerator[Chunk[R]]:
        """Return the rows that the principal may see, `size` at a time; see `Stream.chunks`."""
        statement, bound = self._bound(principal)
        return stream.chunks(statement, size, **bound, **parameters)

    def follow(
        self: "Scoped[Texts]",
        stream: SqliteStream,
        principal: Principal,
        following: Following,
        /,
        **parameters: object,
    ) -> AsyncGenerator[Texts]:
        """Return the one row of each of many statements; see `SqliteStream.follow`."""
        statement, bound = self._bound(principal)
        return stream.follow(
            statement,
            lambda row: None if (some := following(row)) is None else {**bound, **some},
            **bound,
            **parameters,
        )

    def _bound(self, principal: Principal) -> tuple[Statement[R], dict[str, object]]:
        bound: dict[str, object] = {"principal_subject": principal.subject}
        if principal.is_person:  # who needs nothing else
            return self._statements[_Sight.MEMBERSHIP], bound
        bound["principal_account"] = principal.account_id
        bound["principal_role"] = principal.role.value
        return self._statements[_sight(principal)], bound


class Batched(Generic[R]):
    """A scoped statement over a batch of keys, in two forms: for one key, as most batches have, and
    for any number of them. `build` makes both.
    """

    def __init__(self, build: Callable[[Visible], ClauseElement]) -> None:
        self._of_one = Scoped[R](build, has_one_key=True)
        self._of_many = Scoped[R](build)

    def fetch(
        self,
        reader: Reader,
        principal: Principal,
        keys: Mapping[str, Sequence[object]],
        /,
        **parameters: object,
    ) -> Coroutine[Any, Any, Sequence[R]]:
        """Return the rows that the principal may see; `keys` are the columns of the batch."""
        (count,) = set(map(len, keys.values()))
        statement = self._of_one if count == 1 else self._of_many
        return statement.fetch(reader, principal, **keys, **parameters)


def _builder(
    build: Callable[[Visible], ClauseElement], sight: _Sight, *, has_one_key: bool
) -> Callable[[DialectName], ClauseElement]:
    return lambda dialect: build(Visible(sight, dialect, has_one_key=has_one_key))
