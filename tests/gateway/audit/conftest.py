"""The books that the tests of this folder write to."""

import pytest

from gateway.store import Database
from tests.support.books import Books


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)
