"""The gate: when a barrier starts, who sends it, and when the sinks that met may commit."""

from __future__ import annotations

import threading

import pytest

from etl_studio.engine.checkpoints import Barrier, Checkpoint, Checkpoints, Interval, Position, Snapshot
from etl_studio.engine.events import NodeCounts
from etl_studio.errors import Cancelled, PermanentError

PATIENCE = 10
"""Seconds after which somebody who waits counts as forgotten."""


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def saved():
    """The checkpoints that were kept."""
    return []


@pytest.fixture
def gate(clock, saved):
    def make(sources=("read",), sinks=("save",), *, seconds=None, rows=None, possible=True, save=None, **options):
        replaying = dict.fromkeys(sources, True) if not isinstance(sources, dict) else sources
        interval = Interval(seconds, rows)
        return Checkpoints(
            replaying, sinks, interval, possible=possible, save=save or saved.append, clock=clock, **options
        )

    return make


class Waiting:
    """A call in a thread of its own."""

    def __init__(self, call, *arguments):
        self.result = self.error = None
        self._thread = threading.Thread(target=self._run, args=(call, arguments), daemon=True)
        self._thread.start()

    def _run(self, call, arguments):
        try:
            self.result = call(*arguments)
        except Exception as error:  # noqa: BLE001 - told by end()
            self.error = error

    def end(self):
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "it waits for ever"
        if self.error is not None:
            raise self.error
        return self.result


def sleeping(gate, number=1):
    """Return when so many callers wait at the gate."""
    for _ in range(1_000_000):
        with gate._changed:
            if len(gate._changed._waiters) >= number:
                return
    pytest.fail("nobody waits")


def pass_through(gate, barrier, sink="save"):
    """One sink alone at the gate."""
    assert barrier is not None
    checkpoint = gate.arrive(sink)
    gate.committed(sink)
    return checkpoint and checkpoint.epoch


def test_no_barrier_starts_before_so_many_rows_have_come(gate):
    checkpoints = gate(rows=10)
    assert checkpoints.reached("read", Position(9, "a")) is None
    assert checkpoints.reached("read", Position(10, "b")) == Barrier(1)


def test_no_barrier_starts_before_so_many_seconds_have_passed(gate, clock):
    checkpoints = gate(seconds=30)
    clock.now += 29
    assert checkpoints.reached("read", Position(1_000_000, "a")) is None
    clock.now += 1
    assert checkpoints.reached("read", Position(1_000_001, "b")) == Barrier(1)


def test_rows_or_seconds_whichever_comes_first(gate, clock):
    checkpoints = gate(rows=10, seconds=30)
    barrier = checkpoints.reached("read", Position(10, "a"))
    assert barrier == Barrier(1)
    pass_through(checkpoints, barrier)
    clock.now += 30
    assert checkpoints.reached("read", Position(11, "b")) == Barrier(2)


def test_without_a_new_row_no_barrier_starts(gate, clock):
    checkpoints = gate(seconds=30)
    clock.now += 60
    assert checkpoints.reached("read", Position(0, "a")) is None
    assert checkpoints.reached("read", Position(1, "a")) == Barrier(1)


def test_by_default_half_a_minute_lies_between_two_barriers():
    assert Interval() == Interval(seconds=30.0, rows=None)


def test_rows_and_seconds_are_counted_from_the_barrier_before(gate, clock):
    checkpoints = gate(rows=10, seconds=30)
    clock.now += 29
    pass_through(checkpoints, checkpoints.reached("read", Position(10, "a")))
    clock.now += 29
    assert checkpoints.reached("read", Position(19, "b")) is None
    clock.now += 1
    assert checkpoints.reached("read", Position(19, "b")) == Barrier(2)


def test_rows_of_all_sources_are_counted_together(gate):
    checkpoints = gate(("one", "two"), rows=10)
    assert checkpoints.reached("one", Position(6, "a")) is None
    assert checkpoints.reached("two", Position(4, "b")) == Barrier(1)


def test_a_resumed_run_counts_rows_from_where_it_goes_on(gate):
    checkpoints = gate(rows=10, first=5, positions={"read": Position(100, "a")})
    assert checkpoints.reached("read", Position(109, "b")) is None
    assert checkpoints.reached("read", Position(110, "c")) == Barrier(5)


