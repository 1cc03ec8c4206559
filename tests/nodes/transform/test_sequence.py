"""Numbers for rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from etl_studio.errors import PermanentError
from etl_studio.nodes.transform.sequence import Sequence

LARGEST = 2**63 - 1


def numbered(node, *sizes):
    rows = []
    for size in sizes:
        for batch in node.process(pa.record_batch({"name": ["x"] * size}), None):
            assert batch.schema.field("number").type == pa.int64()
            rows += batch.column("number").to_pylist()
    return rows


def make(**config):
    return Sequence(Sequence.Config(**config))


def test_rows_are_numbered_across_batches():
    assert numbered(make(), 2, 0, 3) == [1, 2, 3, 4, 5]
    assert numbered(make(start=10, step=-5), 2, 2) == [10, 5, 0, -5]
    assert numbered(make(step=0), 2) == [1, 1]


def test_a_resumed_run_goes_on_with_the_next_number():
    before, after = make(start=5), make(start=5)
    numbered(before, 3)
    snapshots = [before.snapshot()]
    numbered(before, 1)
    snapshots.append(before.snapshot())
    after.restore(snapshots)
    assert numbered(after, 1) == [9]
    again = make(start=5)
    again.restore([])
    assert numbered(again, 1) == [5]


def test_a_batch_that_is_tried_again_gets_the_same_numbers():
    node = make()
    batch = pa.record_batch({"name": ["x"]})
    broken_off = node.process(batch, None)
    next(broken_off)
    broken_off.close()
    assert numbered(node, 1) == [1]


def test_a_column_that_is_there_is_not_overwritten():
    with pytest.raises(PermanentError, match='already a column "Name"') as caught:
        list(make(column="Name").process(pa.record_batch({"name": ["x"]}), None))
    assert caught.value.hint


def test_numbers_beyond_64_bits_are_refused_with_the_number():
    assert numbered(make(start=LARGEST - 1), 2) == [LARGEST - 1, LARGEST]
    with pytest.raises(PermanentError, match=str(LARGEST + 1)):
        numbered(make(start=LARGEST - 1), 3)
    with pytest.raises(PermanentError, match="too large"):
        numbered(make(step=LARGEST), 1, 1)
    assert numbered(make(start=-LARGEST, step=-1), 1) == [-LARGEST]


def test_its_numbers_are_those_of_the_whole():
    assert not make().takes_part("input")
    assert make().holds_rows
