"""`GET /openapi.json`: the description of what this gateway serves, with its limits."""

from collections.abc import Sequence
from functools import cache

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.routes.openapi.document import build_document
from gateway.routes.openapi.operation import JSON
from gateway.routes.openapi.route import DescribedRoute
from gateway.routes.openapi.surface import OPENAPI_PATH, SURFACE
from gateway.settings import Settings


def openapi_route(routes: Sequence[DescribedRoute], settings: Settings) -> DescribedRoute:
    """Return the route that describes these routes, and itself."""
    served = {OPENAPI_PATH, *(route.described_path for route in routes)}

    @cache
    def document() -> bytes:
        paths = {path: operations for path, operations in SURFACE.items() if path in served}
        return orjson.dumps(build_document(paths, settings))

    async def serve(_: Request) -> Response:
        return Response(document(), media_type=JSON)

    return DescribedRoute(OPENAPI_PATH, serve)
