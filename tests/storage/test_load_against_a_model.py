"""Any sequence of loads leaves what a plain dict would hold, and counts what happened to it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.sdk import Loaded, Mark
from etl_studio.storage.databases import Databases
from tests.storage.loads_model import BATCHES, WAYS, Model
from tests.storage.tables import rows_of

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
    return {row[:-1]: row[-1] for row in rows_of(file)}


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
            assert rows_of(file, order="ORDER BY rowid") == appended
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


@pytest.mark.parametrize("way", WAYS, ids=str)
@settings(max_examples=25, deadline=None)
@given(st.lists(BATCHES, min_size=1, max_size=4))
def test_each_way_to_write_does_what_the_model_does(way, loads):
    model = Model()
    with opened() as file:
        for batches in loads:
            loaded = way.load(file, batches)
            assert loaded == model.load(way, batches)
            assert loaded.rows == sum(map(len, batches))
            assert sorted(file.query("SELECT k, v, rank FROM t"), key=repr) == sorted(
                (row.values for row in model.rows), key=repr
            )
        if way.options.strategy == "scd2":
            assert times_fit(file.query("SELECT k, v, rank, valid_from, valid_to FROM t"), model)


def times_fit(stored, model):
    """Each load has one moment, later than those before; every version has the moments of its loads."""
    moments = {}
    expected = {(row.values, row.since, row.until) for row in model.rows}
    for moment in sorted({row[3] for row in stored} | {row[4] for row in stored if row[4] is not None}):
        moments[moment] = len(moments)
    numbers = sorted({number for _, since, until in expected for number in (since, until) if number is not None})
    seen = {(row[:3], numbers[moments[row[3]]], None if row[4] is None else numbers[moments[row[4]]]) for row in stored}
    return seen == expected


@pytest.mark.parametrize("way", [way for way in WAYS if way.disposition != "replace"], ids=str)
@settings(max_examples=15, deadline=None)
@given(BATCHES, BATCHES)
def test_commits_at_barriers_leave_what_one_commit_leaves(way, before, batches):
    with opened() as at_once, opened() as in_parts:
        for file in (at_once, in_parts):
            way.load(file, before)
        whole = way.load(at_once, batches)
        counted = 0
        for epoch, rows in enumerate(batches, 1):
            # A process of its own for each part: it goes on with the load of its run and node.
            load = way.begin(in_parts, run="r", node="n")
            for missing in batches[: epoch - 1] if way.options.needs_all_rows(way.disposition) else ():
                load.write(way.batch(missing))
            load.write(way.batch(rows))
            counted += load.commit(Mark("r", "n", epoch, final=epoch == len(batches))).rows
            load.abort()
        assert counted == whole.rows
        tables = [sorted(file.query("SELECT k, v, rank FROM t"), key=repr) for file in (at_once, in_parts)]
        assert tables[0] == tables[1]
        assert in_parts.query("SELECT count(*) FROM _etl_loads") == [(2,)]


@contextmanager
def opened():
    with tempfile.TemporaryDirectory() as folder, Databases() as databases:
        yield databases.open(Path(folder) / "data.db")
