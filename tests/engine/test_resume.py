"""Where a run that broke off goes on: what the marks in the targets and the saved checkpoints say together."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from etl_studio.engine.checkpoints import Checkpoint, Position
from etl_studio.engine.events import NodeCounts
from etl_studio.engine.resume import Resumption, checkpoint_of, counts_of, mark_facts, resumption
from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, Mark


def checkpoint(epoch, rows=None, **position):
    rows = epoch * 10 if rows is None else rows
    return Checkpoint(
        epoch, {"read": Position(rows, rows or None, **position)}, {"read": NodeCounts(rows_in=rows, rows_out=rows)}
    )


def mark(epoch, sink="save", *, final=False, inserted=10):
    """What a sink commits with rows; the counts are those before its commit."""
    facts = mark_facts(checkpoint(epoch), NodeCounts(rows_in=epoch * 10, rows_out=(epoch - 1) * 10))
    facts["loaded"] = asdict(Loaded(inserted=inserted))
    return Mark("run-1", sink, epoch, final, json.loads(json.dumps(facts)))


SAVED = [checkpoint(1), checkpoint(2), checkpoint(3)]


def test_a_run_goes_on_where_its_only_sink_committed_last():
    resumed = resumption(["save"], {"save": mark(2)}, SAVED)
    assert (resumed.epoch, resumed.finished, resumed.replays) == (2, False, ())
    assert resumed.positions == {"read": Position(20, 20)}
    assert resumed.counts["read"] == NodeCounts(rows_in=20, rows_out=20)
    assert resumed.marks == {"save": mark(2)}


def test_the_counts_of_a_sink_come_from_its_mark():
    resumed = resumption(["save"], {"save": mark(2)}, SAVED)
    assert resumed.counts["save"] == NodeCounts(rows_in=20, rows_out=20, inserted=10)


def test_a_run_whose_sinks_committed_nothing_begins_again():
    resumed = resumption(["save"], {}, SAVED)
    assert resumed == Resumption()
    assert resumed.newest == 0


def test_a_run_without_a_sink_begins_again():
    assert resumption([], {}, []) == Resumption()


def test_a_run_goes_on_where_the_sink_stands_that_is_furthest_behind():
    marks = {"one": mark(3, "one"), "two": mark(1, "two")}
    resumed = resumption(["one", "two"], marks, SAVED)
    assert resumed.epoch == 1
    assert resumed.positions == {"read": Position(10, 10)}
    assert resumed.replays == (checkpoint(3),), "the barrier that one sink has committed at comes again"
    assert resumed.counts["two"] == NodeCounts(rows_in=10, rows_out=10, inserted=10)
    assert "one" not in resumed.counts, "it counts from the barrier on at which it committed"
    assert resumed.newest == 3


def test_a_sink_that_committed_nothing_is_furthest_behind():
    resumed = resumption(["one", "two"], {"one": mark(2, "one")}, SAVED)
    assert (resumed.epoch, resumed.positions, resumed.replays) == (0, {}, (checkpoint(2),))


def test_replayed_barriers_come_in_order_and_once_each():
    marks = {name: mark(epoch, name) for name, epoch in (("a", 3), ("b", 2), ("c", 3), ("d", 1))}
    resumed = resumption(list(marks), marks, SAVED)
    assert [one.epoch for one in resumed.replays] == [2, 3]


def test_a_sink_that_has_all_its_rows_holds_nobody_back_and_asks_for_no_barrier():
    marks = {"one": mark(3, "one", final=True), "two": mark(2, "two")}
    resumed = resumption(["one", "two"], marks, SAVED)
    assert (resumed.epoch, resumed.replays, resumed.finished) == (2, (), False)
    assert resumed.newest == 3, "numbers are not given twice"


def test_the_number_of_a_mark_of_one_who_has_finished_is_not_given_again():
    assert resumption(["one", "two"], {"one": mark(4, "one", final=True)}, SAVED).newest == 4


def test_where_every_sink_has_all_its_rows_nothing_is_left_to_do():
    marks = {"one": mark(3, "one", final=True), "two": mark(2, "two", final=True)}
    resumed = resumption(["one", "two"], marks, SAVED)
    assert resumed.finished
    assert (resumed.epoch, resumed.positions, resumed.marks) == (3, checkpoint(3).positions, marks)
    assert resumed.counts["read"] == NodeCounts(rows_in=30, rows_out=30)
    assert resumed.counts["one"] == NodeCounts(rows_in=30, rows_out=30, inserted=10)
    assert resumed.counts["two"] == NodeCounts(rows_in=20, rows_out=20, inserted=10)


def test_a_sink_without_a_mark_has_not_finished():
    assert not resumption(["one", "two"], {"one": mark(3, "one", final=True)}, SAVED).finished


def test_marks_know_a_checkpoint_that_the_workspace_lost():
    resumed = resumption(["save"], {"save": mark(3)}, SAVED[:1])
    assert (resumed.epoch, resumed.positions) == (3, {"read": Position(30, 30)})
    assert resumed.counts["read"] == NodeCounts(rows_in=30, rows_out=30)


def test_the_workspace_knows_more_than_a_mark_where_both_know_a_checkpoint():
    other = Checkpoint(2, {"read": Position(20, 20, columns={"out": "told"})}, {})
    assert resumption(["save"], {"save": mark(2)}, [other]).positions == other.positions


@pytest.mark.parametrize("position", [Position(10, "a", exact=False), Position(10, None)])
def test_a_source_that_cannot_go_on_from_where_it_stood_is_refused_with_the_way_out(position):
    saved = [Checkpoint(1, {"read": position}, {})]
    with pytest.raises(PermanentError) as refusal:
        resumption(["save"], {"save": mark(1)}, saved)
    assert refusal.value.what == '"read" cannot go on from the middle, so the run cannot be resumed.'
    assert refusal.value.hint == "Undo its load and run again, or run again with write_disposition: merge."
    assert refusal.value.node == "read"


@pytest.mark.parametrize(
    "position",
    [
        Position(10, "a"),
        Position(10, None, ended=True),
        Position(10, "a", ended=True, exact=False),
        Position(0, None),
        Position(0, None, exact=False),
    ],
)
def test_a_source_goes_on_from_a_cursor_from_its_end_and_from_its_beginning(position):
    saved = [Checkpoint(1, {"read": position}, {})]
    assert resumption(["save"], {"save": mark(1)}, saved).positions == {"read": position}


def test_a_run_that_was_stopped_before_its_first_row_begins_again():
    saved = Checkpoint(1, {"read": Position()}, {})
    resumed = resumption(["save"], {"save": Mark("run", "save", 1)}, [saved])
    assert resumed.positions == {"read": Position()}


def test_a_mark_gives_back_the_checkpoint_that_it_was_committed_at():
    columns = {"out": "told"}
    whole = Checkpoint(
        4,
        {"one": Position(7, {"page": 3}, columns=columns), "two": Position(9, None, ended=True, exact=False)},
        {"one": NodeCounts(rows_in=7, dead_letters=1), "two": NodeCounts(rows_in=9)},
    )
    facts = json.loads(json.dumps(mark_facts(whole, NodeCounts(rows_in=16))))
    assert checkpoint_of(Mark("run-1", "save", 4, facts=facts)) == whole


def test_a_mark_without_facts_tells_its_number_only():
    bare = Mark("run-1", "save", 4)
    assert checkpoint_of(bare) == Checkpoint(4, {}, {})
    assert counts_of(bare) == NodeCounts()


def test_what_a_commit_did_is_added_to_the_counts_before_it():
    loaded = Loaded(inserted=1, updated=2, unchanged=3, superseded=4, deleted=5, stale=6)
    facts = mark_facts(checkpoint(1), NodeCounts(rows_in=50, rows_out=20, inserted=20, rejected=9))
    facts["loaded"] = asdict(loaded)
    assert counts_of(Mark("run-1", "save", 1, facts=facts)) == NodeCounts(
        rows_in=50, rows_out=41, inserted=21, updated=2, unchanged=3, superseded=4, deleted=5, stale=6, rejected=9
    )
