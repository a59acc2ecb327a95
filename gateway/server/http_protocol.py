"""HTTP connections: uvicorn's, which can also be broken off."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.http.disconnect import ABORT


class HttpProtocol(HttpToolsProtocol):
    """A transport that closes first writes all that it holds, which a peer that reads nothing
    makes take for ever.
    """

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
