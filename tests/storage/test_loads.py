"""Every load is remembered in its database, and every row knows the load that wrote it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded, Mark, WriteOptions
from etl_studio.storage.results import Results

ONE_TO_THREE = {"id": [1, 2, 3], "v": ["a", "b", "c"]}


def load_ids(file):
    return dict(file.query("SELECT id, _load_id FROM t"))


def part(file, rows, mark=None, *, disposition="merge", **options):
    """A commit of a run's sink, in a load object of its own as after a restart."""
    writing = file.load_table("t", disposition, ["id"], WriteOptions(**options), run="r", node="save")
    writing.write(pa.RecordBatch.from_pydict(rows))
    loaded = writing.commit(mark)
    writing.abort()
    return loaded


def test_a_row_has_the_id_of_the_load_that_wrote_it_last(load, file):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    load("t", "merge", {"id": [2, 3, 4], "v": ["b", "C", "d"]}, key=["id"])
    assert load_ids(file) == {1: 1, 2: 1, 3: 2, 4: 2}


def test_loads_are_counted_with_their_table_run_and_node(load, file):
    load("t", "append", ONE_TO_THREE)
    part(file, {"id": [1, 5], "v": ["A", "e"]}, disposition="replace")
    counts = "SELECT id, table_name, run, node, disposition, inserted, updated FROM _etl_loads ORDER BY id"
    assert file.query(counts) == [(1, "t", "", "", "append", 3, 0), (2, "t", "r", "save", "replace", 2, 0)]


def test_commits_of_one_run_are_one_load_in_any_process(file):
    part(file, ONE_TO_THREE, Mark("r", "save", 1))
    assert part(file, {"id": [3, 4], "v": ["C", "d"]}, Mark("r", "save", 2, final=True)) == Loaded(1, 1)
    assert load_ids(file) == dict.fromkeys((1, 2, 3, 4), 1)
    assert file.query("SELECT inserted, updated FROM _etl_loads") == [(4, 1)]
    assert file.mark("r", "save").epoch == 2


@pytest.mark.parametrize(
    ("disposition", "options"),
    [
        ("replace", {}),
        ("merge", {"strategy": "scd2"}),
        ("merge", {"strategy": "delete_insert"}),
        ("merge", {"dedup_sort": "v"}),
    ],
)
def test_a_load_that_needs_all_rows_commits_nothing_before_the_last_mark(load, file, disposition, options):
    writing = file.load_table("t", disposition, ["id"], WriteOptions(**options), run="r", node="save")
    writing.write(pa.RecordBatch.from_pydict(ONE_TO_THREE))
    assert writing.commit(Mark("r", "save", 1)) == Loaded()
    assert file.query("SELECT name FROM sqlite_schema") == []
    writing.write(pa.RecordBatch.from_pydict({"id": [4], "v": ["d"]}))
    assert writing.commit(Mark("r", "save", 2, final=True)) == Loaded(inserted=4)
    writing.abort()
    assert file.query("SELECT count(*) FROM t") == [(4,)]


