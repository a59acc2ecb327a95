"""All loaders of one operation; in a subscription, of one event."""

from dataclasses import dataclass

from strawberry.dataloader import DataLoader

from gateway.principal import Principal
from gateway.store import Row, Snapshot
from loaders.account import ACCOUNT_BY_ID
from loaders.batch import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaders:
    """Each is named `<result>_by_<key>` and loads what the principal may see, in one snapshot."""

    account_by_id: DataLoader[Key, Row | None]


def make_loaders(snapshot: Snapshot, principal: Principal) -> Loaders:
    """Return loaders that have loaded nothing yet. They hold no reference to each other."""
    return Loaders(account_by_id=ACCOUNT_BY_ID.loader(snapshot, principal))
