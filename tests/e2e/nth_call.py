"""Makes the n-th call of something fail while a whole pipeline runs, for n = 1, 2, 3 ... until a run passes.

    python -m tests.e2e.nth_call STORY FAULT [--step N] [--first N]

After each run: the table has its old rows or the new ones, the file is whole, the report says what happened, nothing is
left open, and the next run does its work. Prints one line of JSON for each n. It is a process of its own since a
run that waits for ever must be seen: then it ends with the tracebacks of all threads.

``--step 1`` tries every n; without it the steps grow as the Fibonacci numbers do.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path

import apsw

from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus
from etl_studio.errors import EtlError
from etl_studio.storage.databases import Databases
from etl_studio.storage.table_load import TableLoad

STUCK_SECONDS = 120
HEAP_STEP = 8 * 1024
OLD = [(1, 10), (2, 20)]
DONE = {RunStatus.DONE, RunStatus.DONE_WITH_DEAD_LETTERS}
READ = [(2, 22), (3, 33), (4, 44), (5, 55)]
USUAL_VFS = apsw.vfs_names()[0]
STORAGE = os.sep + "storage" + os.sep


class Story:
    """A pipeline, what its table holds before and after, and how many dead letters it leaves."""

    def __init__(self, disposition: str, *, bad: int = 0, attempts: int = 1) -> None:
        key = {"key": ["id"]} if disposition == "merge" else {}
        once = {"retry": {"attempts": attempts, "delay": 0.01, "jitter": False}}
        self.disposition, self.bad = disposition, bad
        self.nodes = {
            "read": {
                "type": "csv_source",
                "config": {"path": "rows.csv", "columns": {"id": "integer", "v": "integer"}},
            },
            "keep": {"type": "filter", "config": {"where": "v < 1000"}},
            "save": {
                "type": "sqlite_sink",
                "policy": once,
                "config": {"table": "t", "write_disposition": disposition, **key},
            },
        }

    def write(self, folder: Path) -> None:
        lines = [
            "id,v",
            *(f"{one},{value}" for one, value in [*READ, (6, 6000)]),
            *(f"{n},bad" for n in range(self.bad)),
        ]
        (folder / "rows.csv").write_text("\n".join(lines) + "\n")
        pipeline = {"etl_studio": 1, "nodes": self.nodes, "wires": ["read -> keep", "keep -> save"]}
        (folder / "rows.yaml").write_text(json.dumps(pipeline))

    def after(self, rows: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """What the table holds when a run went well that found these rows there."""
        return sorted([*rows, *READ]) if self.disposition == "append" else sorted((dict(rows) | dict(READ)).items())

    def run(self, studio: Studio, folder: Path):
        file = folder / "rows.yaml"
        workspace = studio.workspace(folder / "ws")
        return studio.prepare(studio.load(file), file=file, parameters={}, workspace=workspace).execute()


STORIES = {
    "merge": Story("merge"),
    "append": Story("append"),
    "rejects": Story("merge", bad=3),
    "retried": Story("merge", attempts=3),
}


class Counter:
    """Counts calls and tells when to fail: at the n-th, and at all later ones if ``lasting``."""

    def __init__(self, n: int, *, lasting: bool) -> None:
        self.calls, self._n, self._lasting = 0, n, lasting
        self._lock = threading.Lock()

    @property
    def reached(self) -> bool:
        return self.calls >= self._n

    def fails(self) -> bool:
        with self._lock:
            self.calls += 1
            return self.calls == self._n or (self._lasting and self.calls > self._n)


class FaultyFile(apsw.VFSFile):
    """A file of SQLite's whose method ``what`` may fail."""

    def __init__(self, name, flags, what, counter) -> None:
        super().__init__(USUAL_VFS, name, flags)
        self._what, self._counter = what, counter

    def _fail(self, what: str, error: Exception) -> None:
        if what == self._what and self._counter.fails():
            raise error

    def xWrite(self, data, offset):
        self._fail("write", apsw.FullError("the disk is full"))
        return super().xWrite(data, offset)

    def xSync(self, flags):
        self._fail("sync", apsw.IOError("sync failed"))
        return super().xSync(flags)

    def xTruncate(self, size):
        self._fail("truncate", apsw.IOError("truncate failed"))
        return super().xTruncate(size)

    def xRead(self, amount, offset):
        self._fail("read", apsw.IOError("read failed"))
        return super().xRead(amount, offset)

    def xLock(self, level):
        self._fail("lock", apsw.BusyError("locked"))
        return super().xLock(level)

    def excepthook(self, *_):
        """SQLite gets the code of the error; there is nothing to print."""


