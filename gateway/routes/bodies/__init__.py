"""Request bodies of the REST API, and their validation."""
