"""The application that the tests of this folder speak to."""

from tests.support.edge import client, journal, listen, production

__all__ = ["client", "journal", "listen", "production"]
