"""Debugging a pipeline of real nodes: dry by default, and loading what was edited where a person asks for it."""

from __future__ import annotations

import sqlite3

import pytest

from etl_studio.app.dry_run import dry_run
from etl_studio.app.studio import Studio
from etl_studio.engine.breakpoints import Breakpoint
from etl_studio.engine.debugger import Continue, Debugger, DropRows, EditRows
from etl_studio.engine.events import Halted, RunStatus

PIPELINE = """\
etl_studio: 1
nodes:
  make: {type: generate_source, config: {rows: 10, columns: {n: i}}}
  small: {type: filter, config: {where: n < 5}}
  save: {type: sqlite_sink, config: {table: small}}
wires: [make -> small, small -> save]
"""
LOADING = "small.out -> save.input"


@pytest.fixture
def shop(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text(PIPELINE)
    with Studio() as studio:
        yield studio, file


def answering(debugger, *commands):
    """A listener that obeys on the spot, as a person with quick fingers."""
    waiting = list(commands)

    def listen(event):
        if isinstance(event, Halted) and waiting:
            debugger.obey(waiting.pop(0))

    return listen


def test_a_debug_run_that_loads_writes_what_was_edited_and_keeps_who_did_it(shop):
    studio, file = shop
    debugger = Debugger([Breakpoint(wire=LOADING)])
    place = studio.workspace(studio.workspace_folder(file))
    listener = answering(
        debugger, EditRows(LOADING, {0: {"n": 77}}), DropRows(LOADING, (1,)), Continue(LOADING)
    )  # fmt: skip

    run = studio.prepare(
        studio.load(file), file=file, parameters={}, workspace=place, listeners=[listener], debugger=debugger
    )
    ended = run.execute()

    record = place.run(ended.run)
    assert ended.status is RunStatus.DONE
    assert "debugged: a person could halt it and change rows; the log names each change" in record.notes
    counts = place.node_counts(ended.run)["save"]
    assert (counts["rows_in"], counts["rows_out"], counts["dropped"], counts["edited"]) == (5, 4, 1, 1)
    lines = [line.message for line in place.log(ended.run) if "by hand" in line.message]
    assert lines == [
        'Edited by hand in row 1 of batch 1: "n" is 77, was 0.',
        "Dropped by hand: a row of batch 1.",
    ]
    with sqlite3.connect(file.parent / ".etl_studio" / "data.db") as data:
        assert [n for (n,) in data.execute("SELECT n FROM small")] == [77, 2, 3, 4]


def test_a_dry_debug_run_halts_and_writes_nothing(shop):
    studio, file = shop
    debugger = Debugger([Breakpoint(wire=LOADING)])
    listener = answering(debugger, DropRows(LOADING, (0,)), Continue(LOADING))
    workspace = studio.workspace_folder(file)

    done = dry_run(
        studio, studio.load(file), file=file, workspace=workspace, parameters={}, listeners=[listener],
        debugger=debugger,
    )  # fmt: skip

    assert (done.ended.status, done.sinks[0].rows) == (RunStatus.DONE, 4)
    assert not (workspace / "data.db").exists()
