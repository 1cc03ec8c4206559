"""``runs``, ``tables`` and ``export`` after a real run."""

from __future__ import annotations

import json

import pytest

PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: merge, key: [id]}}
wires: [read -> save]
"""


@pytest.fixture
def workspace(tmp_path, call, monkeypatch):
    """A workspace with one run: two rows loaded, one dead letter; the current folder is beside it."""
    (tmp_path / "orders.csv").write_text("id,name\n1,Ada\n2,Bob\n3,Cyd,too,many\n")
    (tmp_path / "orders.yaml").write_text(PIPELINE)
    assert call("run", tmp_path / "orders.yaml").code == 3
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".etl_studio"


class TestRuns:
    def test_the_history_lists_runs_with_counts(self, call, workspace):
        lines = call("runs").out.splitlines()
        assert lines[0].split()[:3] == ["run", "pipeline", "status"]
        assert "orders" in lines[1]
        assert "done_with_dead_letters" in lines[1]
        assert lines[1].split()[-3:] == ["3", "2", "1"]

    def test_one_run_is_found_by_the_beginning_of_its_id_and_shows_its_nodes(self, call, workspace):
        run = json.loads(call("runs", "--json").out)[0]["id"]
        answer = call("runs", run[:10])
        assert f"id: {run}" in answer.out
        assert answer.out.splitlines()[-2:] == [
            "read: 3 read = 2 given out + 1 dead letters",
            "save: 2 read = 2 inserted",
        ]
        facts = json.loads(call("runs", run, "--json").out)
        assert facts["nodes"]["save"]["inserted"] == 2

    def test_an_unknown_run_is_a_wrong_call(self, call, workspace):
        answer = call("runs", "nonsense")
        assert (answer.code, answer.out) == (2, "")
        assert "There is no run nonsense in this workspace." in answer.err

    def test_a_folder_without_a_workspace_is_told(self, call, tmp_path):
        answer = call("runs", "--workspace", tmp_path / "none")
        assert answer.code == 2
        assert f"There is no workspace in {tmp_path / 'none'}. Run a pipeline first" in answer.err
        assert not (tmp_path / "none").exists()


class TestResults:
    def test_tables_are_listed_with_rows_and_columns(self, call, workspace):
        assert call("tables").out.splitlines()[1].split() == ["orders", "2", "id,", "name"]
        assert json.loads(call("tables", "--json").out) == [{"table": "orders", "rows": 2, "columns": ["id", "name"]}]

    def test_a_table_is_exported_by_the_ending_of_the_file(self, call, workspace, tmp_path):
        answer = call("export", "orders", "--to", tmp_path / "out.csv")
        assert answer.code == 0
        assert (tmp_path / "out.csv").read_text().splitlines() == ["id,name", "1,Ada", "2,Bob"]
        assert answer.err == f"2 rows written to {tmp_path / 'out.csv'}\n"

    def test_an_unknown_table_is_a_wrong_call(self, call, workspace, tmp_path):
        answer = call("export", "ordres", "--to", tmp_path / "out.csv")
        assert answer.code == 2
        assert 'There is no table "ordres"' in answer.err
        assert not (tmp_path / "out.csv").exists()

    def test_an_unknown_ending_is_a_wrong_call(self, call, workspace, tmp_path):
        answer = call("export", "orders", "--to", tmp_path / "out.nonsense")
        assert answer.code == 2
        assert "Traceback" not in answer.err
