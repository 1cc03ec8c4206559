"""Tables that are there already: what fits is loaded, what does not is told and changes nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk import Loaded
from etl_studio.storage.results import Results

ODD_NAMES = ['or"der', "two words", "select", "Größe", "🛒", "a.b", "a'b", "[x]", "`", "%s ?", "1", "--"]


def refused(load, table, disposition, rows, key=()):
    """The error of a load that must not work."""
    with pytest.raises(PermanentError) as caught:
        load(table, disposition, rows, key=key)
    return str(caught.value)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_of_tables_and_columns_are_free(load, file, name):
    rows = {name: [1, 2], "v": ["a", "b"]}
    assert load(name, "merge", rows, key=[name]) == Loaded(inserted=2)
    assert load(name, "merge", rows, key=[name]) == Loaded(unchanged=2)
    assert load(name, "replace", rows) == Loaded(inserted=2)
    assert [table.name for table in Results(file).tables()] == [name]


@pytest.mark.parametrize("name", ["sqlite_orders", "SQLITE_x", "_etl_stage"])
def test_reserved_names_are_refused(file, load, name):
    assert name in refused(load, name, "append", {"id": [1]})
    assert file.query("SELECT name FROM sqlite_schema") == []


def test_the_case_of_names_does_not_matter_as_everywhere_in_sqlite(load, file):
    file.query("CREATE TABLE Orders (ID INTEGER PRIMARY KEY, V TEXT)")
    assert load("orders", "merge", {"id": [1], "v": ["a"]}, key=["id"]) == Loaded(inserted=1)
    assert load("ORDERS", "merge", {"Id": [1], "v": ["b"]}, key=["Id"]) == Loaded(updated=1)
    assert load.rows("Orders") == [(1, "b")]


def test_sqlite_folds_only_ascii_letters_and_so_do_we(load, file):
    file.query('CREATE TABLE t ("é" TEXT)')
    assert "É" in refused(load, "t", "append", {"É": ["x"]})


def test_columns_that_sqlite_takes_for_one_are_refused(load):
    assert '"A"' in refused(load, "t", "append", {"a": [1], "A": [2]})


def test_a_column_that_the_table_lacks_is_told_with_those_it_has(load, file):
    file.query("CREATE TABLE t (id INTEGER, price REAL)")
    text = refused(load, "t", "append", {"id": [1], "prize": [2.0]})
    assert '"prize"' in text
    assert '"price"' in text
    assert load.rows() == []


def test_a_column_that_the_table_needs_and_that_does_not_arrive_is_told(load, file):
    file.query("CREATE TABLE t (id INTEGER, shop TEXT NOT NULL)")
    assert '"shop"' in refused(load, "t", "append", {"id": [1]})


@pytest.mark.parametrize("key", ["code TEXT NOT NULL PRIMARY KEY", "code TEXT PRIMARY KEY NOT NULL"])
def test_a_key_of_text_that_does_not_arrive_is_told_before_any_row_is_staged(file, key):
    file.query(f"CREATE TABLE t ({key}, v INTEGER)")
    writing = file.load_table("t", "append", [])
    with pytest.raises(PermanentError, match='"code"'):
        writing.write(pa.RecordBatch.from_pydict({"v": [1]}))
    writing.abort()


def test_further_columns_that_need_no_value_are_fine(load, file):
    file.query("CREATE TABLE t (no INTEGER PRIMARY KEY, id INTEGER, note TEXT, kind TEXT NOT NULL DEFAULT 'new')")
    assert load("t", "append", {"id": [7]}) == Loaded(inserted=1)
    assert load.rows() == [(1, 7, None, "new")]


def test_a_view_takes_no_rows(load, file):
    file.query("CREATE TABLE t (id INTEGER)")
    file.query("CREATE VIEW v AS SELECT id FROM t")
    for disposition in ("append", "replace"):
        assert "view" in refused(load, "v", disposition, {"id": [1]})
    assert file.query("SELECT type FROM sqlite_schema WHERE name = 'v'") == [("view",)]


def test_a_table_without_a_unique_index_on_the_key_gets_one(load, file):
    file.query("CREATE TABLE t (id INTEGER, v TEXT)")
    file.query("INSERT INTO t VALUES (1, 'a')")
    assert load("t", "merge", {"id": [1, 2], "v": ["A", "b"]}, key=["id"]) == Loaded(inserted=1, updated=1)
    assert file.query("SELECT count(*) FROM pragma_index_list('t') WHERE \"unique\"") == [(1,)]
    assert load("t", "merge", {"id": [1], "v": ["A"]}, key=["id"]) == Loaded(unchanged=1)
    assert file.query("SELECT count(*) FROM pragma_index_list('t')") == [(1,)]


def test_an_index_on_some_rows_or_on_an_expression_is_no_unique_key(load, file):
    file.query("CREATE TABLE t (id INTEGER, v TEXT)")
    file.query("CREATE UNIQUE INDEX some ON t (id) WHERE id > 10")
    file.query("CREATE UNIQUE INDEX expression ON t (abs(id))")
    assert load("t", "merge", {"id": [1], "v": ["a"]}, key=["id"]) == Loaded(inserted=1)
    assert load("t", "merge", {"id": [1], "v": ["b"]}, key=["id"]) == Loaded(updated=1)


def test_two_tables_whose_names_run_into_each_other_get_an_index_each(load, file):
    file.query("CREATE TABLE a_b (c INTEGER)")
    file.query("CREATE TABLE a (b_c INTEGER)")
    assert load("a_b", "merge", {"c": [1]}, key=["c"]) == Loaded(inserted=1)
    assert load("a", "merge", {"b_c": [1]}, key=["b_c"]) == Loaded(inserted=1)


def test_doubles_in_the_table_are_told_and_it_stays_as_it_was(load, file):
    file.query("CREATE TABLE t (id INTEGER, v TEXT)")
    file.query("INSERT INTO t VALUES (1, 'a'), (1, 'b')")
    text = refused(load, "t", "merge", {"id": [1], "v": ["c"]}, key=["id"])
    assert "same" in text
    assert load.rows() == [(1, "a"), (1, "b")]
    assert file.query("SELECT count(*) FROM pragma_index_list('t')") == [(0,)]


def test_doubles_that_are_replaced_do_not_matter(load, file):
    file.query("CREATE TABLE t (id INTEGER)")
    file.query("INSERT INTO t VALUES (1), (1)")
    assert load("t", "replace", {"id": [1]}, key=["id"]) == Loaded(inserted=1)


@pytest.mark.parametrize("declared", ["INTEGER PRIMARY KEY", "BIGINT UNIQUE", "INT"])
def test_a_number_and_its_text_never_become_two_rows_where_the_key_is_a_number(load, file, declared):
    file.query(f"CREATE TABLE t (id {declared}, v TEXT)")
    load("t", "merge", {"id": [1], "v": ["number"]}, key=["id"])
    assert '"id"' in refused(load, "t", "merge", {"id": ["1", "01"], "v": ["text", "last"]}, key=["id"])
    assert load.rows() == [(1, "number")]


def test_a_number_and_its_text_never_become_two_rows_where_the_key_is_text(load, file):
    file.query("CREATE TABLE t (id TEXT PRIMARY KEY, v TEXT)")
    load("t", "merge", {"id": ["1"], "v": ["text"]}, key=["id"])
    assert load("t", "merge", {"id": [1], "v": ["number"]}, key=["id"]) == Loaded(updated=1)
    assert load.rows() == [("1", "number")]


def test_keys_that_the_table_compares_without_case_are_one_row(load, file):
    file.query("CREATE TABLE t (code TEXT COLLATE NOCASE PRIMARY KEY, v TEXT)")
    load("t", "merge", {"code": ["a"], "v": ["old"]}, key=["code"])
    assert load("t", "merge", {"code": ["A", "b", "B"], "v": ["new", "x", "y"]}, key=["code"]) == (
        Loaded(inserted=1, updated=1, superseded=1)
    )
    assert {code.lower(): value for code, value in load.rows()} == {"a": "new", "b": "y"}


def test_a_change_of_case_in_a_value_is_a_change(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT COLLATE NOCASE)")
    load("t", "merge", {"id": [1], "v": ["a"]}, key=["id"])
    assert load("t", "merge", {"id": [1], "v": ["A"]}, key=["id"]) == Loaded(updated=1)
    assert load.rows() == [(1, "A")]


REFUSALS = {
    "a unique column": "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER UNIQUE)",
    "a check": "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER CHECK (v <> 20))",
    "a foreign key": "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER REFERENCES other (id))",
    "a trigger": "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)",
}


@pytest.mark.parametrize("disposition", ["append", "merge", "replace"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_a_row_that_the_table_refuses_leaves_it_as_it_was(load, file, kind, disposition):
    file.query("CREATE TABLE other (id INTEGER PRIMARY KEY)")
    file.query("INSERT INTO other VALUES (10)")
    file.query(REFUSALS[kind])
    file.query("INSERT INTO t VALUES (1, 10)")
    if kind == "a trigger":
        file.query(
            "CREATE TRIGGER no BEFORE INSERT ON t WHEN new.v = 20 BEGIN SELECT RAISE(ABORT, 'never twenty'); END"
        )
    bad = [7, 7, 8] if kind == "a unique column" else [10, 20, 10]
    text = refused(load, "t", disposition, {"id": [2, 3, 4], "v": bad}, ["id"] if disposition == "merge" else [])
    assert "UNIQUE constraint failed" not in text or "t.v" in text
    assert kind != "a trigger" or "never twenty" in text
    assert load.rows() == [(1, 10)]
    assert file.query("SELECT name FROM temp.sqlite_schema") == []
    assert file.query("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("disposition", ["append", "merge"])
def test_a_row_without_a_value_that_the_table_needs_comes_back(load, file, disposition):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER NOT NULL)")
    writing = file.load_table("t", disposition, ["id"] if disposition == "merge" else [])
    (rejected,) = writing.write(pa.RecordBatch.from_pydict({"id": [1, 2], "v": [7, None]}))
    assert rejected.rows.to_pylist() == [{"id": 2, "v": None}]
    assert rejected.problems[0].column == "v"
    assert writing.commit() == Loaded(inserted=1)
    writing.abort()


@pytest.mark.parametrize("disposition", ["append", "replace"])
@pytest.mark.parametrize("way", ["a trigger", "a constraint"])
def test_rows_that_the_table_leaves_out_without_a_word_are_not_called_loaded(load, file, way, disposition):
    file.query(f"CREATE TABLE t (id INTEGER {'UNIQUE ON CONFLICT IGNORE' if way == 'a constraint' else ''})")
    file.query("INSERT INTO t VALUES (9)")
    if way == "a trigger":
        file.query("CREATE TRIGGER leave_out BEFORE INSERT ON t WHEN new.id = 2 BEGIN SELECT RAISE(IGNORE); END")
    text = refused(load, "t", disposition, {"id": [1, 1, 1] if way == "a constraint" else [1, 2, 2]})
    assert "2" in text
    assert load.rows() == [(9,)]


def test_after_a_refusal_the_table_can_be_loaded_again(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER CHECK (v > 0))")
    refused(load, "t", "append", {"id": [1], "v": [0]})
    assert load("t", "append", {"id": [1], "v": [1]}) == Loaded(inserted=1)


def test_rows_that_refer_to_each_other_may_come_in_any_order(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, boss INTEGER REFERENCES t (id))")
    assert load("t", "append", {"id": [2, 1], "boss": [1, None]}) == Loaded(inserted=2)


@pytest.mark.parametrize("action", ["CASCADE", "SET NULL"])
def test_a_table_whose_rows_others_hang_on_is_not_replaced(load, file, action):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    file.query(f"CREATE TABLE item (no INTEGER, t_id INTEGER REFERENCES t (id) ON DELETE {action})")
    file.query("INSERT INTO t VALUES (1)")
    file.query("INSERT INTO item VALUES (5, 1)")
    assert "item" in refused(load, "t", "replace", {"id": [1]})
    assert load.rows("item") == [(5, 1)]


def test_a_merge_fires_no_cascade(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    file.query("CREATE TABLE item (no INTEGER, t_id INTEGER REFERENCES t (id) ON DELETE CASCADE)")
    file.query("INSERT INTO t VALUES (1, 'a')")
    file.query("INSERT INTO item VALUES (5, 1)")
    assert load("t", "merge", {"id": [1], "v": ["b"]}, key=["id"]) == Loaded(updated=1)
    assert load.rows("item") == [(5, 1)]


def test_a_strict_table_takes_rows_of_its_types(load, file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, v REAL, n TEXT) STRICT")
    assert load("t", "merge", {"id": [1], "v": [1.5], "n": ["x"]}, key=["id"]) == Loaded(inserted=1)


def test_a_table_without_row_numbers_is_loaded(load, file):
    file.query("CREATE TABLE t (code TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID")
    assert load("t", "merge", {"code": ["a", "b"], "v": [1, 2]}, key=["code"]) == Loaded(inserted=2)
    assert load("t", "merge", {"code": ["b", "c"], "v": [3, 4]}, key=["code"]) == Loaded(inserted=1, updated=1)
    assert load.rows() == [("a", 1), ("b", 3), ("c", 4)]
