"""The limits that hold where nobody sets one are no looser than what is required of the gateway."""

from typing import Final

from gateway.settings import SETTINGS, Settings

MOST: Final = {
    "document_length": 65_536,
    "document_tokens": 2_000,
    "document_comments": 500,
    "document_depth": 10,
    "document_introspection_depth": 15,
    "document_aliases": 30,
    "document_directives": 50,
    "document_operations": 20,
    "document_variables": 100,
    "document_fragments": 100,
    "operation_points": 10_000,
    "operation_seconds": 10,
    "answer_bytes": 8 * 2**20,
    "http_body_bytes": 2**20,
    "http_body_seconds": 15,
    "http_head_seconds": 10,
    "http_header_bytes": 32_768,
    "http_header_count": 100,
    "http_keep_alive_seconds": 5,
    "usage_body_bytes": 5 * 2**20,
    "usage_late_days": 35,
    "failed_credentials_per_minute": 20,
    "jwt_leeway_seconds": 30,
    "link_seconds": 900,
    "live_init_seconds": 10,
    "live_message_bytes": 131_072,
    "live_messages_per_second": 100,
    "live_recheck_seconds": 60,
    "live_socket_operations": 25,
    "live_sockets": 5,
    "live_subscriptions": 100,
    "live_unauthenticated_sockets": 20,
    "live_unread_seconds": 30,
    "database_pool_wait_seconds": 2,
    "statement_timeout_seconds": 5,
    "stop_grace_seconds": 10,
    "stop_notice_seconds": 3,
}


def test_no_default_is_looser_than_required() -> None:
    defaults = {name: SETTINGS[name].value(Settings()) for name in MOST}
    assert {name: value for name, value in defaults.items() if value > MOST[name]} == {}
