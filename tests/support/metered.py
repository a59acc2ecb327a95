"""Batches of usage events, as the platform sends them."""

from collections.abc import Sequence

from gateway.billing.usage.ingestion import Ingested, MeteredItem, ingest
from tests.support.books import ACTOR, Books


async def send(books: Books, items: Sequence[MeteredItem], *, may_credit: bool = False) -> Ingested:
    """Book a batch. With `may_credit`, corrections may give back more than was charged."""
    return await ingest(
        books.database,
        items,
        actor=ACTOR,
        clock=books.clock,
        keys=books.keys,
        late_days=35,
        usage_delay_seconds=3600,
        may_credit=may_credit,
    )
