"""Other programs use the file at the same time, and this one may be killed: never half a table."""

from __future__ import annotations

import os
import signal
import sys
from ast import literal_eval

import pyarrow as pa
import pytest

from etl_studio.errors import TransientError
from etl_studio.sdk import Loaded
from etl_studio.storage.databases import Databases
from tests.storage.conftest import Loader
from tests.storage.killing import each_kill

ROWS = 50_000

READER = """
import sqlite3, threading
ended = threading.Event()
threading.Thread(target=lambda: (hear(), ended.set()), daemon=True).start()
seen = set()
database = sqlite3.connect(sys.argv[1])
say("reading")
while True:
    last = ended.is_set()
    seen.add(database.execute("SELECT count(*), min(version), max(version) FROM t").fetchone())
    if last:
        break
say(repr(list(seen)))
"""

WRITER = """
import sqlite3
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
say("locked")
hear()
database.execute("INSERT INTO t (id, version) VALUES (99, 99)")
database.execute("COMMIT")
say("done")
"""

LOADER = """
import os, signal
from pathlib import Path
import pyarrow as pa
from etl_studio.storage.databases import Databases

path, disposition, when, rows = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
file = Databases().open(path)
load = file.load_table("t", disposition, ["id"] if disposition == "merge" else [])
for start in range(0, rows, 10_000):
    load.write(pa.RecordBatch.from_pydict({"id": list(range(start, start + 10_000)), "version": [2] * 10_000}))
if when == "commit":
    # The program dies where SQLite has taken the rows and the commit is about to be written.
    import apsw
    def die():
        os.kill(os.getpid(), signal.SIGKILL)
    for connection in apsw.connections():
        connection.set_commit_hook(die)
    load.commit()
say("staged")
hear()
"""


def version(number, rows=ROWS):
    return {"id": list(range(rows)), "version": [number] * rows}


@pytest.mark.parametrize(
    ("disposition", "options"),
    [("merge", {}), ("merge", {"strategy": "delete_insert"}), ("replace", {})],
    ids=["merge", "delete_insert", "replace"],
)
def test_a_reader_in_another_program_sees_the_old_rows_or_the_new_ones(load, file, program, disposition, options):
    key = ["id"] if disposition == "merge" else []
    load("t", disposition, version(1), key=key, **options)
    reader = program(READER, file.path)
    assert reader.hear() == "reading"
    for number in (2, 3):
        load("t", disposition, version(number), key=key, **options)
    reader.say()
    seen = literal_eval(reader.hear())
    assert set(seen) <= {(ROWS, number, number) for number in (1, 2, 3)}
    assert (ROWS, 3, 3) in seen


@pytest.mark.parametrize("when", ["staged", "commit"])
@pytest.mark.parametrize("disposition", ["merge", "replace"])
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX thing")
def test_a_load_that_is_killed_leaves_the_old_rows_and_a_rerun_mends_it(load, file, program, disposition, when):
    key = ["id"] if disposition == "merge" else []
    load("t", disposition, version(1), key=key)
    loading = program(LOADER, file.path, disposition, when, ROWS)
    if when == "staged":
        assert loading.hear() == "staged"
        loading.kill()
    assert loading.process.wait(60) == -signal.SIGKILL
    assert file.query("SELECT count(*), min(version), max(version) FROM t") == [(ROWS, 1, 1)]
    assert file.query("PRAGMA integrity_check") == [("ok",)]
    loaded = load("t", disposition, version(2), key=key)
    assert loaded == (Loaded(updated=ROWS) if disposition == "merge" else Loaded(inserted=ROWS))
    assert file.query("SELECT count(*), min(version), max(version) FROM t") == [(ROWS, 2, 2)]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX thing")
def test_a_first_load_that_is_killed_leaves_no_table(file, program):
    loading = program(LOADER, file.path, "append", "commit", 10_000)
    assert loading.process.wait(60) == -signal.SIGKILL
    assert file.query("SELECT name FROM sqlite_schema") == []


LOAD = """
disposition, options, rows = sys.argv[2], *map(eval, sys.argv[3:])
load = Databases().open(Path(sys.argv[1])).load_table("t", disposition, ["id"], WriteOptions(**options))
load.write(pa.RecordBatch.from_pydict(rows))
count_down(steps)
load.commit()
"""


