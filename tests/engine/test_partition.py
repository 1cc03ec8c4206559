"""Batches are divided by key: the same key is in the same part of every batch."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import chain

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio.engine.sql import SqlSession
from etl_studio.errors import PermanentError

BATCHES = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = [
    ([1, 2, None], pa.int64()),
    ([0.5, float("nan"), None], pa.float64()),
    (["a", "", "a text that is longer than twelve bytes", None], pa.string()),
    ([b"a", None], pa.binary()),
    ([True, False, None], pa.bool_()),
    ([Decimal("1.10"), Decimal("2.20"), None], pa.decimal128(9, 2)),
    ([dt.date(2026, 1, 1), None], pa.date32()),
    ([dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")),
    ([[1, 2], [], None], pa.list_(pa.int64())),
    ([None], pa.null()),
]


@pytest.fixture
def session(tmp_path):
    session = SqlSession(tmp_path)
    yield session
    session.close()


@BATCHES
@given(st.data())
def test_a_key_is_in_one_part_in_all_batches_and_nothing_is_lost_or_moved(session, data):
    values, kind = data.draw(st.sampled_from(KEYS))
    parts = data.draw(st.integers(1, 5))
    key = st.tuples(st.sampled_from(values), st.sampled_from(["x", None]))
    partition = session.partition(["key", "second"])
    homes = {}
    for keys in data.draw(st.lists(st.lists(key, max_size=20), max_size=4)):
        columns = {"key": pa.array([one for one, _ in keys], kind), "second": pa.array([two for _, two in keys])}
        columns["second"] = columns["second"].cast(pa.string())
        batch = pa.record_batch({"n": pa.array(range(len(keys)), pa.int64()), **columns})
        found = dict(partition.divide(batch, parts))
        numbers = {part: rows.column("n").to_pylist() for part, rows in found.items()}
        assert all(some == sorted(some) for some in numbers.values())
        assert sorted(chain.from_iterable(numbers.values())) == list(range(len(keys)))
        for part, some in numbers.items():
            for number in some:
                assert homes.setdefault(repr(keys[number]), part) == part
    partition.close()


def test_equal_numbers_are_one_key_however_they_are_written(session):
    partition = session.partition(["key"])
    batch = pa.record_batch({"key": pa.array([0.0, -0.0])})
    assert len(list(partition.divide(batch, 64))) == 1


def test_many_keys_are_in_all_parts(session):
    batch = pa.record_batch({"key": pa.array(range(10_000))})
    sizes = [rows.num_rows for _, rows in session.partition(["key"]).divide(batch, 4)]
    assert len(sizes) == 4
    assert min(sizes) > 2_000


def test_a_batch_without_rows_tells_its_columns_in_one_part(session):
    batch = pa.record_batch({"key": pa.array([], pa.int64())})
    assert list(session.partition(["key"]).divide(batch, 3)) == [(0, batch)]


def test_batches_may_change_their_columns(session):
    partition = session.partition(["key"])
    for batch in (pa.record_batch({"key": [1, 2]}), pa.record_batch({"key": ["a"], "more": [1]})):
        assert sum(rows.num_rows for _, rows in partition.divide(batch, 3)) == batch.num_rows


@pytest.mark.parametrize("parts", [1, 3])
def test_a_column_that_is_not_there_is_named_with_the_setting(session, parts):
    batch = pa.record_batch({"customer": [1]})
    with pytest.raises(PermanentError) as caught:
        list(session.partition(["custmer"]).divide(batch, parts))
    assert caught.value.what == 'There is no column "custmer" (setting policy.partition_by).'
    assert caught.value.hint == 'Did you mean "customer"?'
