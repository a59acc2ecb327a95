"""Membership of a person in an account: looked up, or found in what an entrance has listed."""

from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from gateway.store.engine.sql import Expression

LISTED: Final = "listed"
"""The option of the compiler for a statement behind an entrance (see `row_security`) that lists the
person's accounts.
"""


class _Membership(FunctionElement[Any]):
    inherit_cache = True
    name = "membership"
    type = NullType()


@compiles(_Membership, "postgresql")
def _membership(element: _Membership, compiler: SQLCompiler, **kw: object) -> str:
    looked_up, account, subject = element.clauses
    if LISTED not in kw:
        return compiler.process(looked_up, **kw)
    account_id, person = (compiler.process(each, **kw) for each in (account, subject))
    return f"({account_id} = ANY (entrance.accounts) AND {person} = entrance.person)"


def membership(
    looked_up: ColumnElement[bool], account_id: Expression, subject: Expression
) -> ColumnElement[bool]:
    """Return whether a person is a member of an account: `looked_up`, except behind an entrance
    that has listed those accounts of a person that its statements name, on Postgres.
    """
    return _Membership(looked_up, account_id, subject)
