from __future__ import annotations

from difflib import get_close_matches

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_studio.sdk.guess import LONGEST, closest

NAMES = ["csv_source", "csv_sink", "json_source", "filter", "derive", "id", "quantity", "write_disposition"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("csv_sorce", "csv_source"),
        ("fliter", "filter"),
        ("quantitiy", "quantity"),
        ("xyz", None),
        ("", None),
    ],
)
def test_the_name_that_was_meant_is_found(word, meant):
    assert closest(word, NAMES) == meant


@given(st.text("abcd_", max_size=8), st.lists(st.text("abcd_", min_size=1, max_size=8), max_size=5, unique=True))
def test_few_names_are_compared_as_the_standard_library_does(word, names):
    found = get_close_matches(word, names, n=1)
    assert (closest(word, names) is None) == (not found)


def test_names_too_long_to_be_mistyped_are_not_compared():
    assert closest("a" * (LONGEST + 1), ["a" * (LONGEST + 1)]) is None
    assert closest("abc", ["a" * 100_000, "abd"]) == "abd"
