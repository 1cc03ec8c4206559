"""Any sequence of loads leaves what a plain dict would hold, and counts what happened to it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.sdk import Loaded
from etl_studio.storage.databases import Databases

KEYS = {
    "integer": (st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1]), pa.int64()),
    "text": (st.sampled_from(["a", "A", "", "1", "01", "é", "a\0b", "🛒"]), pa.string()),
    "number": (st.sampled_from([0.5, -1.0, 1e300, float("inf")]), pa.float64()),
}
VALUES = st.none() | st.sampled_from(["x", "y", "", "1"])


@st.composite
def histories(draw):
    """Kinds of the key columns, and loads of batches of rows (key, value)."""
    kinds = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=2))
    key = st.tuples(*(KEYS[kind][0] for kind in kinds))
    batches = st.lists(st.lists(st.tuples(key, VALUES), max_size=6), min_size=1, max_size=3)
    return kinds, draw(st.lists(batches, min_size=1, max_size=4))


def schema_of(kinds):
    keys = [(f"k{number}", KEYS[kind][1]) for number, kind in enumerate(kinds)]
    return pa.schema([*keys, ("v", pa.string())])


def batch_of(rows, schema):
    return pa.RecordBatch.from_pylist([dict(zip(schema.names, (*key, v), strict=True)) for key, v in rows], schema)


def merged(table, rows):
    """What a merge does to a dict, and its counts."""
    last = dict(rows)
    inserted = sum(key not in table for key in last)
    updated = sum(key in table and table[key] != value for key, value in last.items())
    table.update(last)
    return Loaded(inserted, updated, len(last) - inserted - updated, len(rows) - len(last))


def run(disposition, kinds, batches, file):
    schema = schema_of(kinds)
    load = file.load_table("t", disposition, [] if disposition == "append" else schema.names[:-1])
    try:
        for rows in batches:
            assert list(load.write(batch_of(rows, schema))) == []
        return load.commit()
    finally:
        load.abort()


def stored(file):
    return {row[:-1]: row[-1] for row in file.query("SELECT * FROM t")}


@settings(max_examples=60, deadline=None)
@given(histories())
def test_merges_leave_what_a_dict_would_hold(history):
    kinds, loads = history
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases()
        file = databases.open(Path(folder) / "data.db")
        for batches in loads:
            rows = [row for batch in batches for row in batch]
            assert run("merge", kinds, batches, file) == merged(table, rows)
            assert stored(file) == table
            assert file.query("SELECT count(*) FROM t") == [(len(table),)]
        databases.close()


@settings(max_examples=30, deadline=None)
@given(histories())
def test_appends_keep_every_row_in_its_order(history):
    kinds, loads = history
    appended = []
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases()
        file = databases.open(Path(folder) / "data.db")
        for batches in loads:
            rows = [(*key, value) for batch in batches for key, value in batch]
            assert run("append", kinds, batches, file) == Loaded(inserted=len(rows))
            appended += rows
            assert file.query("SELECT * FROM t ORDER BY rowid") == appended
        databases.close()


@settings(max_examples=30, deadline=None)
@given(histories())
def test_a_rerun_of_a_merge_changes_nothing(history):
    kinds, loads = history
    batches = [batch for load in loads for batch in load]
    with tempfile.TemporaryDirectory() as folder:
        databases = Databases()
        file = databases.open(Path(folder) / "data.db")
        first = run("merge", kinds, batches, file)
        before = file.query("SELECT * FROM t")
        again = run("merge", kinds, batches, file)
        assert again == Loaded(unchanged=first.inserted, superseded=first.superseded)
        assert file.query("SELECT * FROM t") == before
        databases.close()
