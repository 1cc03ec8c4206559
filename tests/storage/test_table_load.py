from __future__ import annotations

import apsw
import pyarrow as pa
import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded
from etl_studio.storage.results import Results
from etl_studio.storage.stage import Stage

ONE_TO_THREE = {"id": [1, 2, 3], "v": ["a", "b", "c"]}


def staged_tables(file):
    return file.query("SELECT name FROM temp.sqlite_schema WHERE type = 'table'")


def test_append_makes_the_table_and_adds_rows_every_time(load):
    assert load("t", "append", ONE_TO_THREE) == Loaded(inserted=3)
    assert load("t", "append", ONE_TO_THREE) == Loaded(inserted=3)
    assert load.rows() == sorted(2 * [(1, "a"), (2, "b"), (3, "c")])


def test_replace_puts_the_new_rows_in_the_place_of_all_old_ones(load):
    load("t", "replace", ONE_TO_THREE)
    assert load("t", "replace", {"id": [3, 4], "v": ["c", "d"]}) == Loaded(inserted=2)
    assert load.rows() == [(3, "c"), (4, "d")]


def test_replace_by_no_rows_empties_the_table(load):
    load("t", "replace", ONE_TO_THREE)
    schema = pa.schema([("id", pa.int64()), ("v", pa.string())])
    assert load("t", "replace", pa.RecordBatch.from_pylist([], schema)) == Loaded()
    assert load.rows() == []


def test_replace_takes_the_columns_and_types_that_arrive(load, file):
    load("t", "replace", {"id": ["1"], "old": ["x"]})
    load("t", "replace", {"id": [1], "new": [2.5]})
    assert load.rows() == [(1, 2.5)]
    assert list(Results(file).table_columns("t")) == ["id", "new"]


def test_replace_with_the_same_names_and_other_types_does_not_turn_numbers_into_text(load):
    load("t", "replace", {"id": ["1"]})
    load("t", "replace", {"id": [2]})
    assert load.rows() == [(2,)]


def test_merge_inserts_updates_and_leaves_equal_rows_alone(load):
    assert load("t", "merge", ONE_TO_THREE, key=["id"]) == Loaded(inserted=3)
    assert load("t", "merge", ONE_TO_THREE, key=["id"]) == Loaded(unchanged=3)
    assert load("t", "merge", {"id": [2, 3, 4], "v": ["b", "C", "d"]}, key=["id"]) == (
        Loaded(inserted=1, updated=1, unchanged=1)
    )
    assert load.rows() == [(1, "a"), (2, "b"), (3, "C"), (4, "d")]


def test_merge_sees_a_change_to_and_from_null(load):
    load("t", "merge", {"id": [1, 2, 3], "v": ["a", None, None]}, key=["id"])
    again = {"id": [1, 2, 3], "v": pa.array([None, "b", None], pa.string())}
    assert load("t", "merge", again, key=["id"]) == Loaded(updated=2, unchanged=1)
    assert load.rows() == [(1, None), (2, "b"), (3, None)]


def test_merge_leaves_columns_alone_that_do_not_arrive(load):
    load("t", "merge", {"id": [1], "v": ["a"], "note": ["keep"]}, key=["id"])
    assert load("t", "merge", {"id": [1, 2], "v": ["b", "c"]}, key=["id"]) == Loaded(inserted=1, updated=1)
    assert load.rows() == [(1, "b", "keep"), (2, "c", None)]


def test_rows_that_are_nothing_but_their_key_are_merged_too(load):
    assert load("t", "merge", {"id": [1, 2, 2]}, key=["id"]) == Loaded(inserted=2, superseded=1)
    assert load("t", "merge", {"id": [2, 3]}, key=["id"]) == Loaded(inserted=1, unchanged=1)
    assert load.rows() == [(1,), (2,), (3,)]


@pytest.mark.parametrize("disposition", ["merge", "replace"])
def test_of_rows_with_the_same_key_the_last_wins_and_the_others_are_counted(load, disposition):
    first = {"id": [1, 2, 1], "v": ["a", "b", "A"]}
    second = {"id": [3, 2, 3], "v": ["c", "B", "C"]}
    assert load("t", disposition, first, second, key=["id"]) == Loaded(inserted=3, superseded=3)
    assert load.rows() == [(1, "A"), (2, "B"), (3, "C")]


def test_a_superseded_row_that_equals_the_table_does_not_hide_the_last_one(load):
    load("t", "merge", {"id": [1], "v": ["old"]}, key=["id"])
    assert load("t", "merge", {"id": [1, 1], "v": ["old", "new"]}, key=["id"]) == Loaded(updated=1, superseded=1)
    assert load("t", "merge", {"id": [1, 1], "v": ["x", "new"]}, key=["id"]) == Loaded(unchanged=1, superseded=1)
    assert load.rows() == [(1, "new")]


def test_append_with_a_key_adds_every_row(load):
    rows = {"id": [1, 1], "v": ["a", "b"]}
    assert load("t", "append", rows, key=["id"]) == Loaded(inserted=2)
    assert load("t", "append", rows, key=["id"]) == Loaded(inserted=2)
    assert load.rows() == [(1, "a"), (1, "a"), (1, "b"), (1, "b")]


def test_a_key_of_several_columns_counts_as_a_whole(load):
    rows = {"shop": ["x", "x", "y"], "v": [1, 2, 3], "no": [1, 2, 1]}
    assert load("t", "merge", rows, key=["shop", "no"]) == Loaded(inserted=3)
    again = {"shop": ["y", "x", "z"], "v": [30, 1, 4], "no": [1, 1, 1]}
    assert load("t", "merge", again, key=["no", "shop"]) == Loaded(inserted=1, updated=1, unchanged=1)
    assert load.rows() == [("x", 1, 1), ("x", 2, 2), ("y", 30, 1), ("z", 4, 1)]


