"""What is stored as JSON comes back as it was, and has one text."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.engine.stored_json import dumps, loads

WIDE = st.dictionaries(st.text(max_size=8), st.integers(-(2**80), 2**80) | st.text(max_size=8))


@given(WIDE)
def test_integers_of_any_size_come_back_and_the_text_is_the_same_for_all(
    value: dict[str, int | str],
) -> None:
    text = dumps(value)
    assert loads(text) == value
    assert text == json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
