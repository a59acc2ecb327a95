"""A limit: the most of a kind, and the error for one more."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of a kind, and the error for one more; `{}` in its message is the number."""

    most: int
    error: Callable[[str], GatewayError]
    message: str

    def exceeded(self) -> GatewayError:
        return self.error(self.message.format(self.most))
