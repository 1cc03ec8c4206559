"""``loads`` and ``undo`` after real runs."""

from __future__ import annotations

import csv
import json

import pytest

PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: merge, key: [id]%s}}
wires: [read -> save]
"""


def run(call, folder, rows, settings=""):
    (folder / "orders.csv").write_text("id,name\n" + "".join(f"{number},{name}\n" for number, name in rows))
    (folder / "orders.yaml").write_text(PIPELINE % settings)
    assert call("run", folder / "orders.yaml").code == 0


def exported(call, folder):
    assert call("export", "orders", "--to", folder / "out.csv").code == 0
    with (folder / "out.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.fixture
def folder(tmp_path, call, monkeypatch):
    """Two runs: the second one changes a row and adds one."""
    monkeypatch.chdir(tmp_path)
    run(call, tmp_path, [(1, "Ada"), (2, "Bob")])
    run(call, tmp_path, [(2, "Bill"), (3, "Cyd")])
    return tmp_path


def test_loads_are_listed_with_what_they_did(call, folder):
    lines = call("loads").out.splitlines()
    assert lines[0].split() == ["load", "table", "at", "how", "run", "node", "inserted", "updated", "deleted", "undone"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    facts = json.loads(call("loads", "--json").out)
    assert [(one["id"], one["node"], one["inserted"], one["updated"]) for one in facts] == [
        (2, "save", 1, 1),
        (1, "save", 2, 0),
    ]
    assert facts[0]["run"] == json.loads(call("runs", "--json").out)[0]["id"]
    assert json.loads(call("loads", "--table", "other", "--json").out) == []
    assert call("loads", "--table", "other").out == "No loads yet.\n"


def test_an_undo_brings_the_rows_back(call, folder):
    assert exported(call, folder) == [["1", "Ada"], ["2", "Bill"], ["3", "Cyd"]]
    answer = call("undo", 2, "--json")
    assert answer.code == 0
    assert json.loads(answer.out)["undone_at"] is not None
    assert 'Load 2 of the table "orders" is undone: ' in answer.err
    assert exported(call, folder) == [["1", "Ada"], ["2", "Bob"]]


def test_an_undo_that_would_destroy_later_rows_is_refused_with_the_reason(call, folder):
    run(call, folder, [(3, "Cleo")])
    answer = call("undo", 2)
    assert (answer.code, answer.out) == (1, "")
    assert 'Load 2 of the table "orders" cannot be undone: load 3' in answer.err
    assert "Undo load 3 first." in answer.err
    assert exported(call, folder) == [["1", "Ada"], ["2", "Bill"], ["3", "Cleo"]]


def test_an_unknown_load_or_one_that_is_undone_is_a_wrong_call(call, folder):
    assert call("undo", 9).code == 2
    assert call("undo", 2).code == 0
    answer = call("undo", 2)
    assert answer.code == 2
    assert "was undone" in answer.err


def test_loads_of_any_sqlite_file_are_found(call, folder):
    run(call, folder, [(1, "Ada")], ", database: results.db")
    database = ("--database", folder / "results.db")
    assert [one["id"] for one in json.loads(call("loads", *database, "--json").out)] == [1]
    assert call("undo", 1, *database).code == 0
    answer = call("loads", "--database", folder / "absent.db")
    assert answer.code == 2
    assert "There is no file" in answer.err
    assert not (folder / "absent.db").exists()
