"""A dry run writes nothing and tells exactly what the load then does."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings

from etl_studio.errors import PermanentError
from etl_studio.sdk import Change, Diff, Loaded, WriteOptions
from etl_studio.storage.databases import Databases
from tests.storage.loads_model import BATCHES, WAYS
from tests.storage.tables import rows_of

ONE_TO_THREE = {"id": [1, 2, 3], "v": ["a", "b", "c"]}


@contextmanager
def opened():
    with tempfile.TemporaryDirectory() as folder, Databases() as databases:
        yield databases.open(Path(folder) / "data.db")


def preview(file, disposition, rows, key=(), limit=100, **options):
    load = file.load_table("t", disposition, key, WriteOptions(**options))
    try:
        load.write(pa.RecordBatch.from_pydict(rows))
        return load.preview(limit)
    finally:
        load.abort()


def bytes_of(file):
    return {path.name: path.read_bytes() for path in file.path.parent.iterdir() if not path.name.endswith("-shm")}


def applied(rows, changes):
    """The rows after the changes, without the moments of their versions, which are those of the load itself."""
    after = Counter(rows)
    for change in changes:
        if change.kind != "inserted":
            after[tuple((change.row | change.before).values())] -= 1
        if change.kind != "deleted":
            after[tuple(change.row.values())] += 1
    assert min(after.values(), default=0) >= 0
    return Counter(row[:3] for row in after.elements())


def differing(before, after):
    """Rows that a replace takes away and brings, as sets."""
    return set(before) - set(after), set(after) - set(before)


@pytest.mark.parametrize("way", WAYS, ids=str)
@settings(max_examples=12, deadline=None)
@given(BATCHES, BATCHES)
def test_a_dry_run_tells_what_the_load_then_does_and_writes_nothing(way, first, second):
    with opened() as file:
        way.load(file, first)
        before = rows_of(file)
        contents, version = bytes_of(file), file.version()
        load = way.begin(file)
        for rows in second:
            load.write(way.batch(rows))
        diff = load.preview(100)
        assert bytes_of(file) == contents
        assert file.version() == version
        assert diff == load.preview(100) or way.options.strategy == "scd2"
        assert diff.loaded == load.commit()
        load.abort()
        after = rows_of(file)
        assert (diff.table, diff.rows_before, diff.rows_after) == ("t", len(before), len(after))
        if way.disposition == "replace":
            olds = {tuple((one.row | one.before).values()) for one in diff.changes if one.kind != "inserted"}
            news = {tuple(one.row.values()) for one in diff.changes if one.kind != "deleted"}
            assert (olds, news) == differing(before, after)
        else:
            assert applied(before, diff.changes) == Counter(row[:3] for row in after)


def test_a_diff_shows_the_old_values_of_the_columns_that_change(load, file):
    load("t", "merge", ONE_TO_THREE | {"n": [1, 2, 3]}, key=["id"])
    rows = {"id": [1, 2, 4, 3], "v": ["a", "B", "d", None], "n": [1, 2, 4, None], "gone": [False, False, False, True]}
    assert preview(file, "merge", rows, ["id"], hard_delete="gone") == Diff(
        "t",
        Loaded(inserted=1, updated=1, unchanged=1, deleted=1),
        3,
        3,
        (
            Change("inserted", {"id": 4, "v": "d", "n": 4}, {}),
            Change("updated", {"id": 2, "v": "B", "n": 2}, {"v": "b"}),
            Change("deleted", {"id": 3, "v": "c", "n": 3}, {}),
        ),
    )


def test_a_replace_shows_the_rows_that_differ(load, file):
    load("t", "replace", ONE_TO_THREE)
    diff = preview(file, "replace", {"id": [1, 2, 4], "v": ["a", "B", "d"]}, ["id"])
    assert diff.loaded == Loaded(inserted=3)
    assert diff.changes == (
        Change("inserted", {"id": 4, "v": "d"}, {}),
        Change("updated", {"id": 2, "v": "B"}, {"v": "b"}),
        Change("deleted", {"id": 3, "v": "c"}, {}),
    )


def test_a_replace_by_other_columns_shows_all_old_and_all_new_rows(load, file):
    load("t", "append", {"old": ["a"]})
    diff = preview(file, "replace", {"new": [1]})
    assert diff.changes == (Change("inserted", {"new": 1}, {}), Change("deleted", {"old": "a"}, {}))
    assert load.rows() == [("a",)]


def test_a_table_that_would_be_made_is_not_made(file):
    diff = preview(file, "merge", ONE_TO_THREE, ["id"], limit=2)
    assert (diff.loaded, diff.rows_before, diff.rows_after) == (Loaded(inserted=3), None, 3)
    assert [change.row["id"] for change in diff.changes] == [1, 2]
    assert file.query("SELECT name FROM sqlite_schema") == []


def test_a_table_of_another_program_has_a_diff_too(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT) WITHOUT ROWID")
    load("t", "merge", ONE_TO_THREE, key=["id"])
    diff = preview(file, "merge", {"id": [3], "v": ["C"]}, ["id"])
    assert diff.changes == (Change("updated", {"id": 3, "v": "C"}, {"v": "c"}),)


def test_only_the_first_changes_of_each_kind_are_listed(load, file):
    load("t", "merge", {"id": list(range(10)), "v": ["old"] * 10}, key=["id"])
    diff = preview(file, "merge", {"id": list(range(20)), "v": ["new"] * 20}, ["id"], limit=3)
    assert Counter(change.kind for change in diff.changes) == {"inserted": 3, "updated": 3}
    assert diff.loaded == Loaded(inserted=10, updated=10)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT CHECK (v <> 'b'))", "CHECK"),
        ("CREATE TABLE t (id INTEGER PRIMARY KEY REFERENCES other (id), v TEXT)", "FOREIGN KEY"),
    ],
)
def test_what_the_load_would_refuse_the_dry_run_refuses(file, table, message):
    file.query("CREATE TABLE other (id INTEGER PRIMARY KEY)")
    file.query(table)
    with pytest.raises(PermanentError, match=message):
        preview(file, "merge", ONE_TO_THREE, ["id"])
    assert file.query("SELECT * FROM t") == []


def test_after_a_dry_run_the_load_can_be_committed(load, file):
    writing = file.load_table("t", "merge", ["id"])
    writing.write(pa.RecordBatch.from_pydict({"id": [3, 1, 2, 1], "v": ["c", "x", "b", "a"]}))
    writing.preview(1)
    writing.write(pa.RecordBatch.from_pydict({"id": [3], "v": ["C"]}))
    assert writing.commit() == Loaded(inserted=3, superseded=2)
    writing.abort()
    assert load.rows() == [(1, "a"), (2, "b"), (3, "C")]


def test_a_load_without_a_batch_has_an_empty_diff(load, file):
    assert file.load_table("t", "append").preview(10) == Diff("t", Loaded(), None, 0, ())
    load("t", "append", ONE_TO_THREE)
    assert file.load_table("t", "append").preview(10) == Diff("t", Loaded(), 3, 3, ())
