import re
import sys
import unicodedata
from fnmatch import fnmatchcase

from gateway.store.search import fold, glob, regular_expression


def test_every_letter_with_cases_is_found_in_each_of_them() -> None:
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    groups: dict[str, list[str]] = {}
    for each in characters:
        has_cases = unicodedata.category(each)[0] != "C" and {each.lower(), each.upper()} != {each}
        # ASCII's letters have ASCII's cases alone: neither the sign of kelvins nor the long s.
        if has_cases and (each.isascii() or not fold(each).isascii()):
            groups.setdefault(fold(each), []).append(each)
    assert len(groups) > 1_400
    for cases in groups.values():
        for sought in cases:
            found = re.compile(regular_expression(sought))
            assert all(found.fullmatch(each) for each in cases), cases
            assert all(fnmatchcase(f"a{each}b", glob(sought)) for each in cases), cases


def test_characters_of_patterns_stand_for_themselves() -> None:
    text = "*?[]^-$.|()+{}\\ %_'\"&~#"
    assert re.fullmatch(regular_expression(text), text)
    assert fnmatchcase(f"x{text}x", glob(text))
    assert not fnmatchcase("anything", glob("*"))
    assert not re.search(regular_expression("."), "a")
