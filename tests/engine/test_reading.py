"""What a source does in a run: cursors, barriers, stops, pauses, and rows that come again after a break."""

from __future__ import annotations

import threading

import pytest

from etl_studio.engine.events import DeadLettered, LogWritten, NodeChanged, RunStatus
from etl_studio.engine.inject import Injection, Injector
from etl_studio.errors import Cancelled
from etl_studio.sdk import Cursor
from tests.engine.resuming import Resuming, Shelf, Steps, after, batch, fail


@pytest.fixture
def bench(tmp_path):
    return Resuming(tmp_path)


@pytest.fixture
def pair(bench):
    """A source of 40 rows into two targets."""

    def make(**config):
        bench.node("read", "steps_source", **config)
        bench.node("one", "shelf_sink", name="one").node("two", "shelf_sink", name="two")
        return bench.wire("read -> one").wire("read -> two")

    return make


def line(bench, policy=None, **config):
    """A source into one target."""
    return bench.node("read", "steps_source", policy, **config).node("save", "shelf_sink").wire("read -> save")


def rows(name="save"):
    return Shelf.held[name].rows


def marks(name="save"):
    return Shelf.held[name].marks


def test_a_barrier_follows_the_cursor_behind_enough_rows(bench):
    line(bench, rows=45).begin(rows=20)
    assert marks() == [(1, False, 20), (2, False, 20), (3, True, 5)]
    assert rows() == list(range(45))


def test_no_barrier_stands_between_two_cursors(bench):
    line(bench, rows=60, cursor_every=3).begin(rows=1)
    assert marks() == [(1, False, 30), (2, False, 30), (3, True, 0)]


def test_a_checkpoint_keeps_the_cursor_its_rows_and_the_columns(bench):
    line(bench, rows=20).begin(rows=10)
    at_first, _, at_end = [one.positions["read"] for one in bench.book.kept]
    assert (at_first.rows, at_first.value, at_first.ended, at_first.exact) == (10, 10, False, True)
    assert (at_end.rows, at_end.value, at_end.ended) == (20, 20, True)
    assert set(at_first.columns) == set(at_end.columns) == {"out"}
    assert bench.book.kept[0].counts["read"].rows_out == 10


def test_rows_that_are_refused_count_as_read(bench):
    ended = line(bench, rows=20, refuses=5).begin(rows=10)
    counts = ended.nodes["read"]
    assert (counts.rows_in, counts.rows_out, counts.dead_letters) == (20, 16, 4)
    assert [one.positions["read"].rows for one in bench.book.kept] == [10, 20, 20]


def test_dead_letters_of_a_source_tell_the_cursor_before_them(bench):
    line(bench, rows=20, refuses=5).begin(rows=100)
    assert [(one.payload["n"], one.cursor) for one in bench.of(DeadLettered)] == [
        (0, None),
        (5, None),
        (10, 10),
        (15, 10),
    ]


def test_a_run_that_broke_off_goes_on_at_the_cursor_of_the_last_commit(bench):
    line(bench)
    Steps.at["read", 20] = fail
    assert bench.begin().status is RunStatus.FAILED
    held = list(rows())

    ended = bench.go_on()

    assert ended.status is RunStatus.DONE
    assert Steps.began == [None, len(held) or None]
    assert bench.resumed_after == len(held) // 10
    assert rows() == list(range(40))
    assert (ended.rows_in, ended.rows_out) == (40, 40)


def break_between(bench, epoch):
    """The first target commits at a barrier at which the second one fails."""
    Shelf.at["two", epoch] = after("one", epoch)
    assert bench.begin().status is RunStatus.FAILED
    assert len(rows("one")) == len(rows("two")) + 10 == epoch * 10


@pytest.mark.parametrize("size", [10, 7, 3, 20, 100])
def test_a_barrier_that_one_target_has_committed_at_stands_again_at_the_same_row(pair, size):
    bench = pair()
    break_between(bench, 2)
    bench.pipeline.nodes["read"].config["size"] = size

    ended = bench.go_on()

    assert ended.status is RunStatus.DONE, ended.error
    assert bench.resumed_after == 1
    assert rows("one") == rows("two") == list(range(40))
    assert ended.nodes["one"].rows_in == ended.nodes["two"].rows_in == 40
    assert ended.nodes["read"].rows_in == 40


def test_the_first_barrier_may_come_again_too(pair):
    bench = pair(size=7)
    Shelf.at["two", 1] = after("one", 1)
    bench.begin()
    assert (len(rows("one")), len(rows("two"))) == (7, 0)
    bench.pipeline.nodes["read"].config["size"] = 5

    bench.go_on()

    assert bench.resumed_after == 0
    assert rows("one") == rows("two") == list(range(40))


