"""Bad input of every kind: a clear message with its place, a true exit code, nothing half-written, nothing lost."""

from __future__ import annotations

import os
import subprocess

import pytest

from etl_studio.demo import DemoSite

ONCE = {"retry": {"attempts": 1}}
GOOD = "order_id,quantity\n1,3\n2,7\n3,9\n"
OLD = "CREATE TABLE kept (order_id INTEGER PRIMARY KEY, quantity INTEGER); INSERT INTO kept VALUES (90, 1), (91, 2);"
OLD_ROWS = [(90, 1), (91, 2)]


@pytest.fixture
def orders(folder, make_table):
    """CSV -> filter -> table and file; both targets hold the rows of an earlier day."""
    folder.write("orders.csv", GOOD)
    folder.write("kept.csv", "the file from yesterday\n")
    make_table(folder.workspace / "data.db", OLD)
    pipeline(folder)
    return folder


def pipeline(folder, where="quantity >= 5", read_policy=None, **read):
    folder.pipeline(
        {
            "read": ("csv_source", {"path": "orders.csv"} | read, read_policy or {}),
            "keep": ("filter", {"where": where}),
            "save": ("sqlite_sink", {"table": "kept", "write_disposition": "merge", "key": ["order_id"]}),
            "file": ("csv_sink", {"path": "kept.csv"}),
        },
        ["read -> keep", "keep -> save", "keep -> file"],
    )


def assert_nothing_changed(folder):
    assert folder.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS
    assert folder.lines("kept.csv") == ["the file from yesterday"]
    assert folder.names() == sorted({"orders.yaml", "kept.csv"} | ({"orders.csv"} & set(folder.names())))


def assert_loaded(folder, *rows):
    assert folder.ask("SELECT * FROM kept ORDER BY 1") == [*rows, *OLD_ROWS]
    assert folder.lines("kept.csv") == ["order_id,quantity", *(f"{first},{second}" for first, second in rows)]


class TestFiles:
    def test_a_missing_file_is_named_with_the_one_that_was_meant(self, orders):
        (orders.path / "orders.csv").rename(orders.path / "order.csv")
        answer = orders.run()
        assert answer.code == 1
        assert f"orders > read: There is no file {orders.path / 'orders.csv'}." in answer.err
        assert 'Did you mean "order.csv"?' in answer.err
        assert answer.report["error_node"] == "read"
        (orders.path / "order.csv").unlink()
        assert_nothing_changed(orders)

    def test_an_empty_file_is_no_success(self, orders):
        orders.write("orders.csv", "")
        answer = orders.run()
        assert answer.code == 1
        assert "orders > read: orders.csv is empty: it has not even a line with names." in answer.err
        assert_nothing_changed(orders)

    def test_a_file_with_names_only_gives_no_rows_and_says_so(self, orders):
        orders.write("orders.csv", "order_id,quantity\n")
        answer = orders.run()
        assert answer.code == 0
        assert (answer.report["rows_in"], answer.report["rows_out"]) == (0, 0)
        assert "0 rows read, 0 loaded" in answer.err
        assert orders.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS
        assert orders.lines("kept.csv") == ["order_id,quantity"]

    def test_a_web_page_in_the_place_of_a_csv_file_is_recognised(self, orders):
        orders.write("orders.csv", "<!DOCTYPE html>\n<html><title>Sign in</title>\n")
        answer = orders.run()
        assert answer.code == 1
        assert "orders > read: orders.csv is no CSV file but a web page." in answer.err
        assert_nothing_changed(orders)