def test_a_source_sends_each_barrier_once(gate):
    checkpoints = gate(("one", "two"), rows=1)
    assert checkpoints.reached("one", Position(1, "a")) == Barrier(1)
    assert checkpoints.reached("one", Position(2, "b")) is None
    assert checkpoints.reached("two", Position(1, "a")) == Barrier(1)
    assert checkpoints.reached("two", Position(2, "b")) is None


def test_at_most_one_barrier_is_under_way(gate):
    checkpoints = gate(rows=1)
    first = checkpoints.reached("read", Position(1, "a"))
    assert checkpoints.reached("read", Position(2, "b")) is None
    pass_through(checkpoints, first)
    assert checkpoints.reached("read", Position(3, "c")) == Barrier(2)


def test_no_barrier_starts_while_a_source_reads_that_cannot_go_on_from_the_middle(gate):
    checkpoints = gate({"file": True, "queue": False}, rows=1)
    assert checkpoints.reached("file", Position(5, "a")) is None
    resting = Waiting(checkpoints.rest, "queue", Position(3, ended=True))
    sleeping(checkpoints)
    assert checkpoints.reached("file", Position(6, "b")) == Barrier(1)
    assert resting.end() == Barrier(1)


def test_where_barriers_are_impossible_none_starts_and_nobody_waits_for_one(gate):
    checkpoints = gate(("one", "two"), rows=1, possible=False)
    assert checkpoints.reached("one", Position(5, "a")) is None
    assert checkpoints.rest("one", Position(5, "a", ended=True)) is None


def test_a_source_that_ended_goes_when_all_have_ended(gate):
    checkpoints = gate(("one", "two"), rows=100)
    first = Waiting(checkpoints.rest, "one", Position(1, ended=True))
    sleeping(checkpoints)
    assert checkpoints.rest("two", Position(1, ended=True)) is None
    assert first.end() is None


def test_a_source_that_ended_sends_the_barrier_that_is_under_way_and_then_waits_for_its_commit(gate):
    checkpoints = gate(("one", "two"), rows=1)
    barrier = checkpoints.reached("one", Position(1, "a"))
    assert checkpoints.rest("two", Position(0, ended=True)) == Barrier(1)
    resting = [Waiting(checkpoints.rest, name, Position(1, ended=True)) for name in ("one", "two")]
    sleeping(checkpoints, 2)
    pass_through(checkpoints, barrier)
    assert [one.end() for one in resting] == [None, None]


def test_whoever_rests_is_cancelled_with_the_run(gate):
    checkpoints = gate(("one", "two"))
    resting = Waiting(checkpoints.rest, "one", Position())
    sleeping(checkpoints)
    checkpoints.cancel()
    with pytest.raises(Cancelled, match=r"^The run was stopped\.$"):
        resting.end()


def test_a_checkpoint_tells_where_each_source_stood_when_it_sent_the_barrier(gate, saved):
    checkpoints = gate(("one", "two", "late"), rows=1, positions={"late": Position(7, "z")})
    checkpoints.reached("one", Position(1, "a"))
    checkpoints.reached("two", Position(4, "b"))
    checkpoints.reached("two", Position(9, "later"))
    checkpoints.arrive("save")
    (checkpoint,) = saved
    assert checkpoint.positions == {"one": Position(1, "a"), "two": Position(4, "b"), "late": Position(7, "z")}


def test_the_last_checkpoint_tells_where_each_source_ended(gate, saved):
    checkpoints = gate(("one", "two"), rows=100)
    resting = Waiting(checkpoints.rest, "one", Position(5, "a", ended=True))
    sleeping(checkpoints)
    checkpoints.rest("two", Position(2, "b", ended=True))
    resting.end()
    checkpoints.arrive("save")
    assert saved[0].positions == {"one": Position(5, "a", ended=True), "two": Position(2, "b", ended=True)}


