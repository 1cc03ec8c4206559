"""Tables of SQLite files as rows. The files are made by another copy of SQLite, in processes of their own."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import Cancelled, PermanentError
from etl_studio.nodes.extract import sqlite_source
from etl_studio.nodes.extract.sqlite_source import SqliteSource

MAKE = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2]).close()"
ORDERS = """
    CREATE TABLE orders (id INTEGER PRIMARY KEY, name VARCHAR(20), price REAL, paid BOOLEAN, day DATE);
    INSERT INTO orders VALUES (3, 'c', 3.5, 1, '2024-01-03'), (1, 'a', 1, 0, '2024-01-01'), (2, NULL, NULL, NULL, NULL);
"""


@pytest.fixture
def make(tmp_path):
    """Makes or changes ``shop.db``."""

    def run(script):
        subprocess.run([sys.executable, "-c", MAKE, tmp_path / "shop.db", script], check=True)

    return run


@pytest.fixture
def read(context):
    """Rows, rejects and cursors of a source."""

    def run(resume=None, **config):
        source = SqliteSource(SqliteSource.Config(**{"database": "shop.db", **config}))
        context.resume = resume
        rows, rejected, cursors = [], [], []
        for emission in source.read(context):
            if isinstance(emission, sdk.Cursor):
                cursors.append((len(rows), json.loads(json.dumps(emission.value))))
            elif isinstance(emission, sdk.Rejected):
                rejected += zip(emission.rows.to_pylist(), emission.problems, strict=True)
            else:
                rows += emission.to_pylist()
                run.schema = emission.schema
        return rows, rejected, cursors

    return run


def test_a_table_comes_with_the_types_that_it_declares(make, read):
    make(ORDERS)
    rows, rejected, _ = read(table="orders", order_by="id", types={"day": "date"})
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert rows[0] == {"id": 1, "name": "a", "price": 1.0, "paid": False, "day": rows[0]["day"]}
    assert [str(field.type) for field in read.schema] == ["int64", "string", "double", "bool", "date32[day]"]
    assert [row["day"] and row["day"].isoformat() for row in rows] == ["2024-01-01", None, "2024-01-03"]
    assert rejected == []


def test_columns_a_condition_and_a_query_say_what_is_read(make, read):
    make(ORDERS + "CREATE VIEW dear AS SELECT id, price * 2 AS twice FROM orders WHERE price > 1;")
    assert read(table="orders", columns=["name"], where="price > 1 -- dear ones")[0] == [{"name": "c"}]
    assert read(table="dear")[0] == [{"id": 3, "twice": 7.0}]
    query = "SELECT name, count(*) AS n FROM orders GROUP BY name;"
    assert read(query=query, order_by="name", where="n > 0")[0][1] == {"name": "a", "n": 1}


def test_an_empty_table_tells_its_columns(make, read):
    make("CREATE TABLE orders (id INTEGER, name TEXT)")
    assert read(table="orders")[0] == []
    assert read.schema.names == ["id", "name"]


def test_a_value_that_does_not_fit_its_column_is_rejected_with_its_row(make, read):
    make("CREATE TABLE t (id INTEGER, n INTEGER); INSERT INTO t VALUES (1, 5), (2, 'many'), (3, 7)")
    rows, [(row, problem)], _ = read(table="t", order_by="id")
    assert rows == [{"id": 1, "n": 5}, {"id": 3, "n": 7}]
    assert problem.column == "n"
    assert "many" in str(row)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.none() | st.integers(0, 8) | st.floats(-2, 2) | st.text("ab", max_size=2), max_size=40))
def test_from_each_cursor_exactly_the_rest_comes(tmp_path, read, monkeypatch, places):
    monkeypatch.setattr(sqlite_source, "ROWS", 3)
    (tmp_path / "shop.db").unlink(missing_ok=True)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE t (place, n INTEGER)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(place, n) for n, place in enumerate(places)])
        database.commit()
    rows, rejected, cursors = read(table="t", columns=["n"], order_by="place")
    assert sorted(row["n"] for row in rows) == list(range(len(places)))
    assert rejected == []
    for given_before, cursor in cursors:
        assert read(resume=cursor, table="t", columns=["n"], order_by="place")[0] == rows[given_before:]
    if cursors:
        assert cursors[-1][0] == len(rows)


def test_rows_come_from_one_moment_while_another_program_writes(make, context, monkeypatch):
    monkeypatch.setattr(sqlite_source, "ROWS", 2)
    make("PRAGMA journal_mode = wal; CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2), (3), (4), (5)")
    found = SqliteSource(SqliteSource.Config(database="shop.db", table="t", order_by="id")).read(context)
    rows = next(found).num_rows
    make("DELETE FROM t; INSERT INTO t VALUES (9)")
    assert rows + sum(one.num_rows for one in found if not isinstance(one, sdk.Cursor)) == 5


def test_reading_leaves_every_byte_of_the_file_and_its_journal_as_they_were(make, read, tmp_path):
    make(ORDERS)
    before = (tmp_path / "shop.db").read_bytes()
    read(table="orders")
    assert (tmp_path / "shop.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"table": "order"}, "no such table"),
        ({"table": "orders", "columns": ["nmae"]}, "nmae"),
        ({"table": "orders", "order_by": "nowhere"}, "nowhere"),
        ({"table": "orders", "where": "price >"}, "syntax error"),
        ({"table": "orders", "types": {"nowhere": "date"}}, "setting types"),
        ({"table": "orders", "where": "1); DELETE FROM orders; --"}, "Only one SELECT"),
        ({"query": "DELETE FROM orders RETURNING id"}, "Only a SELECT"),
        ({"query": "SELECT * FROM pragma_database_list"}, "not authorized"),
        ({"query": "SELECT 1 AS a, 2 AS A"}, "two columns"),
        ({"query": "SELECT x'00' AS a", "order_by": "a"}, "bytes"),
        ({"database": "nowhere.db", "table": "t"}, "There is no database"),
        ({"database": "notes.txt", "table": "t"}, "no SQLite database"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(make, read, tmp_path, config, words):
    make(ORDERS)
    (tmp_path / "notes.txt").write_text("these are notes, and no database at all " * 99)
    with pytest.raises(PermanentError, match=words):
        read(**config)
    assert len(read(table="orders")[0]) == 3
    assert not (tmp_path / "nowhere.db").exists()


@pytest.mark.parametrize("config", [{}, {"table": "t", "query": "SELECT 1"}])
def test_it_wants_a_table_or_a_query(config):
    with pytest.raises(ValidationError, match="one of the two"):
        SqliteSource.Config(**config)


def test_a_stop_ends_a_query_that_sorts_for_ever(make, context, stopping_after):
    make("CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1)")
    query = (
        "WITH RECURSIVE all_numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM all_numbers) "
        "SELECT count(*) AS n FROM all_numbers"
    )
    source = SqliteSource(SqliteSource.Config(database="shop.db", query=query))
    stopping_after(context, 0.2)
    with pytest.raises(Cancelled):
        list(source.read(context))
