"""The folder that keeps runs and results: its schema, its history, and what a dead process left."""

from __future__ import annotations

import json
import threading
import time

import pytest

from etl_studio.engine.events import RunStatus
from etl_studio.errors import EtlError, PermanentError, UsageError
from etl_studio.storage.migrations import STEPS, migrate
from etl_studio.storage.models import models_for
from etl_studio.storage.workspace import Workspace


@pytest.fixture
def workspace(databases, tmp_path):
    return Workspace(tmp_path / "kept", databases)


def add_run(workspace, run, started=1.0, **facts):
    facts = {"status": RunStatus.DONE, "process": 1, "process_started": -5.0} | facts
    workspace.models.run.create(id=run, pipeline="orders", parameters={"minimum": 5}, started=started, **facts)


def test_a_new_workspace_makes_its_folder_and_is_empty(workspace, tmp_path):
    assert workspace.folder == tmp_path / "kept"
    assert workspace.data_path == tmp_path / "kept" / "data.db"
    assert workspace.runs() == []
    assert workspace.dead_letters() == []
    assert workspace.run("x") is None
    assert workspace.letters.count() == 0


def test_a_workspace_in_the_place_of_a_file_is_refused(databases, tmp_path):
    (tmp_path / "kept").write_text("in the way")
    with pytest.raises(PermanentError, match="cannot be made"):
        Workspace(tmp_path / "kept", databases)


def test_the_steps_make_the_columns_that_the_models_read(workspace):
    models = workspace.models
    for model in (models.run, models.node_count, models.metric, models.log_line, models.dead_letter):
        columns = {column.name: column.null for column in workspace.file.database.get_columns(model._meta.table_name)}
        assert columns == {field.column_name: field.null for field in model._meta.sorted_fields}


def test_opening_again_changes_nothing(workspace, databases):
    add_run(workspace, "a")
    again = Workspace(workspace.folder, databases)
    assert [run.id for run in again.runs()] == ["a"]
    assert workspace.file.query("PRAGMA user_version") == [(len(STEPS),)]


def test_an_older_workspace_is_brought_up_step_by_step_and_keeps_its_rows(workspace):
    add_run(workspace, "a")
    steps = (*STEPS, ("ALTER TABLE run ADD COLUMN note TEXT",), ("UPDATE run SET note = 'kept'",))
    migrate(workspace.file, steps)
    assert workspace.file.query("SELECT id, note FROM run") == [("a", "kept")]
    assert workspace.file.query("PRAGMA user_version") == [(len(STEPS) + 2,)]


def test_a_step_that_fails_leaves_the_workspace_as_it_was(workspace):
    steps = (*STEPS, ("ALTER TABLE run ADD COLUMN note TEXT", "ALTER TABLE no_such_table ADD COLUMN x"))
    with pytest.raises(EtlError, match="no such table"), workspace.file.translated():
        migrate(workspace.file, steps)
    assert "note" not in {column.name for column in workspace.file.database.get_columns("run")}
    assert workspace.file.query("PRAGMA user_version") == [(len(STEPS),)]


def test_a_workspace_of_a_newer_version_is_refused_and_not_touched(workspace, databases):
    workspace.file.query(f"PRAGMA user_version = {len(STEPS) + 1}")
    with pytest.raises(UsageError, match="made by a newer ETL Studio"):
        Workspace(workspace.folder, databases)
    assert workspace.file.query("PRAGMA user_version") == [(len(STEPS) + 1,)]


def test_two_workspaces_do_not_share_their_models(databases, tmp_path):
    one, two = Workspace(tmp_path / "one", databases), Workspace(tmp_path / "two", databases)
    add_run(one, "a")
    assert [run.id for run in one.runs()] == ["a"]
    assert two.runs() == []
    assert models_for(one.file.database).run is not one.models.run


def test_runs_come_newest_first_and_at_most_as_many_as_asked_for(workspace):
    for number in range(5):
        add_run(workspace, f"run-{number}", started=float(number))
    assert [run.id for run in workspace.runs(limit=2)] == ["run-4", "run-3"]


def test_a_run_is_found_by_the_beginning_of_its_id_where_that_is_enough(workspace):
    for run in ("20260101-aa", "20260101-ab", "20260101-a"):
        add_run(workspace, run)
    assert workspace.run("20260101-ab").id == "20260101-ab"
    assert workspace.run("20260101-a").id == "20260101-a"
    assert workspace.run("20260101-ab").parameters == {"minimum": 5}
    with pytest.raises(UsageError, match="Several runs begin with 2026"):
        workspace.run("2026")


