"""A replay is killed at any moment, and again: no row is lost, none is there twice, no letter stays or vanishes."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys

import pytest

from etl_studio.app.replays import replays
from etl_studio.app.studio import Studio

LETTERS = 800
STUBBORN = 7
"""Every so many-th row is never mended: it fails in each replay."""
PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  each: {type: derive, config: {columns: {share: 100 // qty}}}
  check: {type: validate, config: {rules: [{column: id, rule: range, max: 760}]}}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: append}}
  other: {type: sqlite_sink, config: {database: other.db, table: orders, write_disposition: append}}
wires: [read -> each, each -> check, check -> save, check -> other]
"""
REPLAYS = """
import sys
from pathlib import Path
from etl_studio.app.replays import replays
from etl_studio.app.studio import Studio

with Studio() as studio:
    workspace = studio.workspace(Path(sys.argv[1]))
    print("ready", flush=True)
    for replay in replays(studio, workspace, workspace.letters.find()):
        replay.execute()
"""


@pytest.fixture
def folder(tmp_path):
    """All rows divide by zero; then a person mends the letters, all but every seventh."""
    rows = "".join(f"{number},0\n" for number in range(LETTERS))
    (tmp_path / "orders.csv").write_text("id,qty\n" + rows)
    (tmp_path / "orders.yaml").write_text(PIPELINE)
    with Studio() as studio:
        file = tmp_path / "orders.yaml"
        workspace = studio.workspace(studio.workspace_folder(file))
        studio.prepare(studio.load(file), file=file, parameters={}, workspace=workspace).execute()
        assert workspace.letters.count() == LETTERS
        workspace.file.database.execute_sql(
            f"""UPDATE dead_letter SET payload = replace(payload, '"qty": 0', '"qty": 5') WHERE (id - 1) % {STUBBORN}"""
        )
    return tmp_path


def kill_once(folder, seconds):
    """Start a replay in a process and kill it after a while; whether it had ended before."""
    process = subprocess.Popen([sys.executable, "-c", REPLAYS, folder / ".etl_studio"], stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    code = process.wait()
    process.stdout.close()
    return code == 0


def check(folder):
    """After a last undisturbed replay every row is in both tables once or is one letter."""
    with Studio() as studio:
        workspace = studio.workspace(folder / ".etl_studio")
        for replay in replays(studio, workspace, workspace.letters.find()):
            replay.execute()
        letters = workspace.letters.find()
    waiting = sorted(letter.payload["id"] for letter in letters)
    assert [letter.state for letter in letters] == ["waiting"] * len(letters)
    refused = [number for number in range(LETTERS) if number % STUBBORN == 0 or number > 760]
    assert waiting == refused
    for database in (folder / ".etl_studio" / "data.db", folder / "other.db"):
        loaded = [row[0] for row in sqlite3.connect(database).execute("SELECT id FROM orders ORDER BY id")]
        assert loaded == [number for number in range(LETTERS) if number not in set(refused)]


def kill_many(folder, times):
    chance = random.Random(times)
    ended = sum(kill_once(folder, chance.uniform(0.0, 1.2)) for _ in range(times))
    assert ended < times
    check(folder)


def test_twelve_kills_lose_and_double_nothing(folder):
    kill_many(folder, 12)


@pytest.mark.long
@pytest.mark.parametrize("round_", range(10))
def test_a_hundred_kills_lose_and_double_nothing(folder, round_):
    kill_many(folder, 10 + round_)


@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_a_kill_just_at_the_commits_is_settled_by_what_the_sinks_tell(folder, moment):
    """``between``: one of two databases has committed when the process dies."""
    stop = {"before": 0, "between": 1, "after": 2}[moment]
    code = f"""
import os, threading
from etl_studio.storage.table_load import TableLoad
commit, lock, done = TableLoad.commit, threading.Lock(), []
def counted(self, mark=None):
    with lock:
        if len(done) == {stop}:
            os.kill(os.getpid(), 9)
        loaded = commit(self, mark)
        done.append(1)
        if len(done) == {stop}:
            os.kill(os.getpid(), 9)
        return loaded
TableLoad.commit = counted
"""
    process = subprocess.run(
        [sys.executable, "-c", code + REPLAYS, folder / ".etl_studio"], capture_output=True, check=False
    )
    assert process.returncode == -signal.SIGKILL, process.stderr.decode()
    check(folder)


CSV = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  each: {type: derive, config: {columns: {share: 100 // qty}}}
  out: {type: csv_sink, config: {path: out.csv}}
wires: [read -> each, each -> out]
"""


@pytest.mark.parametrize("calls", [0, 0.5, 1, 1.5, 2])
def test_a_kill_around_the_exchange_of_a_file_adds_each_row_once(tmp_path, calls):
    """A half: killed just after the mark; the file is exchanged between the first mark and the second."""
    (tmp_path / "orders.csv").write_text("id,qty\n1,5\n2,0\n3,0\n")
    file = tmp_path / "orders.yaml"
    file.write_text(CSV)
    with Studio() as studio:
        workspace = studio.workspace(studio.workspace_folder(file))
        studio.prepare(studio.load(file), file=file, parameters={}, workspace=workspace).execute()
        for letter in workspace.letters.find():
            workspace.letters.edit(letter.id, {**letter.payload, "qty": 2})
    code = f"""
import os
from etl_studio.storage.databases import SqliteFile
save, made = SqliteFile.save_mark, []
def counted(self, mark):
    if len(made) == {calls}:
        os.kill(os.getpid(), 9)
    save(self, mark)
    made.append(1)
    if len(made) == {calls} + 0.5:
        os.kill(os.getpid(), 9)
SqliteFile.save_mark = counted
"""
    process = subprocess.run([sys.executable, "-c", code + REPLAYS, tmp_path / ".etl_studio"], check=False)
    assert process.returncode == (-signal.SIGKILL if calls < 2 else 0)
    with Studio() as studio:
        workspace = studio.workspace(tmp_path / ".etl_studio")
        for replay in replays(studio, workspace, workspace.letters.find()):
            replay.execute()
        assert workspace.letters.find() == []
    assert (tmp_path / "out.csv").read_text().splitlines() == ["id,qty,share", "1,5,20", "2,2,50", "3,2,50"]
