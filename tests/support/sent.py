"""The statements that reach Postgres."""

from typing import Any, Literal

import asyncpg
import pytest


def noted(monkeypatch: pytest.MonkeyPatch, method: Literal["execute", "fetch"]) -> list[str]:
    """Return a list that gets the text of each statement sent by a method of a connection."""
    texts: list[str] = []
    send = getattr(asyncpg.Connection, method)

    async def noting(connection: Any, text: str, *rest: Any, **more: Any) -> Any:
        texts.append(text)
        return await send(connection, text, *rest, **more)

    monkeypatch.setattr(asyncpg.Connection, method, noting)
    return texts
