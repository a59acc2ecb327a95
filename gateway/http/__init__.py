"""HTTP's parts, shared by all routes: headers, bodies, errors, middleware, streaming."""