class FaultyVfs(apsw.VFS):
    """SQLite's view of the disk, with faults."""

    def __init__(self, what: str, counter: Counter) -> None:
        super().__init__("faulty", USUAL_VFS)
        self._what, self._counter = what, counter

    def xOpen(self, name, flags):
        if self._what == "open" and self._counter.fails():
            raise apsw.CantOpenError("cannot open")
        return FaultyFile(name, flags, self._what, self._counter)

    def xDelete(self, name, sync):
        if self._what == "delete" and self._counter.fails():
            raise apsw.IOError("cannot delete")
        return super().xDelete(name, sync)

    def excepthook(self, *_):
        """As for files."""


@contextmanager
def disk_fault(what: str, counter: Counter):
    faulty = FaultyVfs(what, counter)
    apsw.set_default_vfs("faulty")
    try:
        yield
    finally:
        apsw.set_default_vfs(USUAL_VFS)
        faulty.unregister()


@contextmanager
def heap_limit(n: int):
    """SQLite gets so much memory and no more."""
    apsw.hard_heap_limit(max(apsw.memory_used(), 1) + n * HEAP_STEP)
    try:
        yield
    finally:
        apsw.hard_heap_limit(0)


@contextmanager
def python_fault(error: type[BaseException], counter: Counter, *, main_only: bool):
    """The n-th call of any function of ``etl_studio.storage`` raises."""
    main = threading.main_thread()

    def look(frame, event, _):
        code = frame.f_code
        if event != "call" or STORAGE not in code.co_filename or "etl_studio" not in code.co_filename:
            return
        if code.co_name == "close":  # what cannot even begin to give back leaves something behind
            return
        if (not main_only or threading.current_thread() is main) and counter.fails():
            raise error

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


FAULTS = ("write", "sync", "truncate", "read", "lock", "open", "delete")
"""Not the size of a file: SQLite asks for it after a commit, too, and does not care whether it gets it; APSW does."""
PYTHON = {"MemoryError": MemoryError, "KeyboardInterrupt": KeyboardInterrupt}


def fault(name: str, n: int):
    """The block in which the n-th call fails, and what counts the calls."""
    what, _, lasting = name.partition("+")
    counter = Counter(n, lasting=bool(lasting))
    if what == "heap":
        return heap_limit(n), counter
    if what in PYTHON:
        return python_fault(PYTHON[what], counter, main_only=what == "KeyboardInterrupt"), counter
    return disk_fault(what, counter), counter


def rows_of(folder: Path) -> tuple[list[tuple[int, int]], list[str]]:
    """The table, and what SQLite's own check says of both files."""
    checks = []
    with Databases() as databases:
        for name in ("data.db", "workspace.db"):
            checks += [row[0] for row in databases.open(folder / "ws" / name).query("PRAGMA integrity_check")]
        rows = databases.open(folder / "ws" / "data.db").query("SELECT id, v FROM t ORDER BY id, v")
    return rows, checks


def letters_of(folder: Path) -> int:
    with Databases() as databases:
        return databases.open(folder / "ws" / "workspace.db").query("SELECT count(*) FROM dead_letter")[0][0]


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def attempt(story: Story, folder: Path, name: str, n: int) -> tuple[str, str, bool]:
    """Status and error of one run with a fault, and whether the n-th call was reached."""
    block, counter = fault(name, n)
    # What fails in Python fails once, in the run; a disk may fail while the files are closed, too.
    outer, inner = (nullcontext(), block) if name in PYTHON else (block, nullcontext())
    with outer, Studio() as studio:
        try:
            with inner:
                ended = story.run(studio, folder)
            status, error = str(ended.status), ended.error or ""
        except EtlError as refused:
            status, error = "refused", str(refused)
        except (KeyboardInterrupt, MemoryError) as raised:
            status, error = "raised", f"{type(raised).__name__} on the thread that called"
    return status, error, counter.reached if name.partition("+")[0] != "heap" else status not in DONE


