"""GraphQL on the wire: over HTTP, WebSocket and server-sent events."""
