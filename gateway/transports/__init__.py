"""GraphQL on the wire: over HTTP, WebSocket and server-sent events.

1. `http.py`, `sse.py` and `websocket.py` authenticate; `request.py` parses the operation.
   `connection.py` is one WebSocket.
2. `operations.py` prepares and runs it in `gateway.execution`, the same way for all three.
3. A subscription joins the hub (`gateway.live`) as a feed. When its account changes, `feeds.py`
   reads the events of the field (`resolvers/sources.py`), executes the operation on each, and
   encodes the result, once for all subscribers with an equal key.
4. The hub offers the update to its sinks: `EventStream` in `sse.py` and `SocketOperation` in
   `connection.py` send it, or keep the latest of each key while the client is behind.
"""
