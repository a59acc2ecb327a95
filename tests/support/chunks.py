"""Chunks of exports from rows with `datetime`s."""

from typing import Any

from gateway.models.base import microseconds_from_instant
from gateway.store.engine.stream import Chunk


def purchases_chunk(*rows: dict[str, Any]) -> Chunk[Any]:
    return Chunk({name: [row[name] for row in rows] for name in rows[0]})


def usage_chunk(*rows: dict[str, Any]) -> Chunk[Any]:
    instants = ("started_at", "ended_at", "received_at")
    return Chunk(
        {
            name: [
                microseconds_from_instant(row[name]) if name in instants else row[name]
                for row in rows
            ]
            for name in rows[0]
        }
    )
