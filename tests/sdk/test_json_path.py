"""Paths into JSON: what they find, and what the message says when they do not."""

from __future__ import annotations

import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk.json_path import MISSING, find, lookup

DOCUMENT = {"data": {"items": [{"id": 1}, {"id": 2}], "a.b": 5, "none": None}, "flag": True}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("", DOCUMENT),
        ("$", DOCUMENT),
        ("data.items.1.id", 2),
        ("$.data.items.0", {"id": 1}),
        ("$.data.items[*]", DOCUMENT["data"]["items"]),
        ("data.a.b", 5),
        ("data.none", None),
        ("data.items.2", MISSING),
        ("data.items.x", MISSING),
        ("flag.deeper", MISSING),
        ("data.none.deeper", MISSING),
        ("nothing", MISSING),
    ],
)
def test_a_path_leads_to_a_value_or_to_nothing(path, value):
    assert lookup(DOCUMENT, path) == value


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("rows", 'There is no "rows" in the answer of here: it holds the keys data, flag'),
        ("data.rows", 'no "rows" in the answer of here: under "data" are the keys items, a.b, none'),
        ("data.items.rows", 'no "rows" in the answer of here: under "data.items" is a list of 2 values'),
        ("data.none.x", 'under "data.none" is nothing (null)'),
        ("flag.x", "under \"flag\" is the boolean 'True'"),
        ("$.rows", 'There is no "rows" in the answer of here: it holds the keys'),
    ],
)
def test_a_path_that_leads_nowhere_names_what_is_there(path, words):
    with pytest.raises(PermanentError) as caught:
        find(DOCUMENT, path, setting="items", source="here")
    assert words in str(caught.value)
    assert (caught.value.column, caught.value.value) == ("items", path)


def test_keys_that_are_half_a_character_can_be_shown():
    with pytest.raises(PermanentError, match=r"the keys \\ud800") as caught:
        find({"\ud800": 1}, "a", setting="items", source="x.json")
    assert str(caught.value).encode()
