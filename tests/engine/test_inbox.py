"""Wires are bounded, keep their order and never lose a batch."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from etl_studio.engine.inbox import Bounds, Inbox
from etl_studio.engine.unify import Unifier
from etl_studio.errors import Cancelled, PermanentError
from etl_studio.pipeline.model import Wire

A = Wire("a", "out", "c", "input")
B = Wire("b", "out", "c", "input")


def rows(*numbers):
    return pa.record_batch({"n": pa.array(numbers, pa.int64())})


def test_batches_come_out_in_the_order_they_went_in():
    inbox = Inbox([A])
    for number in range(5):
        inbox.put(A, rows(number))
    inbox.close(A)

    taken = []
    while (item := inbox.take()) is not None:
        taken += item[1].column("n").to_pylist()

    assert taken == [0, 1, 2, 3, 4]
    assert inbox.lost() == []


def test_several_wires_are_taken_in_turn():
    inbox = Inbox([A, B])
    for number in range(3):
        inbox.put(A, rows(number))
        inbox.put(B, rows(number + 10))
    inbox.close(A)
    inbox.close(B)

    wires = []
    while (item := inbox.take()) is not None:
        wires.append(item[0].source)

    assert wires == ["a", "b"] * 3


def test_a_full_wire_makes_its_sender_wait_until_a_batch_is_taken():
    inbox = Inbox([A], Bounds(rows=4))
    inbox.put(A, rows(1, 2, 3, 4))
    passed = threading.Event()
    sender = threading.Thread(target=lambda: (inbox.put(A, rows(5)), passed.set()))
    sender.start()
    assert not passed.wait(0.05)
    assert inbox.samples()[str(A)].fill == 1.0

    inbox.take()

    assert passed.wait(5)
    sender.join()


def test_the_bound_counts_bytes_too():
    inbox = Inbox([A], Bounds(rows=10**9, bytes=8))
    inbox.put(A, rows(1))

    def send():
        with pytest.raises(Cancelled):
            inbox.put(A, rows(2))

    waiting = threading.Thread(target=send)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()

    inbox.cancel()
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_cancelled_inbox_gives_nothing_more():
    inbox = Inbox([A])
    inbox.put(A, rows(1))
    inbox.cancel()

    with pytest.raises(Cancelled):
        inbox.take()


def test_rows_that_nobody_took_are_found():
    inbox = Inbox([A])
    inbox.put(A, rows(1, 2))

    assert inbox.lost() == [(A, 2)]


def test_wires_into_one_port_are_unified_by_column_name(tmp_path):
    unifier = Unifier([A, B], tmp_path)
    assert list(unifier.add(A, pa.record_batch({"n": pa.array([1], pa.int64()), "x": pa.array(["a"])}))) == []

    given = list(unifier.add(B, pa.record_batch({"n": pa.array([1.5])})))

    assert [batch.to_pylist() for batch in given] == [[{"n": 1.0, "x": "a"}], [{"n": 1.5, "x": None}]]


def test_columns_that_do_not_go_together_are_refused_with_their_name(tmp_path):
    unifier = Unifier([A, B], tmp_path)
    list(unifier.add(A, rows(1)))

    with pytest.raises(PermanentError, match='column "n" is integer'):
        list(unifier.add(B, pa.record_batch({"n": pa.array(["x"])})))


def test_what_is_held_for_a_late_wire_goes_to_a_file_and_comes_back_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("etl_studio.engine.unify.HELD_BYTES", 16)
    unifier = Unifier([A, B], tmp_path)
    for number in range(5):
        assert list(unifier.add(A, rows(number))) == []
    assert list(tmp_path.iterdir())

    given = list(unifier.add(B, rows(9)))

    assert [batch.column("n").to_pylist() for batch in given] == [[0], [1], [2], [3], [4], [9]]
    assert not list(tmp_path.iterdir())
