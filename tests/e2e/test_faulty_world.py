"""What breaks other tools must not break this one: bad cells far down, doubles, kills, failing pages, half files."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from etl_studio.demo import DemoSite
from etl_studio.demo.faults import Fault

MEGABYTE = 1024 * 1024
FAST = {"retry": {"attempts": 6, "delay": 0.01, "max_delay": 0.05}, "breaker": {"open_for": 0.1}}


def write_orders(folder, rows, bad):
    """A CSV file of some megabytes; ``bad`` gives other texts for the quantity of some rows, counted from 1."""
    lines = [
        f"{row},{bad.get(row, row % 10)},customer number {row:>06} of the long list\n" for row in range(1, rows + 1)
    ]
    return folder.write("orders.csv", "order_id,quantity,customer\n" + "".join(lines))


class TestBadCells:
    ROWS, BAD = 60_000, 57_003

    @pytest.fixture
    def orders(self, folder):
        path = write_orders(folder, self.ROWS, {self.BAD: "ten"})
        before = path.read_bytes()[: 2 * MEGABYTE]
        assert path.stat().st_size > 2 * MEGABYTE
        assert b",ten," not in before, "the bad value must lie beyond what decides about the types"
        return folder

    def pipeline(self, folder, policy=None, **read):
        folder.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"} | read, policy or {}),
                "keep": ("filter", {"where": "quantity >= 5"}),
                "twice": ("derive", {"columns": {"double": "quantity * 2"}}),
                "save": ("sqlite_sink", {"table": "orders", "write_disposition": "merge", "key": ["order_id"]}),
            },
            ["read -> keep", "keep -> twice", "twice -> save"],
        )

    def test_a_bad_value_far_down_costs_one_row_and_is_told_by_the_node_that_read_it(self, orders):
        self.pipeline(orders)
        answer = orders.run()
        kept = sum(row % 10 >= 5 for row in range(1, self.ROWS + 1) if row != self.BAD)
        assert answer.code == 3
        assert (answer.count("read", "rows_in"), answer.count("read", "dead_letters")) == (self.ROWS, 1)
        assert answer.count("keep", "filtered") == self.ROWS - 1 - kept
        assert answer.count("save", "inserted") == kept
        assert orders.ask("SELECT count(*), sum(double) FROM orders") == [
            (kept, sum(row % 10 * 2 for row in range(1, self.ROWS + 1) if row % 10 >= 5 and row != self.BAD))
        ]
        (letter,) = orders.dead_letters()
        assert (letter["node"], letter["line"], letter["column"]) == ("read", self.BAD + 1, "quantity")
        assert '"ten"' in letter["message"]
        assert letter["payload"]["record"].startswith(f"{self.BAD},ten,")

    def test_when_no_bad_row_is_allowed_the_run_fails_and_loads_nothing(self, orders):
        self.pipeline(orders, policy={"on_error": "stop"})
        answer = orders.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "read"
        assert f"line {self.BAD + 1}" in answer.err
        assert '"ten" in the column "quantity" is no integer' in answer.err
        assert json.loads(orders.call("tables", "--workspace", orders.workspace, "--json").out) == []

    def test_a_bad_value_within_the_sample_does_not_turn_the_column_to_text(self, folder):
        write_orders(folder, 1_000, {13: "ten"})
        self.pipeline(folder)
        answer = folder.run()
        assert answer.code == 3
        assert answer.count("read", "dead_letters") == 1
        assert folder.ask("SELECT DISTINCT typeof(quantity) FROM orders") == [("integer",)]
        assert folder.dead_letters()[0]["line"] == 14

    def test_a_column_read_as_text_blames_the_node_that_casts(self, folder):
        write_orders(folder, 1_000, {13: "ten"})
        folder.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv", "columns": {"quantity": "text"}}),
                "cast": ("select", {"cast": {"quantity": "integer"}}),
                "save": ("csv_sink", {"path": "kept.csv"}),
            },
            ["read -> cast", "cast -> save"],
        )
        answer = folder.run()
        assert answer.code == 3
        assert (answer.count("read", "dead_letters"), answer.count("cast", "dead_letters")) == (0, 1)
        (letter,) = folder.dead_letters()
        assert letter["payload"]["order_id"] == 13
        assert len(folder.records("kept.csv")) == 999


class TestKeys:
    def pipeline(self, folder):
        folder.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "save": ("sqlite_sink", {"table": "orders", "write_disposition": "merge", "key": ["order_id"]}),
            },
            ["read -> save"],
        )

    def test_of_a_key_that_comes_twice_the_last_row_wins_and_the_others_are_counted(self, folder):
        folder.write("orders.csv", "order_id,quantity\n1,1\n2,2\n1,10\n3,3\n1,100\n")
        self.pipeline(folder)
        answer = folder.run()
        assert answer.code == 0
        assert folder.ask("SELECT * FROM orders ORDER BY 1") == [(1, 100), (2, 2), (3, 3)]
        assert (answer.count("save", "inserted"), answer.count("save", "superseded")) == (3, 2)
        assert answer.count("save", "rows_in") == answer.count("save", "rows_out") == 5

    def test_a_merge_makes_a_real_key_on_a_table_that_has_none(self, folder, make_table):
        make_table(
            folder.workspace / "data.db",
            "CREATE TABLE orders (order_id INTEGER, quantity INTEGER); INSERT INTO orders VALUES (1, 1), (2, 2);",
        )
        folder.write("orders.csv", "order_id,quantity\n2,20\n3,30\n")
        self.pipeline(folder)
        answer = folder.run()
        assert answer.code == 0
        assert folder.ask("SELECT * FROM orders ORDER BY 1") == [(1, 1), (2, 20), (3, 30)]
        insert = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('INSERT INTO orders VALUES (1, 9)')"
        command = [sys.executable, "-c", insert, folder.workspace / "data.db"]
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "UNIQUE constraint failed" in refused.stderr

    def test_a_table_with_doubles_is_refused_with_the_key_and_keeps_its_rows(self, folder, make_table):
        make_table(
            folder.workspace / "data.db",
            "CREATE TABLE orders (order_id INTEGER, quantity INTEGER); INSERT INTO orders VALUES (7, 1), (7, 2);",
        )
        folder.write("orders.csv", "order_id,quantity\n7,70\n8,80\n")
        self.pipeline(folder)
        answer = folder.run()
        assert answer.code == 1
        assert "orders > save: " in answer.err
        assert '"order_id"' in answer.err
        assert folder.ask("SELECT * FROM orders ORDER BY 2") == [(7, 1), (7, 2)]

    def test_a_statement_that_fails_rolls_all_back(self, folder, make_table):
        """A row that the table refuses at the very end of the commit takes the update of the first rows with it."""
        make_table(
            folder.workspace / "data.db",
            "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, quantity INTEGER CHECK (quantity < 1000));"
            "INSERT INTO orders VALUES (1, 1), (2, 2);",
        )
        folder.write("orders.csv", "order_id,quantity\n1,10\n2,20\n3,30\n4,4000\n")
        self.pipeline(folder)
        answer = folder.run()
        assert answer.code == 1
        assert "orders > save: " in answer.err
        assert "CHECK" in answer.err
        assert folder.ask("SELECT * FROM orders ORDER BY 1") == [(1, 1), (2, 2)]

    def test_rows_without_a_key_are_dead_letters(self, folder):
        folder.write("orders.csv", "order_id,quantity\n1,1\n,2\n3,3\n")
        self.pipeline(folder)
        answer = folder.run()
        assert answer.code == 3
        assert folder.ask("SELECT order_id FROM orders ORDER BY 1") == [(1,), (3,)]
        (letter,) = folder.dead_letters()
        assert (letter["node"], letter["payload"]) == ("save", {"order_id": None, "quantity": 2})


READER = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], timeout=0)
seen = set()
print("reading", flush=True)
import select
while not select.select([sys.stdin], [], [], 0)[0]:
    seen.add(con.execute("SELECT count(*), min(version), max(version), count(DISTINCT version) FROM orders").fetchone())
print(sorted(seen), flush=True)
"""
"""Another program that counts the rows without waiting for any lock; one error of SQLite ends it."""