def check(story: Story, template: Path, place: Path, name: str, n: int) -> tuple[bool, dict]:
    """One n: whether the call was reached, and what came of it (``wrong``: what must not be)."""
    folder = place / str(n)
    shutil.copytree(template, folder)
    threads, files = set(threading.enumerate()), open_files()
    status, error, reached = attempt(story, folder, name, n)
    left = [thread.name for thread in threading.enumerate() if thread not in threads]
    wrong = [f"threads are left: {left}"] if left else []
    if open_files() != files:
        wrong.append(f"{open_files() - files} files are left open")
    rows, checks = rows_of(folder)
    wrong += told_wrong(story, folder, status, error, rows)
    if set(checks) != {"ok"}:
        wrong.append(f"the file is damaged: {checks}")
    with Studio() as studio:
        again = story.run(studio, folder)
    if again.status not in DONE:
        wrong.append(f"the next run fails: {again.error}")
    after, checks = rows_of(folder)
    if after != story.after(rows) or set(checks) != {"ok"}:
        wrong.append(f"after the next run: {after} {checks}")
    shutil.rmtree(folder)
    return reached, {"n": n, "status": status, "error": error, "new": rows != OLD, "wrong": wrong}


def told_wrong(story: Story, folder: Path, status: str, error: str, rows: list[tuple[int, int]]) -> list[str]:
    """What the report says that is not so."""
    wrong = []
    if "as they were" in error and rows != OLD:
        wrong.append("it says that nothing changed, and the table did")
    if rows not in (OLD, story.after(OLD)):
        wrong.append(f"the table is neither old nor new: {rows}")
    if status in DONE and rows != story.after(OLD):
        wrong.append("it says done, and the rows are not there")
    if status in DONE and letters_of(folder) != story.bad:
        wrong.append(f"it says done, and {letters_of(folder)} dead letters are there")
    if status not in DONE and (len(error) < len("a sentence") or "unexpected error" in error.lower()):
        wrong.append(f"the report has no sentence: {error!r}")
    return wrong


def plant() -> None:
    """A bug: one of the rows is committed in a transaction of its own."""
    commit = TableLoad.commit

    def in_two(load, *given, **options):
        load._file.connection().execute("INSERT INTO t (id, v) VALUES (2, 22)")
        return commit(load, *given, **options)

    TableLoad.commit = in_two


def say(**facts) -> None:
    """A line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("story", choices=STORIES)
    parser.add_argument("fault")
    parser.add_argument("--step", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--last", type=int, default=sys.maxsize)
    parser.add_argument("--planted", action="store_true", help="with a bug, to see that it is found")
    given = parser.parse_args()
    story = STORIES[given.story]
    with tempfile.TemporaryDirectory() as name:
        template = Path(name) / "template"
        (template / "ws").mkdir(parents=True)
        story.write(template)
        with Studio() as studio:
            story.run(studio, template)  # so that all is imported, and the workspace is there
        with Databases() as databases:
            data = databases.open(template / "ws" / "data.db")
            data.connection().execute("DELETE FROM t; INSERT INTO t (id, v) VALUES (1, 10), (2, 20)")
            databases.open(template / "ws" / "workspace.db").connection().execute("DELETE FROM dead_letter")
        if given.planted:
            plant()
        n, before, reached = given.first, 0, True
        while reached and n <= given.last:
            faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
            say(started=n)
            reached, facts = check(story, template, Path(name), given.fault, n)
            say(**facts)
            n, before = (n + given.step, n) if given.step else (n + max(before, 1), n)
        faulthandler.cancel_dump_traceback_later()
        say(passed=n)


if __name__ == "__main__":
    main()
