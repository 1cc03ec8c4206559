"""What a sink does in a run: stage, commit with a mark, give up, and drop what its target holds already."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from etl_studio import sdk
from etl_studio.engine.checkpoints import Checkpoint, Position
from etl_studio.engine.events import DeadLettered, LogWritten, NodeChanged, NodeCounts, NodeState, RunStatus
from etl_studio.engine.resume import counts_of, mark_facts
from etl_studio.errors import TransientError
from tests.engine.resuming import Content, Resuming, Shelf, Steps, after, fail

NOTHING = "No rows and no columns arrived; nothing was written."
AT_ONCE = {"retry": {"attempts": 3, "delay": 0, "max_delay": 0}}


@pytest.fixture
def bench(tmp_path):
    return Resuming(tmp_path)


def line(bench, policy=None, **config):
    """40 rows into one target."""
    return bench.node("read", "steps_source").node("save", "shelf_sink", policy, **config).wire("read -> save")


@pytest.fixture
def pair(bench):
    """40 rows into two targets."""

    def make(policy=None, **config):
        bench.node("read", "steps_source")
        bench.node("one", "shelf_sink", policy, name="one", **config)
        bench.node("two", "shelf_sink", policy, name="two", **config)
        return bench.wire("read -> one").wire("read -> two")

    return make


def held(name="save"):
    return Shelf.held[name]


def state(bench, node):
    return [one.state for one in bench.of(NodeChanged) if one.node == node][-1]


def break_between(bench, epoch):
    """The first target commits at a barrier at which the second one fails."""
    Shelf.at["two", epoch] = after("one", epoch)
    assert bench.begin().status is RunStatus.FAILED


def once(error):
    """Fail one time."""
    errors = [error]

    def act(context):
        if errors:
            raise errors.pop()

    return act


def test_a_target_is_opened_once_and_committed_at_each_barrier(bench):
    line(bench).begin(rows=10)
    assert held().marks == [(1, False, 10), (2, False, 10), (3, False, 10), (4, False, 10), (5, True, 0)]
    assert (held().opened, held().columns, held().aborted) == (1, ["n"], 0)
    assert bench.book.kept[-1].counts["read"].rows_out == bench.book.kept[-1].counts["save"].rows_in == 40


def test_a_mark_tells_the_run_the_node_and_enough_to_go_on_without_the_workspace(bench):
    line(bench)
    Steps.at["read", 20] = fail
    bench.begin(rows=20)
    mark, kept = held().mark, bench.book.kept[-1]
    assert (mark.run, mark.node, mark.epoch, mark.final) == ("run-1", "save", 1, False)
    assert mark.facts["positions"] == {"read": asdict(kept.positions["read"])}
    assert mark.facts["all"]["read"]["rows_out"] == 20
    assert counts_of(mark).rows_in == counts_of(mark).rows_out == 20

    bench.book.kept.clear()  # a power cut took the workspace's copy away
    ended = bench.go_on()
    assert (bench.resumed_after, ended.status, held().rows) == (1, RunStatus.DONE, list(range(40)))


def test_nothing_is_committed_where_a_node_holds_rows_that_it_cannot_keep(bench):
    """The second wire sends a barrier before it has told its columns."""
    bench.node("one", "steps_source", rows=30, named="one")
    bench.node("two", "steps_source", rows=30, named="two", cursor_first=True)
    bench.node("join", "together").wire("one -> join").wire("two -> join")
    bench.node("save", "shelf_sink").wire("join -> save")
    run = bench.make(rows=1)
    gate = run._checkpoints

    def other(condition):
        def wait(context):
            with gate._changed:
                assert gate._changed.wait_for(condition, 20)

        return wait

    Steps.settled = lambda source: None
    Steps.at["two", 0] = other(lambda: gate._epoch > 1)
    read = Steps.read

    def late(self, context):
        if self.config.named == "two":
            other(lambda: gate._under_way)(context)
        yield from read(self, context)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "read", late)
        ended = run.execute()
    assert ended.status is RunStatus.DONE, ended.error
    assert held().marks[0][0] > 1
    assert [one.epoch for one in bench.book.kept] == [epoch for epoch, _, _ in held().marks]
    assert held().committed == len(held().marks)
    assert sorted(held().rows) == sorted([*range(30)] * 2)


def test_refused_rows_go_to_the_rejects_wire_and_are_committed_at_the_same_barrier(bench):
    line(bench, refuses=5)
    bench.node("bad", "shelf_sink", name="bad").wire("save.rejects -> bad")
    ended = bench.begin(rows=20)
    assert ended.status is RunStatus.DONE
    assert held("bad").rows == list(range(0, 40, 5))
    assert held("bad").marks == [(1, False, 4), (2, False, 4), (3, True, 0)]
    assert held().marks == [(1, False, 16), (2, False, 16), (3, True, 0)]
    assert ended.nodes["save"].rejected == 8


def test_the_rejects_wire_tells_its_columns_where_nothing_is_refused(bench):
    line(bench)
    bench.node("bad", "shelf_sink", name="bad").wire("save.rejects -> bad")
    bench.begin()
    assert held("bad").columns == ["n", "_error", "_error_type", "_node"]


def test_rows_that_a_target_cannot_take_for_now_are_refused_where_the_policy_says_branch(bench):
    line(bench, {**AT_ONCE, "fallback": "branch"})

    def busy(context):
        raise TransientError("The database is locked.")

    Shelf.at["save", "write"] = busy
    ended = bench.begin()
    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert [one.payload["n"] for one in bench.of(DeadLettered)] == list(range(40))
    assert held().rows == []


@pytest.mark.parametrize("moment", ["open", "write", 1])
def test_what_fails_for_a_moment_is_tried_again_under_the_policy(bench, moment):
    line(bench, AT_ONCE)
    Shelf.at["save", moment] = once(TransientError("The database is locked."))
    ended = bench.begin()
    assert ended.status is RunStatus.DONE
    assert ended.nodes["save"].retries == 1
    assert held().rows == list(range(40))


@pytest.mark.parametrize("moment", ["open", "write"])
def test_a_target_that_fails_is_left_as_it_was(bench, moment):
    line(bench)
    Shelf.at["save", moment] = fail
    ended = bench.begin()
    assert (ended.status, ended.error) == (RunStatus.FAILED, "test > save: The connection broke off.")
    assert (held().rows, held().aborted) == ([], 1)


def test_a_target_beside_one_that_failed_is_left_as_it_was(pair):
    bench = pair(once=True)
    Shelf.at["two", "open"] = fail
    bench.begin()
    assert (held("one").rows, held("one").aborted) == ([], 1)


def test_a_pipeline_that_can_commit_only_once_does_so_with_the_last_mark(bench):
    line(bench, once=True).begin(rows=1)
    assert held().marks == [(1, True, 40)]


def stopped(bench, at=20, **options):
    run = bench.make(**options)
    Steps.at["read", at] = lambda _: run.stop()
    return run.execute()


def test_a_stopped_run_commits_what_came_and_lets_go_of_the_target(bench):
    ended = stopped(line(bench), rows=100)
    assert ended.status is RunStatus.STOPPED
    assert held().marks == [(1, False, 30)], "not the last rows"
    assert held().aborted == 1
    assert state(bench, "save") is NodeState.DONE
    assert bench.go_on().status is RunStatus.DONE
    assert held().rows == list(range(40))


def test_a_run_that_ended_well_has_nothing_to_let_go(bench):
    line(bench).begin(rows=100)
    assert held().aborted == 0


def test_a_stopped_run_commits_nothing_where_a_part_would_harm(bench):
    ended = stopped(line(bench, once=True, partial=False))
    assert ended.status is RunStatus.STOPPED
    assert (held().rows, held().mark, held().aborted) == ([], None, 1)
    assert state(bench, "save") is NodeState.STOPPED


def test_a_stopped_run_commits_a_part_once_where_a_part_is_good(bench):
    stopped(line(bench, once=True, partial=True))
    assert held().marks == [(1, False, 30)]


def test_a_stopped_run_commits_a_part_where_it_can_go_on_from_there(bench):
    stopped(line(bench, partial=False), rows=100)
    assert held().marks == [(1, False, 30)]


def test_a_target_keeps_no_part_where_another_one_makes_a_resume_impossible(bench):
    line(bench, partial=False)
    bench.node("other", "shelf_sink", name="other", once=True).wire("read -> other")
    stopped(bench)
    assert (held().rows, held("other").rows) == ([], list(range(30))), "the other one does not wait for it"


def test_a_stopped_run_does_not_load_the_sum_of_a_part(bench):
    bench.node("read", "steps_source").node("sum", "total").node("save", "shelf_sink")
    bench.wire("read -> sum").wire("sum -> save")
    stopped(bench)
    assert (held().rows, held().mark) == ([], None)


def test_a_target_that_gives_up_its_commit_at_a_stop_holds_nobody_up(pair):
    bench = pair()
    run = bench.make(rows=10)

    def locked(context):
        run.stop()
        raise TransientError("The database is locked.")

    Shelf.at["two", 2] = after("one", 2, locked)
    ended = run.execute()
    assert ended.status is RunStatus.STOPPED
    assert (held("two").rows, held("two").aborted) == (list(range(10)), 1)
    bench.go_on()
    assert held("one").rows == held("two").rows == list(range(40))


def test_a_target_that_is_ahead_takes_no_row_before_the_barrier_it_committed_at(pair):
    bench = pair()
    break_between(bench, 2)
    one, two = held("one"), held("two")
    one.written = one.opened = two.written = one.aborted = 0

    ended = bench.go_on()

    assert (bench.resumed_after, bench.book.forgotten) == (1, [(1, {"one": 2})])
    assert (one.written, two.written) == (20, 30)
    assert (one.opened, one.aborted) == (1, 0), "there was nothing to forget"
    assert one.rows == two.rows == list(range(40))
    assert ended.nodes["one"] == ended.nodes["two"], "the counts of both go on from the beginning"
    assert ended.nodes["one"].inserted == 40
    assert two.marks[1][:2] == (3, False), "at the barrier that came again nobody commits"


def test_rejects_of_a_target_that_is_ahead_come_again_and_are_counted_once(bench):
    line(bench, refuses=5)
    bench.node("bad", "shelf_sink", name="bad").wire("save.rejects -> bad")
    Shelf.at["bad", 2] = after("save", 2)
    bench.begin(rows=10)
    assert (len(held().rows), held("bad").rows) == (16, [0, 5])
    held().opened = held().aborted = 0

    ended = bench.go_on()

    assert ended.status is RunStatus.DONE, ended.error
    assert held("bad").rows == list(range(0, 40, 5))
    assert held().rows == [n for n in range(40) if n % 5]
    assert (held().opened, held().aborted) == (2, 1), "what came again is forgotten, then it begins"
    assert (ended.nodes["save"].rejected, ended.nodes["save"].inserted) == (8, 32)


def test_no_dead_letter_comes_twice_from_a_target_that_is_ahead(pair):
    bench = pair(refuses=5)
    break_between(bench, 2)
    ended = bench.go_on()
    assert ended.nodes["one"].dead_letters == ended.nodes["two"].dead_letters == 8
    again = [one.payload["n"] for one in bench.of(DeadLettered) if one.node == "one"]
    assert again == [20, 25, 30, 35]


def finished_beside(bench):
    """One target holds all rows; the run broke off before the other one did."""
    Shelf.at["two", 5] = after("one", 5)
    assert bench.begin(rows=10).status is RunStatus.FAILED
    assert held("one").mark.final
    assert not held("two").mark.final


def test_a_target_that_has_finished_waits_for_the_others_with_its_counts(pair):
    bench = pair()
    finished_beside(bench)
    one = held("one")
    one.written = 0
    marks = list(one.marks)

    ended = bench.go_on()

    assert ended.status is RunStatus.DONE
    assert (one.written, one.marks) == (0, marks), "it commits nothing more"
    assert held("two").mark.final
    assert ended.nodes["one"].inserted == ended.nodes["two"].inserted == 40
    assert NOTHING not in bench.log


def test_a_stop_does_not_undo_that_a_target_has_finished(pair):
    bench = pair(once=True, partial=False)
    Shelf.at["two", 1] = after("one", 1)
    bench.begin()
    assert (held("one").marks, held("two").marks) == ([(1, True, 40)], [])
    run = bench.make(resumed=True)
    Steps.at["read", 20] = lambda _: run.stop()
    Shelf.at.clear()

    ended = run.execute()

    assert ended.status is RunStatus.STOPPED
    assert (state(bench, "one"), state(bench, "two")) == (NodeState.DONE, NodeState.STOPPED)
    assert ended.nodes["one"].inserted == 40


def mark_of(node, epoch, *, final):
    rows = epoch * 10
    checkpoint = Checkpoint(epoch, {"read": Position(rows, rows)}, {"read": NodeCounts(rows_in=rows, rows_out=rows)})
    facts = mark_facts(checkpoint, NodeCounts(rows_in=rows))
    return sdk.Mark("run-1", node, epoch, final, facts | {"loaded": asdict(sdk.Loaded(inserted=rows))})


def test_a_target_that_has_finished_does_not_begin_again_at_a_barrier_of_its_number(bench):
    """Stopped in the moment between two last commits, of which one was final and one not."""
    bench.node("read", "steps_source", rows=20)
    for name, epoch, final in (("done", 2, True), ("stopped", 2, False), ("behind", 1, False)):
        bench.node(name, "shelf_sink", name=name).wire(f"read -> {name}")
        Shelf.held[name] = Content(rows=list(range(epoch * 10)), mark=mark_of(name, epoch, final=final))

    ended = bench.go_on(rows=100)

    assert ended.status is RunStatus.DONE, ended.error
    assert held("done").marks == []
    assert held("stopped").marks == [(3, True, 0)]
    assert held("behind").marks == [(3, True, 10)]


def test_where_nothing_came_the_log_says_so(bench):
    line(bench)
    bench.pipeline.nodes["read"].config["rows"] = 0
    bench.begin()
    assert [one.level for one in bench.of(LogWritten) if one.message == NOTHING] == ["warning"]
    assert (held().opened, held().marks) == (0, [(1, True, 0)]), "that all rows are in is kept"


def test_where_nothing_came_for_a_target_that_commits_once_nothing_is_committed(bench):
    line(bench, once=True)
    bench.pipeline.nodes["read"].config["rows"] = 0
    bench.begin()
    assert [one.level for one in bench.of(LogWritten) if one.message == NOTHING] == ["warning"]
    assert "save" not in Shelf.held or held().marks == []


def test_where_only_the_columns_came_the_log_is_silent(bench):
    line(bench)
    bench.pipeline.nodes["read"].config["refuses"] = 1
    bench.begin()
    assert (held().opened, held().written) == (1, 0)
    assert NOTHING not in bench.log


def test_where_nothing_more_came_after_a_resume_the_log_is_silent(bench):
    bench.node("read", "steps_source").node("join", "together").node("save", "shelf_sink")
    bench.wire("read -> join").wire("join -> save")
    Shelf.at["save", 5] = fail
    bench.begin(rows=10)
    held().opened = 0
    bench.go_on()
    assert held().opened == 0
    assert (held().marks[-1], held().rows) == ((5, True, 0), list(range(40)))
    assert NOTHING not in bench.log
