"""Requests that the audit log keeps: reads with a key of the platform, and refused writes."""

from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from gateway.audit.buffer import AuditBuffer
from gateway.audit.deeds import DONE, Act, Deed
from gateway.http.request_log import RequestRecord
from gateway.principal import Actor

_LOAD: Final = 429


@dataclass(frozen=True, slots=True)
class AuditedRequests:
    """Notes requests for the audit log, one event each. What a person reads has no event."""

    buffer: AuditBuffer

    def note(self, scope: Scope, record: RequestRecord, status: int) -> None:
        """Note a request that is over, or a stream that begins."""
        principal = record.principal
        if principal is None or status == _LOAD or status >= 500:
            return
        deed = record.deed
        if deed is None:
            if not principal.is_platform:
                return
            deed = Deed.DATA_READ
        elif not 400 <= status < 499:
            return  # its event is in its transaction
        accounts = record.accounts
        act = Act(
            deed,
            next(iter(accounts)) if len(accounts) == 1 else principal.account_id,
            record.operation_name or scope["path"],
            {"accounts": len(accounts)} if len(accounts) > 1 else None,
        )
        result = record.codes[0] if record.codes else DONE
        self.buffer.add(act, Actor.of(principal, record.request_id), result)
