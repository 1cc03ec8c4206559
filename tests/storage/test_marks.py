"""Marks in a target: one for each sink of a run, kept for the runs that may still be resumed."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from etl_studio.sdk import Loaded, Mark
from etl_studio.storage.marks import KEPT_RUNS, TABLE, read_mark, write_mark


@pytest.fixture
def connection(file):
    return file.connection()


def test_a_mark_comes_back_as_it_was_written(connection):
    mark = Mark("run-1", "save", 3, facts={"positions": {"read": {"rows": 7}}})
    write_mark(connection, mark)
    assert read_mark(connection, "run-1", "save") == mark


def test_that_all_rows_are_in_comes_back_too(connection):
    write_mark(connection, Mark("run-1", "save", 3, final=True))
    found = read_mark(connection, "run-1", "save")
    assert found.final is True


def test_what_the_commit_did_goes_into_the_mark(connection):
    write_mark(connection, Mark("run-1", "save", 3, facts={"counts": {}}), Loaded(inserted=2, deleted=1))
    assert read_mark(connection, "run-1", "save").facts == {
        "counts": {},
        "loaded": {"inserted": 2, "updated": 0, "unchanged": 0, "superseded": 0, "deleted": 1, "stale": 0},
    }


def test_a_cursor_of_a_type_that_json_does_not_know_is_kept_as_text(connection):
    write_mark(connection, Mark("run-1", "save", 1, facts={"since": dt.date(2024, 2, 29)}))
    assert read_mark(connection, "run-1", "save").facts == {"since": "2024-02-29"}


def test_a_later_mark_takes_the_place_of_the_sinks_last_one_and_of_no_other(connection):
    for mark in (
        Mark("run-1", "save", 1, facts={"n": 1}),
        Mark("run-1", "other", 1, facts={"n": 2}),
        Mark("run-2", "save", 1, facts={"n": 3}),
    ):
        write_mark(connection, mark)
    connection.execute(f"UPDATE {TABLE} SET at = 0")
    later = Mark("run-1", "save", 2, final=True, facts={"n": 4})
    write_mark(connection, later)
    assert read_mark(connection, "run-1", "save") == later
    assert read_mark(connection, "run-1", "other").facts == {"n": 2}
    assert read_mark(connection, "run-2", "save").facts == {"n": 3}
    times = {(run, node): at for run, node, at in connection.execute(f"SELECT run, node, at FROM {TABLE}")}
    assert len(times) == 3
    assert abs(times["run-1", "save"] - time.time()) < 60, "and the time is its own"


def test_a_file_in_which_nothing_was_loaded_has_no_mark(connection):
    assert read_mark(connection, "run-1", "save") is None


def test_who_committed_nothing_has_no_mark(connection):
    write_mark(connection, Mark("run-1", "save", 1))
    assert read_mark(connection, "run-1", "other") is None
    assert read_mark(connection, "run-2", "save") is None


def runs(connection):
    return [run for (run,) in connection.execute(f"SELECT DISTINCT run FROM {TABLE} ORDER BY run")]


def test_marks_of_the_newest_runs_stay(connection):
    names = [f"2024-{number:04}" for number in range(KEPT_RUNS + 3)]
    with connection:
        for name in names:
            for node in ("one", "two"):
                write_mark(connection, Mark(name, node, 1))
    assert runs(connection) == names, "before a run's last rows are in, nothing is tidied"
    write_mark(connection, Mark(names[-1], "one", 2, final=True))
    assert runs(connection) == names[-KEPT_RUNS:]
    assert read_mark(connection, names[-1], "two") == Mark(names[-1], "two", 1)
