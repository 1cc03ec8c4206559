"""Dead letters in the workspace: their envelope, edits, selections, retention, and what a replay does to them."""

from __future__ import annotations

import apsw
import pytest

from etl_studio.engine.events import DeadLettered, RunStarted
from etl_studio.errors import UsageError
from etl_studio.storage.letters import REPLAYING, WAITING, PendingReplay, Selection
from etl_studio.storage.migrations import STEPS
from etl_studio.storage.recorder import Recorder
from etl_studio.storage.workspace import Workspace

BEGINS = """
import sys
from pathlib import Path
from etl_studio.storage.databases import Databases
from etl_studio.storage.workspace import Workspace
letters = Workspace(Path(sys.argv[1]), Databases()).letters
letters.begin_replay("r", [1, 2])
say("marked")
hear()
"""


@pytest.fixture
def workspace(databases, tmp_path):
    return Workspace(tmp_path / "kept", databases)


@pytest.fixture
def tell(workspace):
    """Records events of a run and waits until they are kept."""

    def record(*events, run="a"):
        recorder = Recorder(workspace)
        recorder(RunStarted(run, 100.0, "orders", "orders.yaml", ("read", "keep")))
        for event in events:
            recorder(event)
        recorder.close()
        assert recorder.error is None

    return record


def dead(number, run="a", node="keep", error="cast", at=100.0, **facts):
    facts = {"port": "input", "types": {"n": "int64"}} | facts
    return DeadLettered(run, at, node, error, f"Number {number} is bad.", {"n": number}, "n", **facts)


def test_the_whole_envelope_is_kept(workspace, tell):
    tell(
        dead(
            1, line=7, row=6, attempts=3, epoch=2, cursor={"page": 4}, gives={"n": "int64"}, operation={"url": "http://x"}
        )
    )  # fmt: skip
    kept = workspace.letters.get(1)
    assert (kept.run, kept.node, kept.port, kept.error_type, kept.column) == ("a", "keep", "input", "cast", "n")
    assert (kept.line, kept.row_number, kept.attempts, kept.epoch, kept.cursor) == (7, 6, 3, 2, {"page": 4})
    assert (kept.payload, kept.types, kept.gives) == ({"n": 1}, {"n": "int64"}, {"n": "int64"})
    assert (kept.first_at, kept.at, kept.state, kept.operation) == (100.0, 100.0, WAITING, {"url": "http://x"})


def test_letters_of_an_older_workspace_are_still_there(databases, tmp_path):
    (tmp_path / "kept").mkdir()
    old = apsw.Connection(str(tmp_path / "kept" / "workspace.db"))
    for step in STEPS[:2]:
        for statement in step:
            old.execute(statement)
    old.execute("PRAGMA user_version = 2")
    old.execute(
        "INSERT INTO run (id, pipeline, parameters, status, started, process, process_started) "
        "VALUES ('a', 'orders', '{}', 'done', 1, 1, 1)"
    )
    old.execute(
        "INSERT INTO dead_letter (run_id, node, error_type, message, payload, attempts, at) "
        """VALUES ('a', 'keep', 'cast', 'Bad.', '{"n": "é"}', 1, 50.0)"""
    )
    old.close()
    kept = Workspace(tmp_path / "kept", databases).letters.get(1)
    assert (kept.payload, kept.types, kept.first_at, kept.state, kept.port) == ({"n": "é"}, {}, 50.0, WAITING, "")


def test_letters_are_chosen_by_number_run_node_error_and_text(workspace, tell):
    tell(dead(1), dead(2, node="read", error="http"), dead(3, error="null_key"))
    tell(dead(4, run="b"), run="b")
    find = workspace.letters.find

    def numbers(**wanted):
        return [letter.id for letter in find(Selection(**wanted))]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(ids=[1, 3, 99]) == [3, 1]
    assert numbers(run="b") == [4]
    assert numbers(node="read") == [2]
    assert numbers(error="cast") == [4, 1]
    assert numbers(text="number 3") == [3]
    assert numbers(text='"n": 4') == [4]
    assert numbers(text="%") == []
    assert numbers(node="keep", error="cast", run="a") == [1]
    assert workspace.letters.count(Selection(node="keep")) == 3
    assert numbers(ids=list(range(100_000))) == [4, 3, 2, 1]


def test_an_edit_keeps_what_the_row_was_and_can_be_taken_back(workspace, tell):
    tell(dead(1))
    letters = workspace.letters
    assert letters.edit(1, {"n": 5}).original == {"n": 1}
    assert letters.edit(1, {"n": 6}).original == {"n": 1}
    back = letters.edit(1, {"n": 1})
    assert (back.payload, back.original) == ({"n": 1}, None)


def test_an_unknown_number_is_told(workspace):
    with pytest.raises(UsageError, match="There is no dead letter 7"):
        workspace.letters.get(7)
    with pytest.raises(UsageError, match="There is no dead letter 7"):
        workspace.letters.edit(7, {})