def test_a_run_whose_process_is_gone_is_interrupted_when_the_workspace_is_opened(workspace, databases, program):
    ended = program("say('here')")
    ended.hear()
    ended.rest()
    add_run(workspace, "dead", status=RunStatus.RUNNING, process=ended.process.pid, process_started=1.0)
    again = Workspace(workspace.folder, databases)
    assert again.run("dead").status is RunStatus.INTERRUPTED
    assert "ended while it ran" in again.run("dead").error


RUNS_ON = """
from pathlib import Path
from etl_studio.engine.events import RunStarted
from etl_studio.storage.databases import Databases
from etl_studio.storage.recorder import Recorder
from etl_studio.storage.workspace import Workspace
databases = Databases()
recorder = Recorder(Workspace(Path(sys.argv[1]), databases))
recorder(RunStarted("there", 1.0, "orders", None, ()))
assert recorder.flush() is None
say("started")
hear()
"""


KILLED_AT_ONCE = """
from pathlib import Path
from etl_studio.engine.events import RunStarted
from etl_studio.storage.databases import Databases
from etl_studio.storage.recorder import Recorder
from etl_studio.storage.workspace import Workspace
recorder = Recorder(Workspace(Path(sys.argv[1]), Databases()))
recorder(RunStarted("short", 1.0, "orders", None, ()))
say("started")
hear()
"""


def test_a_run_is_on_record_before_anything_else_it_tells(workspace, databases, program):
    other = program(KILLED_AT_ONCE, workspace.folder)
    assert other.hear() == "started"
    deadline = time.monotonic() + 10
    while workspace.run("short") is None:
        assert time.monotonic() < deadline
    other.kill()
    assert Workspace(workspace.folder, databases).run("short").status is RunStatus.INTERRUPTED


def test_a_run_of_another_process_goes_on_until_that_is_killed(workspace, databases, program):
    other = program(RUNS_ON, workspace.folder)
    assert other.hear() == "started"
    assert Workspace(workspace.folder, databases).run("there").status is RunStatus.RUNNING
    other.kill()
    assert Workspace(workspace.folder, databases).run("there").status is RunStatus.INTERRUPTED


def test_an_id_that_another_process_has_by_now_does_not_keep_a_run_alive(workspace, databases, program):
    other = program("say('here'); hear()")
    other.hear()
    add_run(workspace, "old", status=RunStatus.RUNNING, process=other.process.pid, process_started=1.0)
    assert Workspace(workspace.folder, databases).run("old").status is RunStatus.INTERRUPTED
    other.say()


def test_dead_letters_are_found_by_run_and_node_newest_first(workspace):
    for run in ("a", "b"):
        add_run(workspace, run)
        for node in ("read", "keep"):
            workspace.models.dead_letter.create(
                run=run, node=node, error_type="cast", message=f"{run} {node}", payload={"qty": "ten"},
                column="qty", line=3, attempts=1, at=time.time(), first_at=time.time(),
            )  # fmt: skip
    assert [letter.message for letter in workspace.dead_letters()] == ["b keep", "b read", "a keep", "a read"]
    assert [letter.message for letter in workspace.dead_letters(run="a", node="keep")] == ["a keep"]
    letter = workspace.dead_letters(run="a", node="read")[0]
    assert workspace.letters.get(letter.id) == letter
    assert (letter.run, letter.payload, letter.column, letter.line) == ("a", {"qty": "ten"}, "qty", 3)


def test_a_thread_that_has_read_can_close_its_connection(workspace):
    add_run(workspace, "a")
    before = len(workspace.file.database.live)
    seen = []

    def read():
        seen.append(len(workspace.runs()))
        seen.append(len(workspace.file.database.live))
        workspace.release()
        seen.append(len(workspace.file.database.live))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert seen == [1, before + 1, before]


def test_values_that_json_has_no_word_for_are_kept_as_text(workspace):
    add_run(workspace, "a")
    workspace.models.log_line.create(run="a", at=1.0, level="info", message="m", facts={"path": workspace.folder})
    ((text,),) = workspace.file.query("SELECT facts FROM log_line")
    assert json.loads(text) == {"path": str(workspace.folder)}
    assert workspace.log("a")[0].facts == {"path": str(workspace.folder)}