def test_several_barriers_stand_again_in_order(bench):
    bench.node("read", "steps_source")
    for name in ("one", "two", "three"):
        bench.node(name, "shelf_sink", name=name).wire(f"read -> {name}")
    Shelf.at["three", 1] = after("two", 1)
    bench.begin()
    Shelf.at.clear()
    first = Shelf.held["two"]
    assert (first.mark.epoch, Shelf.held["three"].mark) == (1, None)
    one = after("one", 2)
    # The resumed run breaks off, too, while the third has still committed nothing.
    Shelf.at["two", 2] = one
    Shelf.at["three", 2] = one
    bench.make(resumed=True).execute()
    assert sorted(held.mark.epoch if held.mark else 0 for held in Shelf.held.values()) == [0, 1, 2]
    bench.pipeline.nodes["read"].config["size"] = 100

    ended = bench.go_on()

    assert ended.status is RunStatus.DONE, ended.error
    assert [rows(name) for name in ("one", "two", "three")] == [list(range(40))] * 3


def test_refused_rows_are_parted_at_the_old_barrier_with_their_problems(pair):
    """A dead letter belongs to the checkpoint whose barrier comes next."""
    bench = pair(refuses=1)
    Shelf.at["two", 2] = after("one", 2)
    bench.begin(rows=10)
    bench.pipeline.nodes["read"].config["size"] = 100

    ended = bench.go_on()

    assert bench.resumed_after == 1
    assert [(one.payload["n"], one.message, one.epoch) for one in bench.of(DeadLettered)] == [
        (n, f"{n} is odd", 2 if n < 20 else 3) for n in range(10, 40)
    ]
    assert ended.nodes["read"].dead_letters == ended.nodes["read"].rows_in == 40


def test_rows_for_another_port_are_not_counted_on_the_way_to_an_old_barrier(pair):
    """One row is missing to the barrier when they come."""
    bench = pair(beside=True)
    break_between(bench, 2)
    bench.pipeline.nodes["read"].config["size"] = 9
    ended = bench.go_on()
    assert ended.status is RunStatus.DONE, ended.error
    assert rows("one") == rows("two") == list(range(40))


def test_between_old_barriers_no_new_one_starts(pair):
    bench = pair()
    break_between(bench, 2)
    bench.pipeline.nodes["read"].config["size"] = 2
    bench.go_on(rows=1)
    # From row 10 to row 20 there are five cursors, and two targets that stand at different rows.
    assert marks("two")[:3] == [(1, False, 10), (3, False, 10), (4, False, 2)]
    assert marks("one")[:4] == [(1, False, 10), (2, False, 10), (3, False, 0), (4, False, 2)]


def test_a_source_that_became_shorter_is_an_error_before_anything_is_doubled(pair):
    bench = pair()
    break_between(bench, 2)
    bench.pipeline.nodes["read"].config["rows"] = 15

    ended = bench.go_on()

    assert ended.status is RunStatus.FAILED
    assert ended.error_node == "read"
    assert ended.error == (
        "test > read: The source gave 20 rows before the run broke off, and only 15 now. "
        "What it reads has changed. Undo the load and run again."
    )
    assert (rows("one"), rows("two")) == (list(range(20)), list(range(10)))


def test_a_stop_before_all_targets_stand_at_the_same_row_again_commits_nothing(pair):
    bench = pair()
    break_between(bench, 2)
    bench.pipeline.nodes["read"].config["size"] = 5
    run = bench.make(resumed=True)
    Shelf.at.clear()
    Steps.at["read", 10] = lambda _: run.stop()

    ended = run.execute()

    assert ended.status is RunStatus.STOPPED
    assert (rows("one"), rows("two")) == (list(range(20)), list(range(10)))
    bench.go_on()
    assert rows("one") == rows("two") == list(range(40))


def test_a_source_that_ended_is_not_read_again(bench):
    bench.node("short", "steps_source", rows=10, named="short").node("long", "steps_source", named="long")
    bench.node("join", "together").wire("short -> join").wire("long -> join")
    bench.node("save", "shelf_sink").wire("join -> save")
    run = bench.make()

    def until_it_ended(context):
        gate = run._checkpoints
        with gate._changed:
            assert gate._changed.wait_for(lambda: "short" not in gate._reading, 20)

    Steps.at["long", 10] = until_it_ended
    Steps.at["long", 30] = fail
    run.execute()
    assert bench.book.kept[-1].positions["short"].ended
    Steps.began.clear()

    ended = bench.go_on()

    assert ended.status is RunStatus.DONE, ended.error
    assert None not in Steps.began
    assert sorted(rows()) == sorted([*range(10), *range(40)])
    assert ended.nodes["short"].rows_in == 10
    assert bench.book.kept[-1].positions["short"].ended, "once more, for the next resume"


@pytest.mark.parametrize(("can_replay", "given"), [(True, 20), (False, 10)])
def test_a_graceful_stop_ends_a_source_where_it_can_go_on_or_at_once(bench, can_replay, given):
    """Two batches lie between two cursors; the stop comes before the first one."""
    line(bench, cursor_every=2, can_replay=can_replay)
    run = bench.make()
    Steps.at["read", 0] = lambda _: run.stop()

    ended = run.execute()

    assert ended.status is RunStatus.STOPPED
    assert ended.rows_in == given
    assert rows() == list(range(given))
    assert Steps.closed == ["read"], "it can close what it has open"


