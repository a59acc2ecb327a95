"""The exception by which a compiled run leaves an operation to graphql-core."""


class Irregular(Exception):
    """An operation in which something is an error, or not of the usual kind.

    The argument says of which kind, in a few words: a metric counts by it. graphql-core runs the
    operation again and makes the exact answer.
    """