def test_a_key_of_text_tells_upper_from_lower_case_and_accents(load):
    keys = ["a", "A", "é", "e\u0301", " a", ""]
    assert load("t", "merge", {"k": keys, "v": list(range(6))}, key=["k"]) == Loaded(inserted=6)
    assert load("t", "merge", {"k": keys, "v": list(range(6))}, key=["k"]) == Loaded(unchanged=6)


def test_a_key_that_is_negative_or_at_the_limits_is_found_again(load):
    rows = {"id": [-(2**63), -1, 0, 2**63 - 1], "v": ["a", "b", "c", "d"]}
    assert load("t", "merge", rows, key=["id"]) == Loaded(inserted=4)
    assert load("t", "merge", rows, key=["id"]) == Loaded(unchanged=4)


@pytest.mark.parametrize("disposition", ["merge", "replace"])
def test_a_row_without_its_key_comes_back_and_names_the_column(file, load, disposition):
    rows = pa.RecordBatch.from_pydict({"a": [1, None, 3, None], "b": ["x", "y", None, None], "v": [1, 2, 3, 4]})
    writing = file.load_table("t", disposition, ["a", "b"])
    (rejected,) = writing.write(rows)
    assert rejected.rows.to_pylist() == rows.to_pylist()[1:]
    assert [problem.column for problem in rejected.problems] == ["a", "b", "a"]
    assert all('"' + problem.column + '"' in problem.message for problem in rejected.problems)
    assert writing.commit() == Loaded(inserted=1)
    writing.abort()
    assert load.rows() == [(1, "x", 1)]


def test_not_a_number_is_no_key_as_sqlite_keeps_it_as_null(file, load):
    writing = file.load_table("t", "merge", ["k"])
    (rejected,) = writing.write(pa.RecordBatch.from_pydict({"k": [1.5, float("nan")]}))
    assert rejected.rows.num_rows == 1
    assert writing.commit() == Loaded(inserted=1)
    writing.abort()
    assert load.rows() == [(1.5,)]


def test_a_key_that_does_not_arrive_is_told_with_the_columns_that_do(file):
    writing = file.load_table("t", "merge", ["order_id"])
    with pytest.raises(PermanentError, match=r"order_id.*orderid"):
        writing.write(pa.RecordBatch.from_pydict({"orderid": [1]}))
    writing.abort()


def test_nothing_is_visible_before_the_commit(file, load):
    load("t", "append", {"id": [1]})
    writing = file.load_table("t", "append", [])
    writing.write(pa.RecordBatch.from_pydict({"id": [2]}))
    assert load.rows() == [(1,)]
    writing.commit()
    writing.abort()
    assert load.rows() == [(1,), (2,)]


def test_an_aborted_load_leaves_the_table_as_it_was_and_nothing_staged(file, load):
    load("t", "append", {"id": [1]})
    writing = file.load_table("t", "replace", [])
    writing.write(pa.RecordBatch.from_pydict({"id": [2]}))
    writing.abort()
    assert load.rows() == [(1,)]
    assert staged_tables(file) == []
    assert writing.commit() == Loaded()


def test_an_aborted_load_into_a_new_table_makes_no_table(file):
    writing = file.load_table("t", "append", [])
    writing.write(pa.RecordBatch.from_pydict({"id": [2]}))
    writing.abort()
    assert file.query("SELECT name FROM sqlite_schema") == []


def test_a_load_without_a_batch_does_nothing(file):
    writing = file.load_table("t", "replace", [])
    assert writing.commit() == Loaded()
    writing.abort()
    assert file.query("SELECT name FROM sqlite_schema") == []


def test_a_committed_load_leaves_nothing_staged(file, load):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    assert staged_tables(file) == []


def test_a_second_commit_adds_nothing(file, load):
    writing = file.load_table("t", "append", [])
    writing.write(pa.RecordBatch.from_pydict({"id": [1]}))
    assert writing.commit() == Loaded(inserted=1)
    assert writing.commit() == Loaded()
    writing.abort()
    assert load.rows() == [(1,)]


def test_rows_keep_their_order_where_they_are_appended(load, file):
    load("t", "append", {"v": ["c", "a", "b"]})
    assert file.query("SELECT v FROM t ORDER BY rowid") == [("c",), ("a",), ("b",)]


def test_a_batch_that_is_a_slice_of_another_is_written_as_it_is(load):
    whole = pa.RecordBatch.from_pydict({"id": list(range(10)), "b": [True, False] * 5})
    load("t", "merge", whole.slice(3, 2), key=["id"])
    assert load.rows() == [(3, 0), (4, 1)]


def test_batches_may_be_larger_than_one_cut(load, file):
    batch = pa.RecordBatch.from_pydict({"id": list(range(100_000))})
    assert load("t", "merge", batch, batch, key=["id"]) == Loaded(inserted=100_000, superseded=100_000)
    assert file.query("SELECT count(*), min(id), max(id) FROM t") == [(100_000, 0, 99_999)]


def test_rows_that_are_in_are_not_loaded_again_when_the_stage_cannot_be_cleared(file, monkeypatch):
    def fail(stage):
        raise apsw.IOError("the disk of the temporary files failed")

    load = file.load_table("t", "append")
    load.write(pa.RecordBatch.from_pydict({"id": [1, 2]}))
    with monkeypatch.context() as patch:
        patch.setattr(Stage, "clear", fail)
        assert load.commit().inserted == 2
    assert load.commit().inserted == 0
    load.write(pa.RecordBatch.from_pydict({"id": [3]}))
    assert load.commit().inserted == 1
    load.abort()
    assert file.query("SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]
