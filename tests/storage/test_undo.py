"""A load can be taken back: its table is as it was before, or nothing happens and the reason is told."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, event, given, settings

from etl_studio.errors import PermanentError, UsageError
from etl_studio.sdk import Loaded, Mark
from etl_studio.storage.databases import Databases
from etl_studio.storage.results import Results
from tests.storage.killing import each_kill
from tests.storage.loads_model import BATCHES, WAYS

ONE_TO_THREE = {"id": [1, 2, 3], "v": ["a", "b", "c"]}


def everything(file, table="t"):
    """All rows in their order, with their numbers and the loads that wrote them."""
    return file.query(f"SELECT rowid, * FROM {table} ORDER BY rowid")


def refusal(file, load):
    """The error of an undo that must change nothing."""
    before = {name: everything(file, name) for (name,) in file.query("SELECT name FROM sqlite_schema WHERE name = 't'")}
    schema = file.query("SELECT name, sql FROM sqlite_schema ORDER BY name")
    with pytest.raises((PermanentError, UsageError)) as rehearsed:
        Results(file).rehearse_undo(load)
    with pytest.raises((PermanentError, UsageError)) as caught:
        Results(file).undo_load(load)
    assert str(rehearsed.value) == str(caught.value)
    assert {name: everything(file, name) for name in before} == before
    assert file.query("SELECT name, sql FROM sqlite_schema ORDER BY name") == schema
    return str(caught.value)


@contextmanager
def opened():
    with tempfile.TemporaryDirectory() as folder, Databases() as databases:
        yield databases.open(Path(folder) / "data.db")


@pytest.mark.parametrize("way", WAYS, ids=str)
@settings(max_examples=10, deadline=None)
@given(BATCHES, BATCHES)
def test_after_an_undo_the_table_is_as_it_was(way, first, second):
    with opened() as file:
        way.load(file, first)
        before = everything(file)
        way.load(file, second)
        after = everything(file)
        promised = Results(file).rehearse_undo(2)
        assert everything(file) == after
        assert promised.restored - promised.removed == len(before) - len(after)
        done = Results(file).undo_load(2)
        assert (done.removed, done.restored, done.dropped) == (promised.removed, promised.restored, promised.dropped)
        assert everything(file) == before
        assert file.query("SELECT name FROM sqlite_schema WHERE name LIKE '%before%'") == []
        Results(file).undo_load(1)
        assert Results(file).tables() == []


def keyless(rows):
    """Rows without their numbers, which are free to change when other rows come between."""
    return Counter(row[1:] for row in rows)


@pytest.mark.parametrize("way", [way for way in WAYS if way.disposition != "replace"], ids=str)
@settings(max_examples=12, deadline=None)
@given(BATCHES, BATCHES, BATCHES)
def test_an_undo_is_refused_exactly_when_a_later_load_touched_the_same_rows(way, first, second, third):
    with opened() as file:
        snapshots = []
        for batches in (first, second, third):
            way.load(file, batches)
            snapshots.append(keyless(everything(file)))
        one, two, three = snapshots
        of_second = Counter({row: count for row, count in two.items() if row[-1] == 2})
        gone = one - two
        came_again = {row[0] for row in gone} & {row[0] for row in three if row[-1] == 3}
        touched = bool(of_second - three) or bool(came_again)
        event(f"touched: {touched}")
        if touched:
            assert "load 3" in refusal(file, 2)
            Results(file).undo_load(3)
            assert keyless(everything(file)) == two
        Results(file).undo_load(2)
        assert keyless(everything(file)) == (one if touched else three - of_second + gone)


@pytest.mark.parametrize("way", [way for way in WAYS if not way.options.needs_all_rows(way.disposition)], ids=str)
@settings(max_examples=10, deadline=None)
@given(BATCHES, BATCHES)
def test_a_load_of_several_commits_is_undone_as_a_whole(way, first, second):
    assume(len(second) > 1)
    with opened() as file:
        way.load(file, first)
        before = everything(file)
        for epoch, rows in enumerate(second, 1):
            load = way.begin(file, run="r", node="n")
            load.write(way.batch(rows))
            load.commit(Mark("r", "n", epoch, final=epoch == len(second)))
            load.abort()
        Results(file).undo_load(2)
        assert everything(file) == before
        assert file.mark("r", "n") is None


def test_an_undo_is_recorded_and_not_done_twice(load, file):
    load("t", "append", ONE_TO_THREE)
    load("t", "append", {"id": [4], "v": ["d"]})
    undone = Results(file).undo_load(2).load
    assert (undone.id, undone.table, undone.loaded) == (2, "t", Loaded(inserted=1))
    assert undone.undone_at is not None
    assert [one.undone_at for one in Results(file).loads("t")] == [undone.undone_at, None]
    assert "was undone" in refusal(file, 2)
    assert load.rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_a_load_that_does_not_exist_is_told(load, file):
    assert "no load 7" in refusal(file, 7)
    load("t", "append", ONE_TO_THREE)
    assert "no load 7" in refusal(file, 7)


def test_a_replace_by_a_table_with_other_columns_is_undone_with_its_indexes_and_triggers(load, file):
    load("t", "merge", {"id": [1, 2], "old": ["a", "b"]}, key=["id"])
    file.query("CREATE INDEX by_old ON t (old)")
    file.query("CREATE TRIGGER no_nine BEFORE INSERT ON t WHEN new.id = 9 BEGIN SELECT RAISE(ABORT, 'never nine'); END")
    before = everything(file)
    schema = file.query("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%before%' ORDER BY name")
    load("t", "replace", {"id": ["x"], "new": [1.5]})
    Results(file).undo_load(2)
    assert everything(file) == before
    assert file.query("SELECT name, sql FROM sqlite_schema ORDER BY name") == schema
    assert load("t", "merge", {"id": [2], "old": ["B"]}, key=["id"]) == Loaded(updated=1)


def test_a_table_of_another_program_that_was_replaced_by_one_with_other_columns_comes_back(load, file):
    file.query("CREATE TABLE t (code TEXT PRIMARY KEY, v) WITHOUT ROWID")
    file.query("INSERT INTO t VALUES ('a', 1), ('b', NULL)")
    load("t", "replace", ONE_TO_THREE)
    Results(file).undo_load(1)
    assert file.query("SELECT * FROM t") == [("a", 1), ("b", None)]


def test_rows_that_came_after_a_replace_by_other_columns_keep_it(load, file):
    load("t", "append", {"old": ["a"]})
    load("t", "replace", ONE_TO_THREE)
    load("t", "append", {"id": [4], "v": ["d"]})
    assert "load 3" in refusal(file, 2)


def test_rows_that_were_appended_later_stay(load, file):
    load("t", "append", {"id": [1], "v": ["a"]})
    load("t", "replace", ONE_TO_THREE)
    load("t", "append", {"id": [4], "v": ["d"]})
    Results(file).undo_load(2)
    assert load.rows() == [(1, "a"), (4, "d")]


def test_a_later_replace_is_named(load, file):
    load("t", "append", ONE_TO_THREE)
    load("t", "replace", ONE_TO_THREE)
    assert "load 2" in refusal(file, 1)


@pytest.mark.parametrize(
    "sql",
    ["UPDATE t SET v = 'x' WHERE id = 4", "DELETE FROM t WHERE id = 4", "INSERT INTO t (id, v) VALUES (3, 'x')"],
    ids=["changed", "removed", "came again"],
)
def test_rows_that_were_changed_by_hand_are_not_destroyed(load, file, sql):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    rows = {"id": [3, 4], "v": ["c", "d"], "gone": [True, False]}
    load("t", "merge", rows, key=["id"], hard_delete="gone")
    file.query(sql)
    assert "by hand" in refusal(file, 2)


def test_rows_that_another_program_changes_after_it_has_opened_the_file_are_seen(load, file, program):
    load("t", "append", ONE_TO_THREE)
    editing = program(
        """
        import sqlite3
        database = sqlite3.connect(sys.argv[1])
        database.execute("UPDATE t SET v = 'edited' WHERE id = 2")
        database.commit()
        say("done")
        """,
        file.path,
    )
    assert editing.hear() == "done"
    assert "1 of its 3 rows" in refusal(file, 1)


def test_columns_that_were_changed_since_are_told(load, file):
    load("t", "append", ONE_TO_THREE)
    file.query("ALTER TABLE t ADD COLUMN note TEXT")
    assert "columns" in refusal(file, 1)


def test_a_table_that_is_gone_is_told(load, file):
    load("t", "append", ONE_TO_THREE)
    file.query("DROP TABLE t")
    assert "gone" in refusal(file, 1)


def test_a_table_without_load_ids_is_told_with_the_way_to_get_them(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    load("t", "merge", ONE_TO_THREE, key=["id"])
    text = refusal(file, 1)
    assert "_load_id" in text
    assert "ALTER TABLE" in text
    file.query(text[text.index("ALTER TABLE") :].rstrip("."))
    load("t", "merge", {"id": [3, 4], "v": ["C", "d"]}, key=["id"])
    Results(file).undo_load(2)
    assert load.rows() == [(1, "a"), (2, "b"), (3, "c")]


def test_a_load_whose_earlier_rows_are_not_kept_any_more_is_told(load, file):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    load("t", "merge", {"id": [1], "v": ["A"]}, key=["id"])
    for number in range(10, 15):
        load("t", "merge", {"id": [number], "v": ["x"]}, key=["id"])
    assert "last 5 loads" in refusal(file, 2)
    Results(file).undo_load(7)
    assert len(load.rows()) == 7


def test_rows_of_other_tables_that_would_go_with_it_keep_a_load(load, file):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    file.query("CREATE TABLE line (id INTEGER REFERENCES t (id) ON DELETE CASCADE)")
    file.query("INSERT INTO line VALUES (1)")
    assert '"line"' in refusal(file, 1)
    assert file.query("SELECT * FROM line") == [(1,)]


def test_rows_that_others_refer_to_keep_a_load(load, file):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    file.query("CREATE TABLE line (id INTEGER REFERENCES t (id))")
    file.query("INSERT INTO line VALUES (1)")
    assert "FOREIGN KEY" in refusal(file, 1)


def test_numbers_of_rows_that_are_taken_since_do_not_hinder(load, file):
    load("t", "merge", {"k": ["a", "b"], "v": [1, 2]}, key=["k"])
    load("t", "merge", {"k": ["b"], "v": [2], "gone": [True]}, key=["k"], hard_delete="gone")
    load("t", "merge", {"k": ["c"], "v": [3]}, key=["k"])
    Results(file).undo_load(2)
    assert load.rows() == [("a", 1), ("b", 2), ("c", 3)]


UNDO = """
file = Databases().open(Path(sys.argv[1]))
count_down(steps)
results.Results(file).undo_load(2)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX thing")
def test_an_undo_that_is_killed_between_any_two_statements_leaves_all_of_the_load_or_nothing(load, file, program):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    before = everything(file)
    load("t", "merge", {"id": [2, 4], "v": ["B", "d"]}, key=["id"])
    after = everything(file)
    seen = []
    for _ in each_kill(program, UNDO, file.path):
        seen.append(everything(file))
        assert file.query("PRAGMA integrity_check") == [("ok",)]
        if seen[-1] == before:
            # Killed by a statement that follows the commit.
            break
        assert seen[-1] == after
    assert len(seen) > 10
    assert everything(file) == before


def test_a_new_load_after_an_undo_gets_a_new_id(load, file):
    load("t", "append", ONE_TO_THREE)
    writing = file.load_table("t", "append", run="r", node="n")
    writing.write(pa.RecordBatch.from_pydict(ONE_TO_THREE))
    writing.commit()
    Results(file).undo_load(2)
    writing.write(pa.RecordBatch.from_pydict({"id": [9], "v": ["z"]}))
    writing.commit()
    writing.abort()
    assert file.query("SELECT _load_id FROM t WHERE id = 9") == [(3,)]
