"""Authentication: an `Authorization` header becomes a `Principal`, by a JWT or an API key."""
