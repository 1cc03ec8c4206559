"""Real databases in the test's own folder, and programs that use them at the same time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from etl_studio import sdk
from etl_studio.storage.databases import Databases
from tests.storage.tables import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from etl_studio.storage.databases import SqliteFile


class Program:
    """A Python program in a process of its own that talks by lines.

    Args:
        code: its text; ``say(line)`` writes a line that ``hear()`` gives here, ``hear()`` waits for one from here.
        arguments: for ``sys.argv[1:]``.
    """

    TALK = """
import sys
def say(line):
    print(line, flush=True)
def hear():
    return sys.stdin.readline().strip()
"""

    def __init__(self, code: str, *arguments: object) -> None:
        text = self.TALK + textwrap.dedent(code)
        self.process = subprocess.Popen(
            [sys.executable, "-c", text, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hear(self) -> str:
        """Its next line; fails the test with its errors where it has ended without one."""
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the program ended: {self.process.communicate()[1]}")
        return line.strip()

    def say(self, line: str = "") -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def rest(self) -> str:
        """What it says until its end."""
        out, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return out.strip()

    def kill(self) -> None:
        """End it at once, as kill -9 does; harmless where it has ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """Starts programs; none of them outlives the test."""
    started: list[Program] = []

    def start(code: str, *arguments: object) -> Program:
        started.append(Program(code, *arguments))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def databases() -> Iterator[Databases]:
    """Waits a tenth of a second for locks."""
    opened = Databases(0.1)
    yield opened
    opened.close()


@pytest.fixture
def file(databases: Databases, tmp_path: Path) -> SqliteFile:
    """A new database."""
    return databases.open(tmp_path / "data.db")


class Loader:
    """Loads rows into tables of one file."""

    def __init__(self, file: SqliteFile) -> None:
        self.file = file

    def __call__(
        self, table: str, disposition: sdk.WriteDisposition, rows: Any, *more: Any, key: Any = (), **options: Any
    ) -> sdk.Loaded:
        """Load batches (or columns of one) and commit; no row may be refused."""
        load = self.file.load_table(table, disposition, key, sdk.WriteOptions(**options))
        try:
            for one in (rows, *more):
                refused = load.write(one if isinstance(one, pa.RecordBatch) else pa.RecordBatch.from_pydict(one))
                assert list(refused) == []
            return load.commit()
        finally:
            load.abort()

    def rows(self, table: str = "t") -> list[tuple[Any, ...]]:
        """What the table holds, in the order of its columns."""
        return sorted(rows_of(self.file, table), key=repr)


@pytest.fixture
def load(file: SqliteFile) -> Loader:
    """Loads rows into tables of ``file``."""
    return Loader(file)
