"""Keys that have come before."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_studio.sdk import BatchView, SeenKeys, fingerprint, sandbox


def prints(numbers):
    """Fingerprints whose low halves are few, so that they collide."""
    return pa.array([struct.pack("<QQ", number % 3, number) for number in numbers], pa.binary())


@given(st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=12))
def test_a_key_is_first_once_and_where_it_came_first(batches):
    keys, seen = SeenKeys(), set()
    for batch in batches:
        wanted = []
        for number in batch:
            wanted.append(number not in seen)
            seen.add(number)
        assert keys.first(prints(batch)).to_pylist() == wanted
    assert len(keys) == len(seen)


@given(st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=12), st.integers(0, 12), st.integers(1, 4))
def test_what_is_restored_knows_the_keys_of_all_snapshots(batches, cut, every):
    whole, before, after = SeenKeys(), SeenKeys(), SeenKeys()
    snapshots = []
    for number, batch in enumerate(batches[:cut]):
        whole.first(prints(batch))
        before.first(prints(batch))
        if number % every == 0:
            snapshots.append(before.snapshot())
    snapshots.append(before.snapshot())
    assert sum(map(len, snapshots)) == 16 * len(before)
    after.restore(snapshots)
    for batch in batches[cut:]:
        assert after.first(prints(batch)) == whole.first(prints(batch))


def test_a_part_of_a_batch_is_read_where_it_begins():
    keys = SeenKeys()
    assert keys.first(prints([1, 2, 3, 2]).slice(1)).to_pylist() == [True, True, False]
    assert keys.first(prints([1, 2]).slice(0, 1)).to_pylist() == [True]


VALUES = {
    "text": st.none() | st.text("ab,\"\\' 0nul[]", max_size=4),
    "integer": st.none() | st.integers(-2, 2),
    "number": st.none() | st.sampled_from([0.0, -0.0, 1.0, 1.5, float("inf")]),
    "decimal": st.none() | st.sampled_from([Decimal("1.10"), Decimal("1.11"), Decimal("-1.10")]),
    "boolean": st.none() | st.booleans(),
    "date": st.none() | st.sampled_from([dt.date(1, 1, 1), dt.date(2024, 2, 29)]),
    "timestamptz": st.none() | st.sampled_from([dt.datetime(2024, 3, 31, 1, 30, tzinfo=dt.UTC)]),
    "binary": st.none() | st.binary(max_size=2),
    "list": st.none() | st.lists(st.none() | st.text("a,", max_size=1), max_size=2),
}
TYPES = {
    "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "decimal": pa.decimal128(9, 2),
    "boolean": pa.bool_(), "date": pa.date32(), "timestamptz": pa.timestamp("us", tz="UTC"), "binary": pa.binary(),
    "list": pa.list_(pa.string()),
}  # fmt: skip


@given(st.data(), st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=3))
def test_rows_have_the_same_fingerprint_exactly_where_they_are_equal(duck, data, kinds):
    rows = data.draw(st.lists(st.tuples(*(VALUES[kind] for kind in kinds)), min_size=1, max_size=12))
    columns = [pa.array([row[number] for row in rows], TYPES[kind]) for number, kind in enumerate(kinds)]
    batch = pa.record_batch(columns, names=[f"column {number}" for number in range(len(kinds))])
    view = BatchView(batch.schema)
    view.batches = (batch,)
    duck.register("input", view)
    found = duck.sql(f"SELECT {fingerprint(batch.schema)} FROM input").to_arrow_table().column(0).to_pylist()
    assert {len(one) for one in found} == {16}
    for one, row in zip(found, rows, strict=True):
        for other, another in zip(found, rows, strict=True):
            assert (one == other) is (row == another)


@pytest.fixture(scope="module")
def duck():
    connection = sandbox(threads=1)
    yield connection
    connection.close()
