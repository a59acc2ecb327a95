"""The exception that leaves an operation to graphql-core."""


class Irregular(Exception):
    """A compiled run met an error, or a value of an unusual kind.

    The argument is the reason in a few words; a metric counts by it. graphql-core runs the
    operation again and makes the exact response.
    """
