"""Reading tables of any size: every row once, in its order, whatever is written meanwhile."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio.errors import Cancelled, UsageError
from etl_studio.storage.results import Results
from etl_studio.storage.table_info import TableInfo

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "


@pytest.fixture
def results(file):
    return Results(file)


def fill(file, rows, table="t"):
    file.query(f"CREATE TABLE {table} (id INTEGER, v TEXT)")
    file.query(f"INSERT INTO {table} {NUMBERS.format(rows)} SELECT i, 'v' || (i % 7) FROM n")


def all_pages(results, table="t", size=7, **order):
    rows, offset = [], 0
    while page := results.page(table, offset, size, **order):
        rows += page
        offset += size
    return rows


def test_tables_are_listed_by_name_with_rows_and_columns(file, results):
    file.query("CREATE TABLE b (id INTEGER PRIMARY KEY, price REAL, ok BOOLEAN)")
    file.query("CREATE TABLE A (name TEXT)")
    file.query("INSERT INTO b VALUES (1, 2.5, 1)")
    file.query("CREATE TABLE _etl_state (x)")
    file.query("CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    assert results.tables() == [
        TableInfo("A", 0, {"name": "TEXT"}),
        TableInfo("auto", 0, {"id": "INTEGER"}),
        TableInfo("b", 1, {"id": "INTEGER", "price": "REAL", "ok": "BOOLEAN"}),
    ]


def test_a_table_that_is_not_there_is_told_with_those_that_are(file, results):
    fill(file, 1, "orders")
    with pytest.raises(UsageError, match=r'no table "order".*orders'):
        results.page("order", 0, 10)


def test_a_column_that_is_not_there_is_told(file, results):
    fill(file, 1)
    with pytest.raises(UsageError, match='no column "w"'):
        results.page("t", 0, 10, order_by="w")


def test_pages_give_every_row_once_in_the_order_of_the_table(file, results):
    fill(file, 50)
    assert [row[0] for row in all_pages(results)] == list(range(1, 51))


def test_pages_of_a_table_with_gaps_give_every_row_once(file, results):
    fill(file, 60)
    file.query("DELETE FROM t WHERE id % 3 = 0")
    expected = [number for number in range(1, 61) if number % 3]
    assert [row[0] for row in all_pages(results)] == expected
    # Backwards and at random, as a scroll bar is dragged.
    for offset in (39, 0, 21, 20, 38, 5):
        assert [row[0] for row in results.page("t", offset, 3)] == expected[offset : offset + 3]
    assert results.page("t", 40, 3) == []


def test_an_index_does_not_change_the_order_of_a_table(file, results):
    file.query("CREATE TABLE t (v INTEGER)")
    file.query("CREATE INDEX by_v ON t (v)")
    file.query("INSERT INTO t VALUES (3), (1), (2)")
    assert results.page("t", 0, 9) == [(3,), (1,), (2,)]


def test_a_column_may_be_called_like_the_row_number(file, results):
    file.query("CREATE TABLE t (rowid TEXT, oid TEXT)")
    file.query("INSERT INTO t VALUES ('b', 'x'), ('a', 'y'), ('c', 'z')")
    assert results.page("t", 1, 1) == [("a", "y")]
    assert results.page("t", 0, 3, order_by="rowid") == [("a", "y"), ("b", "x"), ("c", "z")]


def test_a_table_without_row_numbers_has_pages_too(file, results):
    file.query("CREATE TABLE t (code TEXT PRIMARY KEY, v INTEGER) WITHOUT ROWID")
    file.query("INSERT INTO t VALUES ('b', 1), ('a', 1), ('c', 0)")
    assert all_pages(results, size=1) == [("a", 1), ("b", 1), ("c", 0)]
    assert all_pages(results, size=1, order_by="v") == [("c", 0), ("a", 1), ("b", 1)]


def test_empty_values_come_last_in_both_directions(file, results):
    file.query("CREATE TABLE t (v INTEGER)")
    file.query("INSERT INTO t VALUES (2), (NULL), (1), (3)")
    assert results.page("t", 0, 9, order_by="v") == [(1,), (2,), (3,), (None,)]
    assert results.page("t", 0, 9, order_by="v", descending=True) == [(3,), (2,), (1,), (None,)]


def test_sorted_pages_give_every_row_once_where_many_are_equal(file, results):
    fill(file, 200)
    rows = all_pages(results, order_by="v", size=9)
    assert len(set(rows)) == 200
    assert rows == sorted(rows, key=lambda row: row[1])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.integers(1, 90), st.none() | st.integers(0, 3)), max_size=40, unique_by=lambda row: row[0]
    ),
    size=st.integers(1, 11),
    descending=st.booleans(),
)
def test_pages_are_slices_of_one_list(file, results, rows, size, descending):
    file.query("CREATE TABLE IF NOT EXISTS p (id INTEGER PRIMARY KEY, v INTEGER)")
    file.query("DELETE FROM p")
    for row in rows:
        file.query("INSERT INTO p VALUES (?, ?)", row)
    assert all_pages(results, "p", size) == sorted(rows)
    present = sorted(row for row in rows if row[1] is not None)
    expected = sorted(present, key=lambda row: row[1], reverse=descending)
    expected += sorted(row for row in rows if row[1] is None)
    assert all_pages(results, "p", size, order_by="v", descending=descending) == expected


def test_a_page_asked_for_in_another_thread_sees_what_was_replaced_meanwhile(file, results):
    fill(file, 30)
    assert results.page("t", 10, 1) == [(11, "v4")]
    file.query("DELETE FROM t")
    file.query("INSERT INTO t (rowid, id, v) VALUES (100, 1, 'a'), (300, 2, 'b')")
    seen = []

    def read():
        seen.extend(results.page("t", 1, 5))
        results.release()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert seen == [(2, "b")]


def test_a_page_sees_what_another_program_has_written(file, results, program):
    fill(file, 3)
    assert results.page("t", 2, 5, order_by="id", descending=True) == [(1, "v1")]
    other = program(
        """
        import sqlite3
        with sqlite3.connect(sys.argv[1]) as connection:
            connection.execute("INSERT INTO t VALUES (9, 'new')")
        say("written")
        """,
        file.path,
    )
    assert other.hear() == "written"
    assert results.page("t", 0, 1, order_by="id", descending=True) == [(9, "new")]
    other.rest()


def test_a_sort_that_takes_long_can_be_ended_from_another_thread(file, results):
    file.query("CREATE TABLE t (v INTEGER)")
    file.query(f"INSERT INTO t {NUMBERS.format(300_000)} SELECT abs(random()) FROM n")
    ended = threading.Event()
    outcome = []

    def read():
        try:
            while not outcome:
                results.page("t", 0, 10, order_by="v")
                # Without a change the order would be kept, and there would be nothing to end.
                results._order = None
        except Cancelled as cancelled:
            outcome.append(cancelled)
        finally:
            ended.set()
            results.release()

    thread = threading.Thread(target=read)
    thread.start()
    while not ended.wait(0.02):
        results.interrupt()
    thread.join()
    assert isinstance(outcome[0], Cancelled)