class TestRows:
    """A bad row never stops the good ones, and never vanishes."""

    def test_a_row_with_too_many_fields_is_a_dead_letter_with_its_line_and_text(self, orders):
        orders.write("orders.csv", "order_id,quantity\n1,7\n2,8,9,10\n3,9\n")
        answer = orders.run()
        assert answer.code == 3
        assert (answer.count("read", "rows_in"), answer.count("read", "dead_letters")) == (3, 1)
        assert_loaded(orders, (1, 7), (3, 9))
        (letter,) = orders.dead_letters()
        assert (letter["node"], letter["error_type"], letter["line"]) == ("read", "too_many_fields", 3)
        assert letter["payload"] == {"line": 3, "record": "2,8,9,10"}
        assert "4 fields where 2 are expected" in letter["message"]
        assert "Put quotes around" in letter["message"]

    def test_text_in_a_number_column_is_blamed_on_the_node_that_read_it(self, orders):
        rows = "".join(f"{number},{number % 10}\n" for number in range(1, 200))
        orders.write("orders.csv", f"order_id,quantity\n{rows}200,ten\n")
        answer = orders.run()
        assert answer.code == 3
        assert answer.count("read", "dead_letters") == 1
        assert answer.count("keep", "dead_letters") == 0
        (letter,) = orders.dead_letters()
        assert (letter["node"], letter["error_type"], letter["column"], letter["line"]) == (
            "read", "cast", "quantity", 201,
        )  # fmt: skip
        assert letter["payload"] == {"line": 201, "record": "200,ten"}
        assert '"ten" in the column "quantity" is no integer.' in letter["message"]
        assert "read the column as text" in letter["message"]

    def test_stop_on_error_ends_the_run_with_line_column_and_value(self, orders):
        orders.write("orders.csv", GOOD + "4,5\n5,6\n6,ten\n")
        pipeline(orders, read_policy={"on_error": "stop"})
        answer = orders.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "read"
        assert 'orders > read: "ten" in the column "quantity" is no integer.' in answer.err
        assert "line 7" in answer.err
        assert_nothing_changed(orders)

    def test_bytes_that_are_no_utf8_are_a_dead_letter_and_the_hint_names_the_encoding(self, orders):
        orders.write("orders.csv", b"order_id,quantity,city\n1,7,K\xf6ln\n2,8,Oslo\n")
        orders.pipeline(
            {"read": ("csv_source", {"path": "orders.csv"}), "file": ("csv_sink", {"path": "kept.csv"})},
            ["read -> file"],
        )
        answer = orders.run()
        assert answer.code == 3
        (letter,) = orders.dead_letters()
        assert (letter["node"], letter["error_type"], letter["column"], letter["line"]) == (
            "read", "encoding", "city", 2,
        )  # fmt: skip
        assert letter["payload"]["record"] == r"1,7,K\xf6ln"
        assert "such as cp1252" in letter["message"]
        assert orders.lines("kept.csv") == ["order_id,quantity,city", "2,8,Oslo"]
        pipeline(orders, encoding="cp1252")
        orders.write("orders.csv", b"order_id,quantity\n1,7\n")
        assert orders.run().code == 0

    def test_a_wire_from_rejects_takes_the_bad_rows_in_the_place_of_the_dead_letters(self, orders):
        orders.write("orders.csv", "order_id,quantity\n1,7\n2,8,9\n3,ten\n4,6\n5,5\n")
        orders.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv", "columns": {"quantity": "integer"}}),
                "file": ("csv_sink", {"path": "kept.csv"}),
                "bad": ("csv_sink", {"path": "bad.csv"}),
            },
            ["read -> file", "read.rejects -> bad"],
        )
        answer = orders.run()
        assert answer.code == 0
        assert (answer.count("read", "rows_in"), answer.count("read", "rejected")) == (5, 2)
        assert orders.dead_letters() == []
        bad = orders.records("bad.csv")
        assert [(row["line"], row["record"], row["_error_type"], row["_node"]) for row in bad] == [
            ("3", "2,8,9", "too_many_fields", "read"),
            ("4", "3,ten", "cast", "read"),
        ]

    def test_a_value_that_an_expression_cannot_convert_is_rejected_by_the_node_that_computes(self, orders):
        orders.write("orders.csv", "order_id,quantity\n1,7\n2,eight\n3,nine\n4,ten\n")
        orders.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv", "columns": {"quantity": "text"}}),
                "numbers": ("derive", {"columns": {"quantity": "CAST(quantity AS INTEGER)"}}),
                "file": ("csv_sink", {"path": "kept.csv"}),
            },
            ["read -> numbers", "numbers -> file"],
        )
        answer = orders.run()
        assert answer.code == 3
        assert orders.lines("kept.csv") == ["order_id,quantity", "1,7"]
        letters = orders.dead_letters()
        assert {letter["node"] for letter in letters} == {"numbers"}
        assert [letter["payload"] for letter in letters] == [
            {"order_id": 2, "quantity": "eight"},
            {"order_id": 3, "quantity": "nine"},
            {"order_id": 4, "quantity": "ten"},
        ]
        assert all(letter["payload"]["quantity"] in letter["message"] for letter in letters)