class TestKills:
    """An upsert over a full table, killed at any moment, leaves the old rows or the new ones."""

    ROWS = 100_000

    @pytest.fixture
    def full(self, folder):
        folder.pipeline(
            {
                "make": (
                    "generate_source",
                    {
                        "rows": "${rows}",
                        "columns": {"order_id": "i", "version": "${version}", "text": "'some text of order ' || i"},
                    },
                ),
                "save": ("sqlite_sink", {"table": "orders", "write_disposition": "merge", "key": ["order_id"]}),
            },
            ["make -> save"],
            parameters={"version": {"type": "integer"}, "rows": {"type": "integer", "default": self.ROWS}},
        )
        assert folder.run("-p", "version=1").code == 0
        return folder

    def state(self, folder):
        return folder.ask("SELECT version, count(*) FROM orders GROUP BY version")

    def test_a_reader_sees_the_old_rows_until_the_new_ones_are_there(self, full, start):
        reader = start(full.workspace / "data.db", program=READER, stdin=subprocess.PIPE)
        assert reader.stdout.readline() == "reading\n"
        answer = full.run("-p", "version=2")
        out, err = reader.communicate("stop\n", timeout=20)
        assert reader.returncode == 0, err
        assert answer.code == 0
        assert answer.count("save", "updated") == self.ROWS
        assert set(map(tuple, json.loads(out.replace("(", "[").replace(")", "]")))) <= {
            (self.ROWS, 1, 1, 1), (self.ROWS, 2, 2, 1),
        }  # fmt: skip
        assert self.state(full) == [(2, self.ROWS)]

    def test_kill_9_at_bad_moments_leaves_old_or_new_rows_and_a_rerun_repairs(self, full, start):
        process = self.staging(full, start, 2)
        began = time.monotonic()
        process.communicate(timeout=30)
        assert self.state(full) == [(2, self.ROWS)]
        commit = time.monotonic() - began
        version, kills = 2, 0
        for share in (0.0, 0.2, 0.4, 0.6):
            process = self.staging(full, start, version + 1)
            # The only wait by the clock: the moment of the kill is what is tried here.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(share * commit)
            kills += process.poll() is None
            process.kill()
            process.communicate()
            ((found, count),) = self.state(full)
            assert count == self.ROWS
            assert found in (version, version + 1)
            version = found
        assert kills, "the runs were done before they were killed"
        assert full.run("-p", f"version={version + 1}").code == 0
        assert self.state(full) == [(version + 1, self.ROWS)]
        history = json.loads(full.call("runs", "--workspace", full.workspace, "--json").out)
        assert len(history) == 7
        assert {run["status"] for run in history} == {"done", "interrupted"}

    @staticmethod
    def staging(folder, start, version):
        """A run that has read its rows and is about to commit them."""
        process = start("run", folder.file, "-p", f"version={version}")
        for line in process.stderr:
            if line == "make: done\n":
                return process
        raise AssertionError("the source never ended")


