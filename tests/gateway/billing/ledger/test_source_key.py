"""Source keys as text, and read again."""

from datetime import UTC, datetime

import pytest

from gateway.billing.ledger.source_key import SourceKey, SourceKind

STORED = {
    "purchase:7": SourceKey.purchase(7),
    "bonus:7": SourceKey.bonus(7),
    "refund:12": SourceKey.refund(12),
    "refund:12:57": SourceKey.refund(12).amended(57),
    "bonus-reversal:12": SourceKey.bonus_reversal(12),
    "dispute:5:1000001": SourceKey.dispute(5, datetime(1970, 1, 1, 0, 0, 1, 1, tzinfo=UTC)),
    "dispute:5:0:9": SourceKey.dispute(5, datetime(1970, 1, 1, tzinfo=UTC)).amended(9),
    "usage:3": SourceKey.usage(3),
    "adjustment:24b93e04aced8c2834c3d882514d708e": SourceKey.adjustment("key-1"),
    "focus:0a-2-amended-1": SourceKey.imported_charge("0a-2-amended-1"),
    "demo:service-credit": SourceKey.demo("service-credit"),
}


@pytest.mark.parametrize("text", STORED)
def test_a_source_key_is_the_text_that_is_stored(text: str) -> None:
    assert str(STORED[text]) == text
    assert SourceKey.parse(text) == STORED[text]


def test_every_kind_is_stored() -> None:
    assert {each.kind for each in STORED.values()} == {*SourceKind}


@pytest.mark.parametrize("text", ["", "refund", "refund:", "refund:1:2:3", "dispute:1", "tip:1"])
def test_other_text_is_no_source_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"source key|SourceKind"):
        SourceKey.parse(text)