class TestExpressions:
    def test_a_wrong_column_is_named_with_the_one_that_was_meant(self, orders):
        pipeline(orders, where="quantitty >= 5")
        answer = orders.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "keep"
        assert "orders > keep: " in answer.err
        assert '"quantitty"' in answer.err
        assert 'Did you mean "quantity"?' in answer.err
        assert_nothing_changed(orders)

    def test_an_expression_that_is_no_sql_is_refused_before_anything_runs(self, orders):
        pipeline(orders, where="quantity >= ")
        answer = orders.run()
        assert answer.code == 2
        assert answer.report["status"] == "refused"
        (problem,) = answer.report["problems"]
        assert (problem["node"], problem["field"]) == ("keep", "config.where")
        assert f"{orders.file}:{problem['line']}:{problem['column']}: error: keep, config.where: " in answer.err
        assert_nothing_changed(orders)


class TestJson:
    def test_a_web_page_where_a_json_file_was_promised(self, orders):
        orders.write("orders.json", "<!doctype html>\n<title>Sign in</title>\n<h1>Please sign in</h1>\n")
        orders.pipeline(
            {"read": ("json_source", {"path": "orders.json"}), "save": ("sqlite_sink", {"table": "kept"})},
            ["read -> save"],
        )
        answer = orders.run()
        assert answer.code == 1
        assert "orders > read: orders.json is no JSON file but a web page." in answer.err
        assert orders.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS

    def test_a_web_page_where_an_api_promised_json(self, orders):
        with DemoSite(products=5) as site:
            orders.pipeline(
                {
                    "api": ("rest_source", {"url": f"{site.url}/api/html", "items": "data.items"}),
                    "save": ("sqlite_sink", {"table": "kept", "write_disposition": "replace"}),
                },
                ["api -> save"],
            )
            answer = orders.run()
            assert len(site.requests) == 1, "the same page would come again"
        assert answer.code == 1
        assert answer.report["error_node"] == "api"
        assert f"orders > api: {site.url}/api/html " in answer.err
        assert "JSON" in answer.err
        assert "Sign in" in answer.err
        assert orders.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS

    def test_json_that_breaks_off_is_told_with_its_line(self, orders):
        orders.write("orders.json", '[\n{"order_id": 1, "quantity": 5},\n{"order_id": 2, "quant')
        orders.pipeline(
            {"read": ("json_source", {"path": "orders.json"}), "save": ("sqlite_sink", {"table": "kept"})},
            ["read -> save"],
        )
        answer = orders.run()
        assert answer.code == 1
        assert "orders > read: orders.json is no valid JSON" in answer.err
        assert "line 3" in answer.err
        assert orders.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS


class TestSelectors:
    def test_a_selector_that_matches_nothing_is_no_empty_success(self, orders):
        with DemoSite(products=5) as site:
            orders.pipeline(
                {
                    "pages": (
                        "web_page_source",
                        {"urls": [f"{site.url}/shop"], "item": ".product-tile", "fields": {"name": "h2::text"}},
                    ),
                    "save": ("sqlite_sink", {"table": "kept", "write_disposition": "replace"}),
                },
                ["pages -> save"],
            )
            answer = orders.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "pages"
        assert 'orders > pages: The item selector ".product-tile" matched nothing on 1 page' in answer.err
        assert "Check the selector" in answer.err
        assert orders.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS


class TestDatabases:
    def test_a_table_with_other_columns_is_told_with_both_sides(self, orders, make_table):
        make_table(
            orders.workspace / "data.db",
            "DROP TABLE kept; CREATE TABLE kept (order_id INTEGER PRIMARY KEY, amount INTEGER);"
            "INSERT INTO kept VALUES (90, 1);",
        )
        answer = orders.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "save"
        assert "orders > save: " in answer.err
        assert '"quantity"' in answer.err
        assert '"amount"' in answer.err
        assert orders.ask("SELECT * FROM kept") == [(90, 1)]
        assert orders.lines("kept.csv") == ["the file from yesterday"]

    def test_a_read_only_database_stays_as_it_is(self, orders):
        database = orders.workspace / "data.db"
        database.chmod(0o444)
        before = database.read_bytes()
        answer = orders.run()
        database.chmod(0o644)
        assert answer.code == 1
        assert answer.report["error_node"] == "save"
        assert "orders > save: " in answer.err
        assert "is read-only" in answer.err
        assert database.read_bytes() == before
        assert orders.lines("kept.csv") == ["the file from yesterday"]

    def test_a_database_that_another_program_has_locked_is_told_and_left_alone(self, orders, start):
        orders.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "save": ("sqlite_sink", {"table": "kept", "write_disposition": "merge", "key": ["order_id"]}, ONCE),
            },
            ["read -> save"],
        )
        holder = start(
            orders.workspace / "data.db",
            program="import sqlite3, sys; con = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "con.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()",
            stdin=subprocess.PIPE,
        )
        assert holder.stdout.readline() == "locked\n"
        answer = orders.run()
        holder.communicate("", timeout=10)
        assert answer.code == 1
        assert "orders > save: " in answer.err
        assert "is locked by another program" in answer.err
        assert orders.ask("SELECT * FROM kept ORDER BY 1") == OLD_ROWS
        assert orders.run().code == 0
        assert_loaded_table(orders)

    def test_a_file_that_is_no_database_is_not_overwritten(self, orders):
        orders.write("results.db", "these are my notes, no database\n" * 100)
        orders.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "save": ("sqlite_sink", {"table": "kept", "database": "results.db"}),
            },
            ["read -> save"],
        )
        answer = orders.run()
        assert answer.code == 1
        assert "orders > save: " in answer.err
        assert "is no SQLite database" in answer.err
        assert orders.lines("results.db")[0] == "these are my notes, no database"


def assert_loaded_table(folder):
    assert folder.ask("SELECT * FROM kept ORDER BY 1") == [(1, 3), (2, 7), (3, 9), *OLD_ROWS]