class TestFiles:
    """A file appears when it is complete."""

    def test_a_killed_run_leaves_no_half_file_under_the_final_name(self, folder, start):
        folder.pipeline(
            {
                "make": ("generate_source", {"rows": 10**9, "columns": {"id": "i"}}),
                "save": ("csv_sink", {"path": "rows.csv"}),
            },
            ["make -> save"],
        )
        process = start("run", folder.file)
        for line in process.stderr:
            if line.startswith("rows: make"):
                break
        assert "rows.csv" not in folder.names()
        process.kill()
        process.communicate()
        assert "rows.csv" not in folder.names()

    def test_a_run_that_fails_in_its_last_row_writes_no_file_and_no_table(self, folder):
        write_orders(folder, 20_000, {})
        folder.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "check": (
                    "validate",
                    {"rules": [{"column": "order_id", "rule": "range", "max": 19_999, "severity": "stop"}]},
                ),
                "file": ("csv_sink", {"path": "kept.csv"}),
                "save": ("sqlite_sink", {"table": "orders"}),
            },
            ["read -> check", "check -> file", "check -> save"],
        )
        answer = folder.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "check"
        assert "row 20000" in answer.err
        assert '"order_id" must be at most 19999' in answer.err
        assert folder.names() == ["orders.csv", "orders.yaml"]
        assert json.loads(folder.call("tables", "--workspace", folder.workspace, "--json").out) == []


