"""Every REST operation that there is, by its path; a gateway serves them as its settings say."""

from typing import Final

from gateway.links import (
    DOCUMENTS_PATH,
    LEDGER_PATH,
    PURCHASES_PATH,
    RECEIPT_PATH,
    STATEMENT_PATH,
    USAGE_PATH,
)
from gateway.routes.descriptions.accounts import (
    GET_ACCOUNT,
    LIST_ACCOUNTS,
    LIST_MEMBERS,
    PUT_ACCOUNT,
)
from gateway.routes.descriptions.audit_events import LIST_AUDIT_EVENTS
from gateway.routes.descriptions.credits import POST_CREDITS
from gateway.routes.descriptions.documents import EXPORT_DOCUMENTS, GET_RECEIPT, GET_STATEMENT
from gateway.routes.descriptions.files import (
    EXPORT_LEDGER,
    EXPORT_PURCHASES,
    EXPORT_USAGE,
)
from gateway.routes.descriptions.process import (
    GET_LIVEZ,
    GET_METRICS,
    GET_OPENAPI,
    GET_READYZ,
    POST_STRIPE,
)
from gateway.routes.descriptions.usage_events import POST_USAGE_EVENTS
from gateway.routes.openapi.document import Paths

ACCOUNT_PATH: Final = "/v1/accounts/{externalId}"
STRIPE_PATH: Final = "/webhooks/stripe"
OPENAPI_PATH: Final = "/openapi.json"

SURFACE: Final[Paths] = {
    ACCOUNT_PATH: (PUT_ACCOUNT, GET_ACCOUNT),
    "/v1/accounts": (LIST_ACCOUNTS,),
    f"{ACCOUNT_PATH}/members": (LIST_MEMBERS,),
    "/v1/usage-events": (POST_USAGE_EVENTS,),
    "/v1/credits": (POST_CREDITS,),
    "/v1/audit-events": (LIST_AUDIT_EVENTS,),
    STRIPE_PATH: (POST_STRIPE,),
    PURCHASES_PATH: (EXPORT_PURCHASES,),
    USAGE_PATH: (EXPORT_USAGE,),
    LEDGER_PATH: (EXPORT_LEDGER,),
    DOCUMENTS_PATH: (EXPORT_DOCUMENTS,),
    RECEIPT_PATH: (GET_RECEIPT,),
    STATEMENT_PATH: (GET_STATEMENT,),
    "/livez": (GET_LIVEZ,),
    "/readyz": (GET_READYZ,),
    "/metrics": (GET_METRICS,),
    OPENAPI_PATH: (GET_OPENAPI,),
}
"""In the order in which `docs/api.md` shows them: each example builds on those before it."""