class TestPipelineFiles:
    @pytest.mark.parametrize("command", ["run", "validate"])
    def test_a_missing_pipeline_file_is_a_wrong_call(self, folder, command):
        answer = folder.call(command, folder.path / "order.yaml")
        assert answer.code == 2
        assert "There is no file" in answer.err
        assert not folder.workspace.exists()

    @pytest.mark.parametrize("command", ["run", "validate"])
    def test_a_file_that_is_no_yaml_is_refused_with_its_line(self, orders, command):
        orders.write("orders.yaml", "etl_studio: 1\nnodes:\n  read: {type: csv_source, config: {path: 'orders.csv}\n")
        answer = orders.call(command, orders.file)
        assert answer.code == 2
        assert f"{orders.file}:" in answer.err + answer.out
        assert "error: " in answer.err + answer.out
        assert_nothing_changed(orders)

    def test_a_file_of_another_kind_is_refused(self, orders):
        orders.write("orders.yaml", b"\x89PNG\r\n\x1a\n\x00\x00\xff")
        answer = orders.call("run", orders.file)
        assert answer.code == 2
        assert f"{orders.file}:1:1: error: The file is not UTF-8 text" in answer.err
        orders.write("orders.yaml", "- a list\n- and no pipeline\n")
        answer = orders.call("run", orders.file)
        assert answer.code == 2
        assert f"{orders.file}:1:1: error: " in answer.err

    def test_a_cycle_is_refused_and_drawn(self, orders):
        orders.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "all": ("union", {}),
                "keep": ("filter", {"where": "quantity > 1"}),
                "save": ("sqlite_sink", {"table": "kept"}),
            },
            ["read -> all", "all -> keep", "keep -> all", "keep -> save"],
        )
        answer = orders.run()
        assert answer.code == 2
        (problem,) = [one for one in answer.report["problems"] if "loop" in one["message"]]
        assert problem["message"] == "These nodes feed each other in a loop: all -> keep -> all."
        assert problem["hint"] == "Remove one of the wires between them."
        assert problem["line"] is not None
        assert_nothing_changed(orders)

    def test_a_file_of_a_newer_version_is_refused_and_not_guessed_at(self, orders):
        text = orders.file.read_text().replace("etl_studio: 1", "etl_studio: 99")
        orders.file.write_text(text)
        answer = orders.run()
        assert answer.code == 2
        assert "99" in answer.err
        assert "newer" in answer.err
        assert orders.file.read_text() == text
        assert_nothing_changed(orders)

    def test_every_problem_comes_at_once_with_its_place(self, orders):
        orders.pipeline(
            {
                "read": ("csv_sorce", {"path": "orders.csv"}),
                "keep": ("filter", {"wher": "quantity > 1"}),
                "save": ("sqlite_sink", {"table": "kept", "write_disposition": "merge"}),
            },
            ["read -> keep", "keep -> save"],
        )
        answer = orders.run()
        assert answer.code == 2
        assert {"read", "keep", "save"} <= {problem["node"] for problem in answer.report["problems"]}
        assert 'Did you mean "csv_source"?' in answer.err
        assert 'Did you mean "where"?' in answer.err
        assert "key: merge needs at least one key column" in answer.err
        assert all(problem["line"] for problem in answer.report["problems"])
        assert_nothing_changed(orders)

    def test_a_wire_to_nowhere_is_told_with_the_node_that_was_meant(self, orders):
        orders.file.write_text(orders.file.read_text().replace("keep -> save", "keep -> svae"))
        answer = orders.run()
        assert answer.code == 2
        assert 'names a node "svae" that is not there. Did you mean "save"?' in answer.err


class TestTargets:
    def test_a_folder_that_is_not_there_is_told(self, orders):
        orders.pipeline(
            {"read": ("csv_source", {"path": "orders.csv"}), "file": ("csv_sink", {"path": "out/kept.csv"})},
            ["read -> file"],
        )
        answer = orders.run()
        assert answer.code == 1
        assert f"orders > file: There is no folder {orders.path / 'out'}." in answer.err
        assert "switch on create_folders" in answer.err

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_the_right_to_write_is_told(self, orders):
        orders.path.chmod(0o555)
        answer = orders.run("--workspace", orders.workspace)
        orders.path.chmod(0o755)
        assert answer.code == 1
        assert "orders > file: " in answer.err
        assert "not allowed" in answer.err

    def test_one_sink_that_fails_keeps_the_other_from_writing(self, orders):
        orders.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "save": ("sqlite_sink", {"table": "kept"}),
                "file": ("csv_sink", {"path": "missing/kept.csv"}),
            },
            ["read -> save", "read -> file"],
        )
        assert orders.run().code == 1
        assert_nothing_changed(orders)