def test_a_table_of_another_program_stays_as_it_is_and_keeps_no_load_ids(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    load("t", "merge", ONE_TO_THREE, key=["id"])
    assert load("t", "replace", {"id": [7], "v": ["x"]}) == Loaded(inserted=1)
    assert file.query("SELECT * FROM t") == [(7, "x")]
    assert file.query("SELECT name FROM sqlite_schema WHERE type = 'trigger' OR name LIKE '%before%'") == []


def test_a_table_of_another_program_keeps_load_ids_once_it_has_the_column(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    file.query("ALTER TABLE t ADD COLUMN _load_id INTEGER")
    load("t", "merge", ONE_TO_THREE, key=["id"])
    assert load_ids(file) == {1: 1, 2: 1, 3: 1}


def test_a_column_with_the_name_of_the_load_id_is_refused(load):
    with pytest.raises(PermanentError, match="_LOAD_ID"):
        load("t", "append", {"id": [1], "_LOAD_ID": [1]})


def test_the_load_id_is_in_no_list_of_columns_page_or_export(load, file, tmp_path):
    load("t", "append", ONE_TO_THREE)
    results = Results(file)
    assert list(results.table("t").columns) == ["id", "v"]
    assert results.page("t", 0, 1) == [(1, "a")]
    results.export("t", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()[:2] == ["id,v", "1,a"]
    assert [table.name for table in results.tables()] == ["t"]


def test_whoever_changes_a_row_by_hand_takes_its_load_id_away(load, file):
    load("t", "append", ONE_TO_THREE)
    file.query("UPDATE t SET v = 'edited' WHERE id = 2")
    assert load_ids(file) == {1: 1, 2: None, 3: 1}


def test_a_merge_that_changes_its_own_rows_again_keeps_its_id_in_them(file):
    part(file, ONE_TO_THREE)
    part(file, {"id": [2], "v": ["B"]})
    assert load_ids(file) == {1: 1, 2: 1, 3: 1}
    file.query("UPDATE t SET v = 'edited' WHERE id = 2")
    assert load_ids(file)[2] is None


def test_earlier_rows_are_kept_for_the_last_loads_only(load, file):
    for number in range(9):
        load("t", "merge", {"id": [1], "v": [str(number)]}, key=["id"])
    kept = file.query("SELECT name FROM sqlite_schema WHERE name LIKE '%before%' ORDER BY name")
    assert kept == [(f"_etl_before_{number}",) for number in (5, 6, 7, 8, 9)]
    load("t", "replace", {"id": [1], "v": ["new"]}, key=["id"])
    kept = file.query("SELECT name FROM sqlite_schema WHERE name LIKE '%before%'")
    assert kept == [("_etl_before_10",)]


def test_a_load_that_only_inserts_keeps_no_earlier_rows(load, file):
    load("t", "merge", ONE_TO_THREE, key=["id"])
    load("t", "merge", {"id": [3, 4], "v": ["c", "d"]}, key=["id"])
    assert file.query("SELECT name FROM sqlite_schema WHERE name LIKE '%before%'") == []


@pytest.mark.parametrize("setting", ["hard_delete", "version", "dedup_sort"])
def test_a_column_that_a_setting_names_and_that_does_not_arrive_is_told(load, setting):
    with pytest.raises(PermanentError, match="update_at") as caught:
        load("t", "merge", {"id": [1], "updated_at": ["x"]}, key=["id"], **{setting: "update_at"})
    assert setting in str(caught.value)


def test_a_row_that_deletes_its_key_needs_no_other_values(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL)")
    load("t", "append", {"id": [1], "v": ["a"]})
    rows = {"id": [1], "v": pa.array([None], pa.string()), "deleted_at": ["2026-11-24"]}
    assert load("t", "merge", rows, key=["id"], hard_delete="deleted_at") == Loaded(deleted=1)
    assert load.rows() == []


def test_versions_of_a_row_need_names_of_their_own_for_their_times(load):
    with pytest.raises(PermanentError, match="valid_to"):
        load("t", "merge", {"id": [1], "Valid_To": ["x"]}, key=["id"], strategy="scd2")


def test_a_key_of_text_and_odd_names_work_with_every_strategy(load, file):
    for number, strategy in enumerate(("upsert", "insert_only", "delete_insert", "scd2")):
        name = f'o"d d{number}'
        rows = {name: ["a", "b"], "se'lect": [1, 2], "[x]": [None, True], "t": [1, 1], "s": [2, 2]}
        options = {"strategy": strategy, "hard_delete": "[x]"}
        assert load(name, "merge", rows, key=[name, "t"], **options).inserted >= 1
        load(name, "merge", rows | {"se'lect": [3, 4]}, key=[name, "t"], **options)
    assert len(Results(file).tables()) == 4