class TestPages:
    """A page that fails is asked for again; the run is not begun anew, and an error's body is no page."""

    def pipeline(self, folder, site, policy=None, **settings):
        config = {
            "url": f"{site.url}/api/products",
            "params": {"per_page": 20},
            "items": "data.items",
            "pagination": {"kind": "page", "has_more": "has_more"},
        }
        folder.pipeline(
            {
                "api": ("rest_source", config | settings, FAST | (policy or {})),
                "save": ("sqlite_sink", {"table": "products", "write_disposition": "merge", "key": ["id"]}),
            },
            ["api -> save"],
        )

    def test_a_page_that_answers_500_twice_costs_two_requests_more_and_nothing_else(self, folder):
        with DemoSite(products=200) as site:
            failing = ScriptedFaults(site, {7: [500, 500]})
            self.pipeline(folder, failing)
            answer = folder.run()
        assert answer.code == 0
        assert failing.pages == [1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 9, 10]
        assert (answer.count("api", "rows_out"), answer.count("api", "retries")) == (200, 2)
        assert folder.ask("SELECT id FROM products ORDER BY rowid") == [(number,) for number in range(1, 201)]

    def test_a_page_that_keeps_failing_is_a_dead_letter_and_the_others_are_read(self, folder):
        with DemoSite(products=200) as site:
            failing = ScriptedFaults(site, {7: [500] * 50})
            self.pipeline(folder, failing, {"retry": {"attempts": 3, "delay": 0.01, "max_delay": 0.02}})
            answer = folder.run()
        assert answer.code == 3
        assert Counter(failing.pages)[7] == 3
        assert max(failing.pages) == 10
        missing = set(range(121, 141))
        assert {row for (row,) in folder.ask("SELECT id FROM products")} == set(range(1, 201)) - missing
        (letter,) = json.loads(folder.call("dead-letters", "list", "--workspace", folder.workspace, "--json").out)
        assert "500 Internal Server Error" in letter["message"]

    def test_where_no_page_may_be_missing_a_page_that_keeps_failing_fails_the_run(self, folder):
        with DemoSite(products=200) as site:
            failing = ScriptedFaults(site, {7: [500] * 50})
            self.pipeline(folder, failing, {"retry": {"attempts": 2, "delay": 0.01}, "on_error": "stop"})
            answer = folder.run()
        assert answer.code == 1
        assert answer.report["error_node"] == "api"
        assert "500 Internal Server Error" in answer.err
        assert json.loads(folder.call("tables", "--workspace", folder.workspace, "--json").out) == []

    @pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
    def test_the_body_of_an_error_never_ends_the_paging(self, folder, status):
        """The body has no ``has_more``: taken for a page it would be the last one."""
        with DemoSite(products=100) as site:
            failing = ScriptedFaults(site, {3: [status] * 50})
            self.pipeline(folder, failing, {"retry": {"attempts": 2, "delay": 0.01}})
            answer = folder.run()
        if status >= 500:
            assert answer.code == 3, "80 of 100 rows are no full success"
            assert max(failing.pages) == 5
            return
        assert answer.code == 1, "40 of 100 rows are no success"
        assert str(status) in answer.err
        assert json.loads(folder.call("tables", "--workspace", folder.workspace, "--json").out) == []

    def test_connections_that_break_off_lose_and_double_nothing(self, folder):
        with DemoSite(products=200) as site:
            failing = ScriptedFaults(site, {2: ["reset"], 4: ["truncate"], 5: ["truncate", "reset", 503]})
            self.pipeline(folder, failing)
            answer = folder.run()
        assert answer.code == 0
        assert Counter(failing.pages) == {1: 1, 2: 2, 3: 1, 4: 2, 5: 4, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1}
        assert folder.ask("SELECT count(*), count(DISTINCT id), sum(id) FROM products") == [(200, 200, 20100)]

    def test_all_pages_come_over_one_connection(self, folder):
        with DemoSite(products=400) as site, Wire(site.port) as wire:
            self.pipeline(folder, wire)
            assert folder.run().code == 0
            assert len(site.requests) == 20
        assert wire.connections == 1


class ScriptedFaults:
    """Sends a run to the site through addresses whose pages fail as told; the site itself does the failing."""

    def __init__(self, site, faults):
        self._faults = {page: list(kinds) for page, kinds in faults.items()}
        self._site = site
        self.url = site.url
        self.pages = []
        site.choose_fault = self._choose

    def _choose(self, target, address):
        page = int(address.query["page"])
        self.pages.append(page)
        kinds = self._faults.get(page)
        kind = kinds.pop(0) if kinds else None
        if isinstance(kind, int):
            return 0.0, Fault("status", kind)
        return 0.0, Fault(kind) if kind else None


class Wire:
    """Passes bytes between clients and a port, and counts the connections."""

    def __init__(self, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self._threads = [threading.Thread(target=self._accept)]
        self._sockets = []

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._port))
            self._sockets += [near, far]
            for source, target in ((near, far), (far, near)):
                thread = threading.Thread(target=self._pass, args=(source, target))
                self._threads.append(thread)
                thread.start()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


class TestWorkspace:
    def test_many_runs_keep_facts_and_no_rows(self, folder):
        """400 kB of rows go through each of six runs; what is kept of them are counts and samples."""
        noise = random.Random(1)
        words = [f"{noise.getrandbits(256):064x}" for _ in range(6_000)]
        folder.write("orders.csv", "id,word\n" + "".join(f"{number},{word}\n" for number, word in enumerate(words)))
        folder.pipeline(
            {
                "read": ("csv_source", {"path": "orders.csv"}),
                "keep": ("filter", {"where": "id >= 0"}),
                "save": ("csv_sink", {"path": "kept.csv"}),
            },
            ["read -> keep", "keep -> save"],
        )
        for _ in range(6):
            assert folder.run().code == 0
        assert len(json.loads(folder.call("runs", "--workspace", folder.workspace, "--json").out)) == 6
        kept = [path for path in folder.workspace.rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in kept) < 300_000
        assert not [path for path in kept if words[0].encode() in path.read_bytes()]