def test_a_checkpoint_tells_the_counts_of_each_node_when_the_barrier_passed_it(gate, saved):
    checkpoints = gate(rows=1)
    barrier = checkpoints.reached("read", Position(5, "a"))
    checkpoints.collect(barrier, "read", NodeCounts(rows_in=5))
    checkpoints.collect(barrier, "keep", NodeCounts(rows_in=5, filtered=2))
    pass_through(checkpoints, barrier)
    assert saved[0].counts == {"read": NodeCounts(rows_in=5), "keep": NodeCounts(rows_in=5, filtered=2)}

    barrier = checkpoints.reached("read", Position(6, "b"))
    checkpoints.collect(barrier, "read", NodeCounts(rows_in=6))
    pass_through(checkpoints, barrier)
    assert saved[1].counts == {"read": NodeCounts(rows_in=6)}, "of this barrier only"
    assert saved[1].positions == {"read": Position(6, "b")}
    assert [one.epoch for one in saved] == [1, 2]


def test_the_last_checkpoint_tells_the_counts_at_the_end(gate, saved):
    checkpoints = gate()
    checkpoints.arrive("save", {"read": NodeCounts(rows_in=9)})
    assert saved[0].counts == {"read": NodeCounts(rows_in=9)}


def test_snapshots_are_saved_with_the_barrier_that_they_were_made_at(gate, saved):
    checkpoints = gate(rows=1)
    for rows, state in ((1, b"one"), (2, None), (3, b"three")):
        barrier = checkpoints.reached("read", Position(rows, rows))
        checkpoints.collect(barrier, "check", NodeCounts(), state)
        pass_through(checkpoints, barrier)
    assert [one.snapshots for one in saved] == [
        (Snapshot("check", 1, b"one"),),
        (),
        (Snapshot("check", 3, b"three"),),
    ]


def test_a_replayed_barrier_leaves_no_trace_in_the_next_checkpoint(gate, saved):
    checkpoints = gate(rows=1, first=3)
    checkpoints.collect(Barrier(2, replayed=True), "check", NodeCounts(rows_in=1), b"old")
    pass_through(checkpoints, checkpoints.reached("read", Position(1, "a")))
    assert (saved[0].counts, saved[0].snapshots) == ({}, ())


def test_where_a_node_holds_rows_that_it_cannot_keep_no_sink_commits(gate, saved):
    checkpoints = gate(rows=1)
    barrier = checkpoints.reached("read", Position(1, "a"))
    checkpoints.collect(barrier, "check", NodeCounts(), b"one")
    checkpoints.abandon(barrier)
    assert pass_through(checkpoints, barrier) is None
    assert saved == []

    barrier = checkpoints.reached("read", Position(2, "b"))
    checkpoints.collect(barrier, "check", NodeCounts(), b"two")
    assert pass_through(checkpoints, barrier) == 2
    assert saved[0].snapshots == (Snapshot("check", 1, b"one"), Snapshot("check", 2, b"two")), "nothing is forgotten"


def test_a_replayed_barrier_neither_abandons_a_checkpoint_nor_saves_an_abandoned_one(gate, saved):
    checkpoints = gate(("one", "two"), rows=1, first=3)
    checkpoints.abandon(Barrier(2, replayed=True))
    barrier = checkpoints.reached("one", Position(1, "a"))
    assert pass_through(checkpoints, barrier) == 3

    barrier = checkpoints.reached("one", Position(2, "b"))
    checkpoints.abandon(barrier)
    checkpoints.abandon(Barrier(2, replayed=True))  # the other source is still behind
    assert pass_through(checkpoints, barrier) is None


def test_sinks_wait_until_all_of_them_hold_the_barrier(gate, saved):
    checkpoints = gate(sinks=("one", "two"), rows=1)
    checkpoints.reached("read", Position(1, "a"))
    first = Waiting(checkpoints.arrive, "one")
    sleeping(checkpoints)
    assert saved == []
    checkpoint = checkpoints.arrive("two")
    assert saved == [checkpoint]
    assert first.end() is checkpoint


