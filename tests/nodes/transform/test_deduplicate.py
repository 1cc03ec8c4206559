"""One row of each key."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio.errors import PermanentError
from etl_studio.nodes.transform.deduplicate import Deduplicate

ORDERS = [
    pa.record_batch({"category": ["b", "a", None], "price": [1, 2, 3]}),
    pa.record_batch({"category": ["a", "b", "a"], "price": [None, 5, 6]}),
]


@pytest.fixture
def unique(sql_session, whole):
    """The rows that stay of some batches."""

    def run(batches, **config):
        node = Deduplicate(Deduplicate.Config(**config))
        if node.blocking:
            return whole(Deduplicate, config, input=batches).to_pylist()
        return passed(sql_session, node, batches)

    return run


def passed(sql_session, node, batches):
    query = sql_session.row_wise(node)
    rows = []
    for batch in batches:
        out, refused = query.process(batch)
        assert refused == []
        rows += node.remember(out).to_pylist()
    query.close()
    return rows


def test_the_first_row_of_each_key_goes_on_in_the_order_of_arrival(unique):
    assert unique(ORDERS, keys=["category"]) == [
        {"category": "b", "price": 1},
        {"category": "a", "price": 2},
        {"category": None, "price": 3},
    ]


def test_the_last_row_of_each_key_stays_where_it_came(unique):
    assert unique(ORDERS, keys=["category"], keep="last") == [
        {"category": None, "price": 3},
        {"category": "b", "price": 5},
        {"category": "a", "price": 6},
    ]


@pytest.mark.parametrize("keep", ["first", "last"])
def test_without_keys_whole_rows_are_compared(unique, keep):
    batch = pa.record_batch({"a": [1, None, None, 1, 1], "fingerprint": ["x", None, None, "y", "x"]})
    rows = unique([batch], keep=keep)
    assert sorted(rows, key=str) == [
        {"a": 1, "fingerprint": "x"}, {"a": 1, "fingerprint": "y"}, {"a": None, "fingerprint": None},
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(st.tuples(st.none() | st.integers(0, 3), st.sampled_from(["", "a", '"', None])), max_size=60),
    cut=st.integers(0, 60),
    keep=st.sampled_from(["first", "last"]),
)
def test_it_agrees_with_a_dict(unique, keys, cut, keep):
    batch = pa.record_batch(
        {
            "k": pa.array([key for key, _ in keys], pa.int64()),
            "t": pa.array([text for _, text in keys], pa.string()),
            "n": pa.array(range(len(keys)), pa.int64()),
        }
    )
    numbers: dict[tuple, int] = {}
    for number, key in enumerate(keys):
        if keep == "last":
            numbers[key] = number
        else:
            numbers.setdefault(key, number)
    rows = unique([batch.slice(0, cut), batch.slice(cut)], keys=["k", "t"], keep=keep)
    assert [row["n"] for row in rows] == sorted(numbers.values())


@pytest.mark.parametrize("keep", ["first", "last"])
def test_a_key_that_is_not_there_is_named(unique, keep):
    with pytest.raises(PermanentError, match="setting keys"):
        unique(ORDERS, keys=["categories"], keep=keep)


def test_a_resumed_run_knows_the_keys_of_the_one_that_broke_off(sql_session):
    config = Deduplicate.Config(keys=["category"])
    before, after = Deduplicate(config), Deduplicate(config)
    snapshots = []
    for batch in ORDERS:
        passed(sql_session, before, [batch])
        snapshots.append(before.snapshot())
    assert [len(snapshot) for snapshot in snapshots] == [48, 0]  # three keys, then none that is new

    after.restore(snapshots)
    batch = pa.record_batch({"category": ["a", "c", None], "price": [7, 8, 9]})
    assert passed(sql_session, after, [batch]) == [{"category": "c", "price": 8}]
    assert len(after.snapshot()) == 16


def test_only_keeping_the_first_needs_a_memory():
    assert Deduplicate(Deduplicate.Config(keep="first")).holds_rows
    assert not Deduplicate(Deduplicate.Config(keep="last")).holds_rows
