"""Random payment histories: in any order of delivery the books hold the money Stripe kept."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store import Database
from tests.support.histories.draw import stories
from tests.support.histories.story import VERSIONS, Story
from tests.support.histories.trial import try_stories

SOME = st.sampled_from(VERSIONS).flatmap(
    lambda version: st.lists(stories(version), min_size=1, max_size=3)
)


@settings(max_examples=max(8, settings().max_examples // 3))
@given(drawn=SOME, random=st.integers(0, 2**32).map(Random))
async def test_every_telling_ends_with_the_money_kept(
    database: Database,
    database_url: str,
    request: pytest.FixtureRequest,
    drawn: list[Story],
    random: Random,
) -> None:
    kind = request.node.callspec.params["database_url"]
    assert await try_stories(database, database_url, kind, drawn, random) == []
