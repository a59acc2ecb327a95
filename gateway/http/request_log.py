"""What is known of one request: filled in on its way, and written to the log and the metrics."""

from dataclasses import dataclass, field
from typing import Final

from starlette.types import Scope

from gateway.principal import Principal

CLIENT_DISCONNECTED: Final = 499
_KEY: Final = "gateway.record"


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """Never holds a token, a variable or a value of a document.

    `broken_as` is the status that a transfer counts with which broke off after its head said 200.
    """

    request_id: str
    route: str = "other"
    operation: str = "none"
    operation_name: str | None = None
    principal: Principal | None = None
    codes: list[str] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)
    is_quiet: bool = False
    broken_as: int | None = None

    def log_fields(self) -> dict[str, object]:
        """Return what the access line says beside method, path, status and duration."""
        who = self.principal
        fields = {
            "operation": None if self.operation == "none" else self.operation,
            "operation_name": self.operation_name,
            "subject": who.subject if who and who.is_person else None,
            "key_id": who.key_id if who else None,
            "account_id": who.account_id if who else None,
            "codes": self.codes or None,
            **self.details,
        }
        return {name: value for name, value in fields.items() if value is not None}


def attach(scope: Scope, record: RequestRecord) -> None:
    scope[_KEY] = record


def record_of(scope: Scope) -> RequestRecord:
    """Return the request's record, which the outermost middleware attached."""
    record: RequestRecord = scope[_KEY]
    return record
