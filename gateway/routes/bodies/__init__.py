"""Request bodies of the REST API, with the faults of each field."""