@pytest.mark.parametrize(
    ("disposition", "options", "rows"),
    [
        ("merge", {"hard_delete": "gone"}, {"id": [1, 2, 4], "version": [2, 2, 2], "gone": [True, False, False]}),
        ("merge", {"strategy": "delete_insert"}, {"id": [1, 1, 4], "version": [2, 2, 2]}),
        ("replace", {}, {"id": [1, 4], "version": [2, 2]}),
        ("replace", {}, {"id": [1, 4], "other": ["a", "b"]}),
    ],
    ids=["upsert", "delete_insert", "replace", "replace by other columns"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX thing")
def test_a_commit_that_is_killed_between_any_two_statements_leaves_the_old_rows_or_the_new(
    databases, file, program, disposition, options, rows, tmp_path
):
    def everything(file):
        tables = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%etl_loads' ORDER BY name"
        return file.query(tables), file.query("SELECT * FROM t ORDER BY rowid")

    other = databases.open(tmp_path / "other.db")
    strategy = {"strategy": options["strategy"]} if "strategy" in options else {}
    for one in (file, other):
        Loader(one)("t", "merge", {"id": [1, 2, 3], "version": [1, 1, 1]}, key=["id"], **strategy)
    before = everything(file)
    Loader(other)("t", disposition, rows, key=["id"], **options)
    after = everything(other)
    seen = []
    for _ in each_kill(program, LOAD, file.path, disposition, options, rows):
        seen.append(everything(file))
        assert file.query("PRAGMA integrity_check") == [("ok",)]
        if seen[-1] == after:
            # Killed by a statement that follows the commit.
            break
        assert seen[-1] == before
    assert len(seen) > 10
    assert everything(file) == after


def test_while_rows_are_staged_another_program_may_write(load, file, program):
    load("t", "append", {"id": [1], "version": [1]})
    writing = file.load_table("t", "append", [])
    writing.write(pa.RecordBatch.from_pydict({"id": [2], "version": [1]}))
    other = program(WRITER, file.path)
    assert other.hear() == "locked"
    other.say()
    assert other.hear() == "done"
    assert writing.commit() == Loaded(inserted=1)
    writing.abort()
    assert load.rows() == [(1, 1), (2, 1), (99, 99)]


def test_a_commit_waits_for_the_lock_gives_up_and_can_be_tried_again(load, file, program):
    load("t", "merge", {"id": [1], "version": [1]}, key=["id"])
    other = program(WRITER, file.path)
    assert other.hear() == "locked"
    writing = file.load_table("t", "merge", ["id"])
    writing.write(pa.RecordBatch.from_pydict({"id": [1, 2, 2], "version": [2, 1, 2]}))
    with pytest.raises(TransientError, match="locked by another program") as caught:
        writing.commit()
    assert str(file.path) in str(caught.value)
    assert caught.value.hint
    other.say()
    assert other.hear() == "done"
    assert writing.commit() == Loaded(inserted=1, updated=1, superseded=1)
    writing.abort()
    assert load.rows() == [(1, 2), (2, 2), (99, 99)]


def test_a_short_lock_is_waited_for(load, file, program):
    load("t", "append", {"id": [1], "version": [1]})
    file.release()
    patient = Databases(30)
    other = program(WRITER, file.path)
    assert other.hear() == "locked"
    writing = patient.open(file.path).load_table("t", "append", [])
    writing.write(pa.RecordBatch.from_pydict({"id": [2], "version": [1]}))
    other.say()
    assert writing.commit() == Loaded(inserted=1)
    writing.abort()
    patient.close()
    assert other.hear() == "done"
    assert load.rows() == [(1, 1), (2, 1), (99, 99)]


def test_a_query_of_another_program_does_not_hold_a_commit_up(load, file, program):
    load("t", "append", version(1, 1000))
    other = program(
        """
        import sqlite3
        cursor = sqlite3.connect(sys.argv[1]).execute("SELECT * FROM t")
        cursor.fetchone()
        say("reading")
        hear()
        say(1 + len(cursor.fetchall()))
        """,
        file.path,
    )
    assert other.hear() == "reading"
    assert load("t", "replace", version(2, 10)) == Loaded(inserted=10)
    other.say()
    assert other.hear() == "1000"
    assert load.rows() == [(number, 2) for number in range(10)]


def test_no_temporary_file_outlives_a_killed_load(file, program, tmp_path):
    staged = tmp_path / "staged"
    staged.mkdir()
    before = dict(os.environ)
    os.environ.update(SQLITE_TMPDIR=str(staged), TMPDIR=str(staged))
    try:
        loading = program(LOADER, file.path, "append", "staged", 200_000)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert loading.hear() == "staged"
    loading.kill()
    assert list(staged.iterdir()) == []
