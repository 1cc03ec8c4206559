"""This process opens SQLite files with one library only: a second one drops the locks of the first.

POSIX locks belong to the process. While one copy of SQLite holds a write transaction, opening and closing the file
through another copy gives the lock away, and in WAL mode a committed row of another program is lost without a word.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

RUN = """
import sys

opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments) if event.startswith("sqlite3.connect") else None)

import importlib, pkgutil
from pathlib import Path

import etl_studio

for module in pkgutil.walk_packages(etl_studio.__path__, "etl_studio."):
    if ".ui" not in module.name and not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            assert error.name in ("crawlee", "playwright"), error  # of an extra

import pyarrow as pa
from etl_studio.engine.events import DeadLettered, NodeCounts, RunEnded, RunStarted, RunStatus
from etl_studio.storage.databases import Databases
from etl_studio.storage.recorder import Recorder
from etl_studio.storage.workspace import Workspace

folder = Path(sys.argv[1])
rows = pa.RecordBatch.from_pydict({"id": [1, 2, 2], "tags": [["a"], None, []]})
with Databases() as databases:
    workspace = Workspace(folder, databases)
    recorder = Recorder(workspace)
    recorder(RunStarted("a", 1.0, "p", None, ("n",)))
    recorder(DeadLettered("a", 1.0, "n", "cast", "m", {}))
    recorder(RunEnded("a", 2.0, RunStatus.DONE, 1.0, 1, 1, 0, 1, {"n": NodeCounts()}))
    assert recorder.flush() is None
    recorder.close()
    for disposition in ("append", "replace", "merge"):
        load = databases.open(workspace.data_path).load_table(disposition, disposition, ["id"])
        load.write(rows)
        load.commit()
        load.abort()
        for ending in ("csv", "jsonl", "parquet", "xlsx"):
            workspace.results.export(disposition, folder / f"out.{ending}")
        assert workspace.results.page(disposition, 0, 9, order_by="id")
    assert len(workspace.runs()) == len(workspace.dead_letters()) == 1

print("opened with the standard library:", opened)
print("other libraries:", sorted({"adbc_driver_sqlite", "sqlalchemy", "PySide6.QtSql"} & set(sys.modules)))

import sqlite3
sqlite3.connect(":memory:").close()
print("the hook sees:", len(opened) > 0)
"""


def test_a_run_opens_files_with_nothing_but_apsw(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RUN), str(tmp_path / "kept")],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "opened with the standard library: []",
        "other libraries: []",
        "the hook sees: True",
    ]