def test_what_was_stopped_goes_on_behind_its_last_row(bench):
    line(bench, cursor_every=2)
    run = bench.make(rows=100)
    Steps.at["read", 0] = lambda _: run.stop()
    run.execute()
    last = bench.book.kept[-1].positions["read"]
    assert (last.rows, last.value, last.ended, last.exact) == (20, 20, False, True)
    assert set(last.columns) == {"out"}

    ended = bench.go_on()

    assert Steps.began == [None, 20]
    assert rows() == list(range(40))
    assert ended.rows_in == 40


def test_a_source_whose_wait_was_ended_by_a_stop_lets_drain_what_it_gave(bench):
    line(bench, cursor_every=3)
    run = bench.make(rows=100)

    def give_up(_):
        run.stop()
        raise Cancelled("The run was stopped.")

    Steps.at["read", 10] = give_up

    ended = run.execute()

    assert ended.status is RunStatus.STOPPED
    assert rows() == list(range(10))
    position = bench.book.kept[-1].positions["read"]
    assert (position.rows, position.ended, position.exact) == (10, False, False), "its cursor is older than its rows"
    assert "cannot go on from the middle" in bench.go_on().error


class Handle:
    """What a source reads from; open until it is closed."""

    def __init__(self, things):
        self._things = iter(things)
        self.open = True

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._things)

    def close(self):
        self.open = False


def test_what_a_source_reads_from_is_closed_at_its_end_and_at_a_stop(bench, monkeypatch):
    line(bench)
    for stops in (False, True):
        handle = Handle([batch([1]), Cursor(1), batch([2]), Cursor(2)])
        monkeypatch.setattr(Steps, "read", lambda self, context, handle=handle: handle)
        run = bench.make()
        if stops:
            run.stop()
        assert run.execute().rows_in == (1 if stops else 2)
        assert not handle.open


def test_a_source_may_give_a_list(bench, monkeypatch):
    line(bench)
    monkeypatch.setattr(Steps, "read", lambda self, context: [batch([1, 2])])
    assert bench.begin().status is RunStatus.DONE
    assert rows() == [1, 2]


def test_a_source_that_gives_up_without_a_stop_has_failed(bench):
    line(bench)

    def give_up(_):
        raise Cancelled("The other side has hung up.")

    Steps.at["read", 0] = give_up
    ended = bench.begin()
    assert ended.status is RunStatus.FAILED
    assert "The other side has hung up." in ended.error


def test_a_stop_at_the_very_end_does_not_pass_for_the_end(bench):
    """It looks at the stop itself, too: its last rows may be missing."""
    line(bench, rows=20)
    run = bench.make(rows=100)
    Steps.at["read", 10] = lambda _: run.stop()
    run.execute()
    assert not bench.book.kept[-1].positions["read"].ended


class Door(threading.Event):
    """The pause of a run that tells who comes to it, and lets the first one through after one look."""

    def __init__(self, came):
        super().__init__()
        self._came = came

    def wait(self, timeout=None):
        self._came()
        return True


def test_a_source_comes_to_the_pause_before_each_thing_it_gives(bench):
    line(bench, rows=30)
    run = bench.make(rows=100)
    seen = []
    run._running = Door(lambda: seen.append(run._meters["read"].rows_in))
    run.execute()
    assert seen == [0, 10, 10, 20, 20, 30], "rows and cursor of each batch"


def test_old_answers_are_marked_and_their_cursor_is_not_kept(bench):
    line(bench, {"fallback": "last_good"}, rows=30)

    def old(context):
        context.stale = True

    Steps.at["read", 10] = old
    seen = []
    write = Shelf.write

    def look(self, batch, context):
        seen.extend(zip(batch.column("n").to_pylist(), batch.column("_stale").to_pylist(), strict=True))
        return write(self, batch, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "write", look)
        bench.begin(rows=1)
    assert seen == [(n, n >= 10) for n in range(30)]
    assert [one.positions["read"].value for one in bench.book.kept] == [10, 10]


def test_without_that_fallback_rows_have_no_such_column(bench):
    line(bench)
    columns = []
    write = Shelf.write

    def look(self, batch, context):
        columns.append(batch.schema.names)
        return write(self, batch, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shelf, "write", look)
        bench.begin()
    assert columns
    assert all(names == ["n"] for names in columns)


def test_rows_are_malformed_where_faults_are_asked_for(bench):
    line(bench, rows=400)
    faults = Injector(Injection(1, 1.0, ("read",), ("malformed_rows",)), bench.plan(), {})
    ended = bench.begin(faults=faults)
    spoilt = ended.nodes["read"].dead_letters
    assert spoilt > 0
    assert len(rows()) == 400 - spoilt


def test_a_source_without_rows_still_ends(bench):
    ended = line(bench, rows=0).begin()
    assert ended.status is RunStatus.DONE
    assert [one.state for one in bench.of(NodeChanged) if one.node == "read"] == ["running", "done"]
    assert "No rows and no columns arrived; nothing was written." in bench.log
    assert all(one.level != "error" for one in bench.of(LogWritten))
