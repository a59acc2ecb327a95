import pytest

from gateway.http.negotiation import PARSED_BYTES, accepted_coding, is_json, negotiate

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ([], JSON),
        (["*/*"], JSON),
        (["application/*"], JSON),
        ([JSON], JSON),
        ([GRAPHQL], GRAPHQL),
        ([f"{GRAPHQL}; charset=utf-8"], GRAPHQL),
        ([f"{JSON}, {GRAPHQL}"], GRAPHQL),
        ([JSON, GRAPHQL], GRAPHQL),
        ([f"{GRAPHQL};q=0.5, {JSON}"], JSON),
        ([f"{GRAPHQL}, {JSON};q=0.9"], GRAPHQL),
        ([f"{GRAPHQL};q=0.5, */*;q=0.1"], GRAPHQL),
        ([f"{GRAPHQL};q=0, */*"], JSON),
        ([f"{JSON};q=0, */*"], GRAPHQL),
        (["Application/JSON"], JSON),
        (["text/html"], None),
        (["text/event-stream"], None),
        (["multipart/mixed, application/json"], JSON),
        ([f"{JSON};q=0"], None),
        ([f"{JSON};q=lots"], None),
        ([f"{JSON}; charset=iso-8859-1"], None),
    ],
)
def test_the_clients_wish_decides(accept: list[str], chosen: str | None) -> None:
    assert negotiate(accept) == chosen


@pytest.mark.parametrize(
    ("content_type", "is_readable"),
    [
        ("application/json", True),
        ("Application/JSON ; charset=UTF-8", True),
        ('application/json; charset="utf-8"; profile=x', True),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("xapplication/jsonx", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("", False),
        (None, False),
    ],
)
def test_a_body_is_exactly_json(content_type: str | None, is_readable: bool) -> None:
    assert is_json(content_type) is is_readable


def test_a_header_that_is_too_long_is_not_parsed() -> None:
    padding = "a/b," * (PARSED_BYTES // 4)
    assert negotiate([JSON, padding[: -len(JSON) - 1]]) == JSON
    assert negotiate([JSON, padding]) is None
    assert not is_json(f"application/json; {';' * PARSED_BYTES}")
    assert accepted_coding(["br", padding], ["br"]) is None
