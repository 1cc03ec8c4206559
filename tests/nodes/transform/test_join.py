"""Join."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.transform.join import Join

LEFT = pa.record_batch({"k": [1, 2, 3, None], "v": ["a", "b", "c", "d"]})
RIGHT = pa.record_batch({"k": [2, 3, 4, None], "v": ["B", "C", "D", "E"], "w": [20, 30, 40, 50]})


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        ("inner", [(2, "b", "B", 20), (3, "c", "C", 30)]),
        ("left", [(1, "a", None, None), (2, "b", "B", 20), (3, "c", "C", 30), (None, "d", None, None)]),
        ("right", [(2, "b", "B", 20), (3, "c", "C", 30), (4, None, "D", 40), (None, None, "E", 50)]),
        (
            "full",
            [
                (1, "a", None, None),
                (2, "b", "B", 20),
                (3, "c", "C", 30),
                (4, None, "D", 40),
                (None, "d", None, None),
                (None, None, "E", 50),
            ],
        ),
    ],
)
def test_keys_come_once_and_clashing_columns_get_a_suffix(whole, how, wanted):
    out = whole(Join, {"how": how, "on": ["k"]}, left=[LEFT], right=[RIGHT])
    assert out.column_names == ["k", "v", "v_right", "w"]
    rows = [tuple(row.values()) for row in out.to_pylist()]
    assert sorted(rows, key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize(("how", "wanted"), [("semi", ["b", "c"]), ("anti", ["a", "d"])])
def test_semi_and_anti_give_rows_of_the_left_only(whole, how, wanted):
    out = whole(Join, {"how": how, "on": ["k"]}, left=[LEFT], right=[RIGHT, RIGHT])
    assert out.column_names == ["k", "v"]
    assert sorted(out.column("v").to_pylist()) == wanted


def test_cross_gives_every_pair(whole):
    out = whole(Join, {"how": "cross"}, left=[LEFT], right=[RIGHT])
    assert out.num_rows == 16
    assert out.column_names == ["k", "v", "k_right", "v_right", "w"]


def test_several_keys_and_a_suffix_that_is_taken(whole):
    left = pa.record_batch({"a": [1, 1], "b": ["x", "y"], "n": [1, 2], "n_right": [0, 0]})
    right = pa.record_batch({"b": ["y"], "a": [1], "n": [9]})
    out = whole(Join, {"on": ["a", "b"]}, left=[left], right=[right])
    assert out.to_pylist() == [{"a": 1, "b": "y", "n": 2, "n_right": 0, "n_right_": 9}]


@pytest.mark.parametrize(
    ("how", "rows"), [("inner", 0), ("left", 4), ("right", 0), ("full", 4), ("semi", 0), ("anti", 4)]
)
def test_an_input_that_gave_no_columns_counts_as_one_without_rows(whole, how, rows):
    nothing = pa.record_batch([], schema=pa.schema([]))
    out = whole(Join, {"how": how, "on": ["k"]}, left=[LEFT], right=[nothing])
    assert (out.num_rows, out.column_names) == (rows, ["k", "v"])


def test_keys_of_different_kinds_are_refused(whole):
    texts = pa.record_batch({"k": ["1"]})
    with pytest.raises(PermanentError, match='The key "k" is integer on the left and text on the right'):
        whole(Join, {"on": ["k"]}, left=[LEFT], right=[texts])


def test_integers_and_numbers_match(whole):
    numbers = pa.record_batch({"k": [2.0, 2.5], "x": [1, 2]})
    out = whole(Join, {"on": ["k"]}, left=[LEFT], right=[numbers])
    assert out.column("x").to_pylist() == [1]


def test_a_missing_key_names_the_side(whole):
    with pytest.raises(PermanentError, match=r"setting on, right input"):
        whole(Join, {"on": ["v2"]}, left=[pa.record_batch({"v2": [1]})], right=[RIGHT])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"how": "left"}, "needs key columns"),
        ({"how": "cross", "on": ["k"]}, "has no key columns"),
        ({"how": "outer"}, "how"),
    ],
)
def test_settings_that_make_no_sense_are_refused_before_the_run(config, words):
    with pytest.raises(ValidationError, match=words):
        Join.Config(**config)
