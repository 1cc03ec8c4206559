"""The command, in a process that dies where it is told to, or that has a defect planted.

    python child.py '{"point": "committed", "hit": 3, "plant": "", "checkpoint_always": false}' run FILE ...

Points are the worst moments of a commit; ``hit`` counts how often one is passed before the process kills itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import replace

from etl_studio.cli.main import main
from etl_studio.engine import checkpoints
from etl_studio.nodes.load import csv_sink, http_sink
from etl_studio.storage import marks, open_file, recorder, table_load

PASSED = []


def die_at(point):
    if point == WANTED["point"]:
        PASSED.append(point)
        if len(PASSED) == WANTED["hit"]:
            os.kill(os.getpid(), signal.SIGKILL)


def around(owner, name, before=None, after=None):
    """Die before or after a function."""
    original = getattr(owner, name)

    def wrapped(*arguments, **keywords):
        if before:
            die_at(before)
        result = original(*arguments, **keywords)
        if after:
            die_at(after)
        return result

    setattr(owner, name, wrapped)


def plant_cursor_first():
    """A defect: the mark is committed in a transaction of its own, before the rows."""
    commit = table_load.TableLoad.commit

    def wrong(self, mark=None):
        if mark is not None:
            with self._file.translated(), self._file.database.atomic():
                marks.write_mark(self._file.connection(), mark)
        die_at("between")
        return commit(self, None)

    table_load.TableLoad.commit = wrong


def plant_cursor_last():
    """A defect: the mark is committed in a transaction of its own, after the rows."""
    commit = table_load.TableLoad.commit

    def wrong(self, mark=None):
        loaded = commit(self, None)
        die_at("between")
        if mark is not None:
            with self._file.translated(), self._file.database.atomic():
                marks.write_mark(self._file.connection(), replace(mark), loaded)
        return loaded

    table_load.TableLoad.commit = wrong


def checkpoint_always():
    """Copy the write-ahead log into the database at every commit, so that kills fall into that, too."""
    connect = open_file.Connections._connect

    def wrapped(self):
        connection = connect(self)
        connection.wal_autocheckpoint(1)
        return connection

    open_file.Connections._connect = wrapped


WANTED = json.loads(sys.argv[1])
around(recorder, "save_checkpoint", before="saving", after="saved")
around(checkpoints.Checkpoints, "_open", after="open")
around(table_load, "apply", before="applying", after="applied")
around(table_load, "write_mark", before="marking", after="marked")
around(table_load.TableLoad, "commit", before="committing", after="committed")
around(csv_sink.CsvSink, "commit", before="filing", after="filed")
around(http_sink.HttpSink, "commit", before="filing", after="filed")
around(http_sink.HttpSink, "_settle", before="sending", after="sent")
around(http_sink.HttpSink, "_refuse", before="refusing", after="refused")
{"": bool, "first": plant_cursor_first, "last": plant_cursor_last}[WANTED.get("plant", "")]()
if WANTED.get("checkpoint_always"):
    checkpoint_always()
sys.exit(main(sys.argv[2:]))
