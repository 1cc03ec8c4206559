"""What the workspace keeps of a run for its resume, and who may take the run over."""

from __future__ import annotations

import os
import time

import pytest

from etl_studio.engine.checkpoints import Checkpoint, Position, Snapshot
from etl_studio.engine.events import DeadLettered, NodeCounts, RunEnded, RunStarted, RunStatus
from etl_studio.errors import PermanentError, UsageError
from etl_studio.storage.processes import this_process
from etl_studio.storage.recorder import Recorder
from etl_studio.storage.workspace import Workspace


@pytest.fixture
def workspace(databases, tmp_path):
    return Workspace(tmp_path / "kept", databases)


@pytest.fixture
def recorder(workspace):
    """Two runs have begun."""
    recorder = Recorder(workspace)
    for run in ("a", "b"):
        recorder(RunStarted(run, 100.0, "orders", "orders.yaml", ("read",), {}))
    recorder.flush()
    yield recorder
    recorder.close()


def whole(epoch):
    positions = {
        "read": Position(epoch * 10, {"page": epoch}, columns={"out": "told"}),
        "short": Position(3, ended=True, exact=False),
    }
    counts = {"read": NodeCounts(rows_in=epoch * 10, dead_letters=1), "short": NodeCounts(rows_in=3)}
    return Checkpoint(epoch, positions, counts)


def with_state(epoch, **states):
    snapshots = tuple(Snapshot(node, epoch, state) for node, state in states.items())
    return Checkpoint(epoch, {}, {}, snapshots)


def end(recorder, status, run="a"):
    recorder(RunEnded(run, 110.0, status, 10.0, 0, 0, 0, 0, {}, error="The disk is full.", error_node="save"))
    recorder.flush()


def test_checkpoints_come_back_as_they_were_in_order(workspace, recorder):
    before = time.time()
    for epoch in (2, 1, 3):
        recorder.save("a", whole(epoch))
    assert workspace.history("a").checkpoints() == [whole(1), whole(2), whole(3)]
    model = workspace.models.checkpoint
    assert all(before - 1 <= row.at <= time.time() + 1 for row in model.select())


def test_each_run_has_checkpoints_of_its_own(workspace, recorder):
    recorder.save("a", whole(1))
    recorder.save("b", whole(2))
    assert workspace.history("a").checkpoints() == [whole(1)]
    assert workspace.history("b").checkpoints() == [whole(2)]


def test_a_checkpoint_that_is_made_again_takes_the_place_of_the_old_one(workspace, recorder):
    recorder.save("a", with_state(1, check=b"old"))
    recorder.save("a", Checkpoint(1, {"read": Position(7)}, {}, (Snapshot("check", 1, b"new"),)))
    history = workspace.history("a")
    assert history.checkpoints() == [Checkpoint(1, {"read": Position(7)}, {})]
    assert history.snapshots("check", 1) == [b"new"]


def test_snapshots_of_a_node_come_back_in_order_up_to_a_checkpoint(workspace, recorder):
    for epoch, state in ((3, b"three"), (1, b"one"), (2, b"two")):
        recorder.save("a", with_state(epoch, check=state, other=b"other"))
    recorder.save("b", with_state(1, check=b"of another run"))
    history = workspace.history("a")
    assert history.snapshots("check", 3) == [b"one", b"two", b"three"]
    assert history.snapshots("check", 2) == [b"one", b"two"]
    assert history.snapshots("nobody", 3) == []


def letter(recorder, node, epoch, run="a"):
    recorder(DeadLettered(run, 101.0, node, "cast", f"{epoch}", {"n": epoch}, epoch=epoch))
    recorder.flush()


def left(workspace, run="a"):
    """Checkpoints, snapshots and dead letters that are still there."""
    history = workspace.history(run)
    letters = sorted((one.node, int(one.message)) for one in workspace.dead_letters(run))
    return [one.epoch for one in history.checkpoints()], len(history.snapshots("check", 99)), letters


@pytest.fixture
def kept(workspace, recorder):
    """Three checkpoints of both runs with snapshots, and dead letters of two nodes at each."""
    for run in ("a", "b"):
        for epoch in (1, 2, 3):
            recorder.save(run, with_state(epoch, check=b"x"))
            for node in ("one", "two"):
                letter(recorder, node, epoch, run)
    return workspace


