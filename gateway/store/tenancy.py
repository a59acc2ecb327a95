"""Tenancy: a statement over account data always contains the principal's tenant filter."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Generic

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
from gateway.store.engine.sql import BARRIER, DialectName, Expression
from gateway.store.engine.statement import R, Statement
from gateway.store.engine.stream import Chunk, Stream

_ACCOUNT = table_of(Account)
_MEMBER = table_of(AccountMember)


class _Sight(Enum):
    """The ways in which a principal sees accounts."""

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


class Visible:
    """The tenant filter for a column of account keys, passed to the builder of a scoped
    statement.
    """

    def __init__(self, sight: _Sight, dialect: DialectName) -> None:
        self._sight = sight
        self.dialect: DialectName = dialect

    def __call__(self, account_id: Expression) -> ColumnElement[bool]:
        match self._sight:
            case _Sight.MEMBERSHIP:
                subject = bindparam("principal_subject", type_=String())
                # Not `IN` all of the person's accounts: those of staff may be a great many.
                return (
                    select(_MEMBER.c.account_id)
                    .where(_MEMBER.c.account_id == account_id, _MEMBER.c.subject == subject)
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

    def own(self, subject: Expression) -> ColumnElement[bool]:
        """Return whether a column of subjects has the principal's: never for an API key."""
        if self._sight is not _Sight.MEMBERSHIP:
            return false()
        return subject == bindparam("principal_subject", type_=String())

    def role(self, account_id: Expression) -> ColumnElement[str]:
        """Return the principal's role in an account: a person's by their membership."""
        if self._sight is not _Sight.MEMBERSHIP:
            return bindparam("principal_role", type_=String())
        subject = bindparam("principal_subject", type_=String())
        return (
            select(_MEMBER.c.role)
            .where(_MEMBER.c.account_id == account_id, _MEMBER.c.subject == subject)
            .scalar_subquery()
        )

    def accounts(self) -> Select[tuple[int, str]]:
        """Return the keys of the principal's accounts, with the `role` in each.

        A person's accounts come from the members' index, in the order of their keys, so that the
        time does not grow with the number of all accounts.
        """
        if self._sight is _Sight.MEMBERSHIP:
            subject = bindparam("principal_subject", type_=String())
            return select(_MEMBER.c.account_id, _MEMBER.c.role).where(_MEMBER.c.subject == subject)
        key = _ACCOUNT.c.account_id
        return select(key, self.role(key).label("role")).where(self(key))


class Scoped(Generic[R]):
    """A statement of rows R, compiled for each way of seeing accounts. `build(visible)` must apply
    the filter to each table that it reads.
    """

    def __init__(self, build: Callable[[Visible], ClauseElement]) -> None:
        self._statements: Mapping[_Sight, Statement[R]] = {
            sight: Statement[R](_builder(build, sight)) for sight in _Sight
        }

    async def fetch(
        self, reader: Reader, principal: Principal, /, **parameters: object
    ) -> Sequence[R]:
        """Return the rows that the principal may see."""
        statement, bound = self._bound(principal)
        return await reader.fetch(statement, **bound, **parameters)

    def chunks(
        self, stream: Stream, principal: Principal, size: int, /, **parameters: object
    ) -> AsyncGenerator[Chunk[R]]:
        """Return the rows that the principal may see, `size` at a time; see `Stream.chunks`."""
        statement, bound = self._bound(principal)
        return stream.chunks(statement, size, **bound, **parameters)

    def _bound(self, principal: Principal) -> tuple[Statement[R], dict[str, object]]:
        return self._statements[_sight(principal)], {
            "principal_subject": principal.subject,
            "principal_account": principal.account_id,
            "principal_role": principal.role.value,
        }


def _builder(
    build: Callable[[Visible], ClauseElement], sight: _Sight
) -> Callable[[DialectName], ClauseElement]:
    return lambda dialect: build(Visible(sight, dialect))