def test_letters_after_a_barrier_go_when_a_run_is_resumed(workspace, tell):
    tell(dead(1, epoch=1), dead(2, epoch=2), dead(3, epoch=3))
    tell(dead(4, run="b", epoch=9), run="b")
    workspace.history("a").forget_after(1, {})
    assert [letter.id for letter in workspace.letters.find()] == [4, 1]


def test_a_sink_that_is_ahead_keeps_the_letters_that_it_will_not_make_again(workspace, tell):
    tell(dead(1, epoch=2), dead(2, epoch=3))
    node = workspace.letters.get(1).node
    workspace.history("a").forget_after(1, {node: 2})
    assert [letter.id for letter in workspace.letters.find()] == [1]


class TestRetention:
    def test_letters_that_are_too_old_go(self, workspace, tell):
        tell(dead(1, at=0.0), dead(2, at=9 * 86_400.0), dead(3, at=10 * 86_400.0))
        assert workspace.letters.prune(days=2, now=11.5 * 86_400) == (2, 0)
        assert [letter.payload["n"] for letter in workspace.letters.find()] == [3]

    def test_beyond_the_size_the_oldest_go_first(self, workspace, tell):
        tell(*(dead(number, at=100.0 + number) for number in range(10)))
        each = len('{"n": 1}')
        assert workspace.letters.prune(days=1, size=4 * each, now=200.0) == (0, 6)
        assert [letter.payload["n"] for letter in workspace.letters.find()] == [9, 8, 7, 6]

    def test_what_is_being_replayed_stays(self, workspace, tell):
        tell(dead(1, at=0.0), dead(2, at=0.0))
        workspace.letters.begin_replay("r", [1])
        assert workspace.letters.prune(days=1, now=1e9) == (1, 0)
        assert [letter.id for letter in workspace.letters.find()] == [1]


class TestReplays:
    def test_marked_letters_can_neither_be_edited_nor_discarded_nor_replayed_twice(self, workspace, tell):
        tell(dead(1), dead(2))
        letters = workspace.letters
        letters.begin_replay("r", [1])
        assert (letters.get(1).state, letters.get(1).replay_run) == (REPLAYING, "r")
        with pytest.raises(UsageError, match="just being replayed"):
            letters.edit(1, {"n": 2})
        with pytest.raises(UsageError, match="just being replayed"):
            letters.begin_replay("s", [1, 2])
        assert letters.get(2).state == WAITING
        assert letters.discard([1, 2]) == 1
        assert [letter.id for letter in letters.find()] == [1]

    def test_committed_ones_leave_the_queue_and_those_that_failed_again_stay(self, workspace, tell):
        tell(dead(1), dead(2))
        letters = workspace.letters
        letters.begin_replay("r", [1, 2])
        tell(dead(2, run="r", at=300.0, error="null_key", letter=2), run="r")
        assert letters.end_replay("r", committed=True) == 1
        (left,) = letters.find()
        assert (left.id, left.run, left.attempts, left.state) == (2, "a", 2, WAITING)
        assert (left.first_at, left.at, left.error_type, left.replay_run) == (100.0, 300.0, "null_key", None)

    def test_without_a_commit_all_wait_again_and_what_the_replay_left_is_gone(self, workspace, tell):
        tell(dead(1), dead(2))
        letters = workspace.letters
        letters.begin_replay("r", [1, 2])
        tell(dead(7, run="r", node="further_down"), run="r")
        letters.end_replay("r", committed=False)
        assert [(letter.id, letter.state) for letter in letters.find()] == [(2, WAITING), (1, WAITING)]

    def test_a_replay_is_pending_only_when_its_process_is_dead(self, workspace, tell, program):
        tell(dead(1), dead(2))
        other = program(BEGINS, workspace.folder)
        assert other.hear() == "marked"
        assert workspace.letters.pending_replays() == []
        other.kill()
        assert workspace.letters.pending_replays() == [PendingReplay("r")]

    def test_which_sinks_are_about_to_commit_is_remembered(self, workspace, tell):
        tell(dead(1))
        workspace.letters.begin_replay("r", [1])
        replay = PendingReplay("r", (), ("/data.db",), ("save",))
        workspace.letters.about_to_commit(replay)
        assert workspace.letters.pending_replays() == []
        workspace.letters.leave_replay("r")
        assert workspace.letters.pending_replays() == [replay]

    def test_a_replay_that_only_some_sinks_have_committed_is_continued_by_another(self, workspace, tell):
        tell(dead(1), dead(2))
        letters = workspace.letters
        letters.begin_replay("r", [1, 2])
        tell(dead(7, run="r", node="further_down"), run="r")
        letters.about_to_commit(PendingReplay("r", (), ("/data.db",), ("save", "other")))
        letters.leave_replay("r")
        letters.begin_replay("s", [1, 2], letters.replay("r"))
        assert letters.replay("r") is None
        assert letters.replay("s").runs == ("s", "r")
        assert [(letter.id, letter.replay_run) for letter in letters.find()] == [(2, "s"), (1, "s")]