def test_the_next_barrier_starts_when_the_last_sink_has_committed(gate):
    checkpoints = gate(sinks=("one", "two"), rows=1)
    checkpoints.reached("read", Position(1, "a"))
    first = Waiting(checkpoints.arrive, "one")
    checkpoints.arrive("two")
    first.end()
    checkpoints.committed("one")
    assert checkpoints.reached("read", Position(2, "b")) is None
    checkpoints.committed("two")
    assert checkpoints.reached("read", Position(3, "c")) == Barrier(2)


def test_a_checkpoint_is_saved_before_any_sink_goes_through(gate):
    events = []

    def save(checkpoint):
        events.append("saved")

    checkpoints = gate(sinks=("one", "two"), rows=1, save=save)
    checkpoints.reached("read", Position(1, "a"))

    def come(sink):
        checkpoints.arrive(sink)
        events.append(sink)

    first = Waiting(come, "one")
    come("two")
    first.end()
    assert events[0] == "saved"
    assert sorted(events[1:]) == ["one", "two"]


def test_a_checkpoint_that_cannot_be_saved_is_an_error_for_every_sink_and_nobody_commits(gate):
    error = PermanentError("The disk is full.")

    def save(checkpoint):
        raise error

    checkpoints = gate(sinks=("one", "two"), rows=1, save=save)
    checkpoints.reached("read", Position(1, "a"))
    first = Waiting(checkpoints.arrive, "one")
    sleeping(checkpoints)
    with pytest.raises(PermanentError, match="The disk is full"):
        checkpoints.arrive("two")
    with pytest.raises(PermanentError, match="The disk is full"):
        first.end()
    with pytest.raises(Cancelled):
        checkpoints.rest("read", Position(1, "a"))


@pytest.mark.parametrize("end", ["cancel", "commit_no_more"])
def test_who_waits_at_the_gate_and_who_comes_later_is_cancelled(gate, end, saved):
    checkpoints = gate(sinks=("one", "two"), rows=1)
    checkpoints.reached("read", Position(1, "a"))
    first = Waiting(checkpoints.arrive, "one")
    sleeping(checkpoints)
    getattr(checkpoints, end)()
    with pytest.raises(Cancelled, match=r"^The run was stopped\.$"):
        first.end()
    with pytest.raises(Cancelled, match=r"^The run was stopped\.$"):
        checkpoints.arrive("two")


def test_the_others_need_not_wait_for_a_sink_that_left(gate, saved):
    checkpoints = gate(sinks=("one", "two"), rows=1)
    barrier = checkpoints.reached("read", Position(1, "a"))
    checkpoints.collect(barrier, "read", NodeCounts(rows_in=1))
    first = Waiting(checkpoints.arrive, "one")
    sleeping(checkpoints)
    checkpoints.leave("two")
    assert first.end().epoch == 1
    assert saved == [Checkpoint(1, {"read": Position(1, "a")}, {"read": NodeCounts(rows_in=1)})]


def test_a_sink_that_left_before_anybody_came_is_not_waited_for(gate, saved):
    checkpoints = gate(sinks=("one", "two"), rows=1)
    checkpoints.leave("two")
    assert saved == []
    assert pass_through(checkpoints, checkpoints.reached("read", Position(1, "a")), "one") == 1


def test_a_sink_that_leaves_does_not_open_the_gate_while_others_are_missing(gate, saved):
    checkpoints = gate(sinks=("one", "two", "three"), rows=1)
    checkpoints.reached("read", Position(1, "a"))
    first = Waiting(checkpoints.arrive, "one")
    sleeping(checkpoints)
    checkpoints.leave("two")
    assert saved == []
    checkpoints.arrive("three")
    assert first.end().epoch == 1


def test_a_sink_that_gives_up_its_commit_keeps_nobody_waiting(gate, saved):
    checkpoints = gate(sinks=("one", "two"), rows=1)
    checkpoints.reached("read", Position(1, "a"))
    first = Waiting(checkpoints.arrive, "one")
    checkpoints.arrive("two")
    first.end()
    resting = Waiting(checkpoints.rest, "read", Position(1, "a"))
    sleeping(checkpoints)
    checkpoints.committed("one")
    checkpoints.leave("two")
    assert resting.end() is None
    assert checkpoints.arrive("one").epoch == 2
    assert [one.epoch for one in saved] == [1, 2]