def test_what_the_resumed_run_makes_again_is_forgotten_of_this_run_only(kept):
    other = left(kept, "b")
    kept.history("a").forget_after(1, {})
    assert left(kept) == ([1], 1, [("one", 1), ("two", 1)])
    assert left(kept, "b") == other == ([1, 2, 3], 3, [(node, n) for node in ("one", "two") for n in (1, 2, 3)])


def test_what_a_target_has_committed_later_stays(kept):
    """Its checkpoint comes again, and its dead letters do not; what nodes remember begins at the older one."""
    other = left(kept, "b")
    kept.history("a").forget_after(1, {"one": 2})
    assert left(kept) == ([1, 2], 1, [("one", 1), ("one", 2), ("two", 1)])
    assert left(kept, "b") == other


def test_each_target_that_is_ahead_keeps_its_own_dead_letters(kept):
    kept.history("a").forget_after(0, {"two": 3, "one": 1})
    assert left(kept) == ([1, 2, 3], 0, [("one", 1), ("two", 1), ("two", 2), ("two", 3)])


def test_everything_is_forgotten_where_the_run_begins_again(kept):
    kept.history("a").forget_after(0, {})
    assert left(kept) == ([], 0, [])


def test_a_run_that_broke_off_is_taken_over_as_running_in_this_process(workspace, recorder):
    end(recorder, RunStatus.FAILED)
    workspace.file.connection().execute("UPDATE run SET command = 'stop', paused = 1, process = 1, process_started = 0")
    history = workspace.history("a")
    assert history.attempt == 1

    history.claim()

    assert history.attempt == 2
    row = workspace.models.run.get_by_id("a")
    assert (row.status, row.attempts, row.process, row.process_started) == ("running", 2, *this_process())
    assert (row.error, row.error_node, row.duration, row.command, row.paused) == (None, None, None, None, False)
    other = workspace.models.run.get_by_id("b")
    assert (other.attempts, other.command, other.process) == (1, "stop", 1)


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.STOPPED, RunStatus.INTERRUPTED])
def test_what_broke_off_may_be_taken_over(workspace, recorder, status):
    end(recorder, status)
    workspace.history("a").claim()


def test_a_run_may_be_taken_over_again_and_again(workspace, recorder):
    for attempt in (2, 3):
        end(recorder, RunStatus.STOPPED)
        history = workspace.history("a")
        history.claim()
        assert history.attempt == attempt


def refusal(workspace, run):
    with pytest.raises(UsageError) as refused:
        workspace.history(run).claim()
    return refused.value.what, refused.value.hint


def test_a_run_that_goes_on_elsewhere_is_not_taken_over(workspace, recorder):
    assert refusal(workspace, "a") == ("The run a goes on in another window or terminal.", "Stop it there.")
    assert workspace.run("a").attempts == 1


def test_a_run_whose_process_has_died_may_be_taken_over(workspace, recorder):
    earlier = this_process()[1] - 1_000
    workspace.file.connection().execute("UPDATE run SET process = ?, process_started = ?", (os.getpid(), earlier))
    workspace.history("a").claim()
    assert workspace.run("a").attempts == 2


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS])
def test_a_run_that_came_to_its_end_is_not_taken_over(workspace, recorder, status):
    end(recorder, status)
    assert refusal(workspace, "a")[0] == "The run a came to its end; there is nothing to resume."


def test_a_run_that_nobody_knows_is_not_taken_over(workspace, recorder):
    assert refusal(workspace, "c") == ("There is no run c.", "etl-studio runs lists them.")


@pytest.mark.parametrize(
    "ask",
    [
        lambda history: history.claim(),
        lambda history: history.checkpoints(),
        lambda history: history.snapshots("check", 1),
        lambda history: history.forget_after(1, {}),
    ],
)
def test_a_workspace_that_cannot_be_read_is_an_error_for_people(workspace, recorder, ask):
    for table in ("dead_letter", "checkpoint", "node_state", "run"):
        workspace.file.connection().execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
    with pytest.raises(PermanentError):
        ask(workspace.history("a"))
