"""``dead-letters`` after real runs: found, mended, replayed, discarded, exported."""

from __future__ import annotations

import csv
import io
import json
import sqlite3

import pytest

PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  each: {type: derive, config: {columns: {share: 100 // qty}}}
  save: {type: sqlite_sink, config: {table: orders, write_disposition: append}}
wires: [read -> each, each -> save]
"""


@pytest.fixture
def workspace(tmp_path, call, monkeypatch):
    """Two rows are loaded, two divide by zero; the current folder is beside the workspace."""
    (tmp_path / "orders.csv").write_text("id,qty,day\n1,5,2026-01-01\n2,0,2026-01-02\n3,0,2026-01-03\n4,8,2026-01-04\n")
    (tmp_path / "orders.yaml").write_text(PIPELINE)
    assert call("run", tmp_path / "orders.yaml").code == 3
    monkeypatch.chdir(tmp_path)
    return tmp_path / ".etl_studio"


@pytest.fixture
def letters(call):
    """``letters()`` gives what ``list --json`` gives."""

    def found(*options):
        answer = call("dead-letters", "list", "--json", *options)
        assert answer.code == 0
        return json.loads(answer.out)

    return found


def ids_in(workspace):
    with sqlite3.connect(workspace / "data.db") as data:
        found = sorted(row[0] for row in data.execute("SELECT id FROM orders"))
    data.close()
    return found


class TestList:
    def test_they_are_listed_with_node_error_and_tries(self, call, workspace):
        lines = call("dead-letters", "list").out.splitlines()
        assert lines[0].split() == ["id", "run", "node", "error", "tries", "line", "state", "message"]
        assert lines[1].split()[2:6] == ["each", "division_by_zero", "1", "waiting"]
        assert len(lines) == 3

    def test_the_limit_tells_how_many_there_are_besides(self, call, workspace):
        assert call("dead-letters", "list", "--limit", 1).out.splitlines()[-1] == "1 more; --limit shows them."

    def test_run_node_and_error_choose(self, call, workspace, letters):
        run = json.loads(call("runs", "--json").out)[0]["id"]
        assert len(letters("--run", run[:12])) == 2
        assert letters("--run", "other") == letters("--node", "read") == letters("--error", "http") == []
        assert len(letters("--node", "each", "--error", "division_by_zero")) == 2
        assert call("dead-letters", "list", "--run", "other").out == "No dead letters.\n"

    def test_one_is_shown_with_its_row(self, call, workspace):
        answer = call("dead-letters", "show", 1)
        assert answer.code == 0
        assert '"day": "2026-01-02"' in answer.out
        assert "error type: division_by_zero" in answer.out

    def test_an_unknown_one_is_a_wrong_call(self, call, workspace):
        answer = call("dead-letters", "show", 999)
        assert (answer.code, answer.out) == (2, "")
        assert "There is no dead letter 999." in answer.err


class TestEdit:
    def test_values_get_the_types_of_their_columns(self, call, workspace, letters):
        answer = call("dead-letters", "edit", 1, "--set", "qty=4", "--set", "day=2026-12-24")
        assert json.loads(answer.out) == {"id": 2, "qty": 4, "day": "2026-12-24"}
        assert "row before it was edited:" in call("dead-letters", "show", 1).out

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--set", "qty=ten"], '"ten" does not fit the column "qty", which is integer. Write it as 12.'),
            (["--set", "day=24.12.2026"], "which is date. Write it as 2026-01-31."),
            (["--set", "quantity=1"], 'no column "quantity"'),
            (["--set", "qty"], "--set qty gives no value."),
            ([], "There is nothing to change."),
            (["--json", "none.json"], "none.json cannot be read"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_told_and_changes_nothing(self, call, workspace, letters, options, message):
        answer = call("dead-letters", "edit", 1, *options)
        assert answer.code == 2
        assert message in answer.err
        assert letters()[1]["payload"]["qty"] == 0

    def test_a_column_can_be_emptied_and_the_edit_taken_back(self, call, workspace):
        assert json.loads(call("dead-letters", "edit", 1, "--null", "day").out)["day"] is None
        assert json.loads(call("dead-letters", "edit", 1, "--original").out)["day"] == "2026-01-02"

    def test_values_come_as_json_from_a_file_or_from_stdin(self, call, workspace, tmp_path, monkeypatch):
        (tmp_path / "row.json").write_text('{"qty": 7}')
        assert json.loads(call("dead-letters", "edit", 1, "--json", tmp_path / "row.json").out)["qty"] == 7
        monkeypatch.setattr("sys.stdin", io.StringIO('{"qty": "x"}'))
        assert 'does not fit the column "qty"' in call("dead-letters", "edit", 1, "--json", "-").err


class TestReplay:
    def test_a_mended_row_is_loaded_and_the_other_stays(self, call, workspace, letters):
        call("dead-letters", "edit", 1, "--set", "qty=4")
        answer = call("dead-letters", "replay")
        assert answer.code == 3
        assert "2 dead letters: 1 have left the queue, 1 are still in it." in answer.err
        assert ids_in(workspace) == [1, 2, 4]
        assert [(letter["id"], letter["attempts"]) for letter in letters()] == [(2, 2)]

    def test_when_all_arrive_the_exit_code_is_that_of_success(self, call, workspace, letters):
        call("dead-letters", "edit", 1, "--set", "qty=4")
        answer = call("dead-letters", "replay", 1, "--json")
        report = json.loads(answer.out)
        assert (answer.code, report["replayed"], report["left"]) == (0, 1, 0)
        assert report["runs"][0]["rows_out"] == 1
        assert "orders (replay)" in call("runs").out

    def test_an_unknown_number_is_a_wrong_call(self, call, workspace):
        answer = call("dead-letters", "replay", 1, 77)
        assert answer.code == 2
        assert "There is no dead letter 77" in answer.err
        assert ids_in(workspace) == [1, 4]

    def test_a_way_that_has_no_meaning_is_a_wrong_call(self, call, workspace, tmp_path):
        (tmp_path / "orders.yaml").write_text(PIPELINE.replace("each", "every"))
        answer = call("dead-letters", "replay")
        assert answer.code == 2
        assert 'no node "each" any more' in answer.err

    def test_nothing_to_replay_is_no_error(self, call, workspace):
        assert call("dead-letters", "replay", "--node", "read").code == 0

    def test_a_moved_pipeline_can_be_named(self, call, workspace, tmp_path):
        call("dead-letters", "edit", 1, "--set", "qty=4")
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "orders.yaml").rename(tmp_path / "elsewhere" / "renamed.yaml")
        assert call("dead-letters", "replay", 1).code == 2
        assert call("dead-letters", "replay", 1, "--pipeline", tmp_path / "elsewhere" / "renamed.yaml").code == 0
        assert ids_in(workspace) == [1, 2, 4]


class TestDiscard:
    def test_without_anybody_to_ask_it_wants_yes(self, call, workspace, letters):
        answer = call("dead-letters", "discard")
        assert answer.code == 2
        assert "Give --yes" in answer.err
        assert len(letters()) == 2

    def test_only_the_chosen_ones_go(self, call, workspace, letters):
        assert call("dead-letters", "discard", 1, "--yes").out == "1 dead letters discarded.\n"
        assert [letter["id"] for letter in letters()] == [2]
        assert call("dead-letters", "discard", "--error", "http", "--yes").out == "No dead letters.\n"


class TestExport:
    def test_a_csv_file_has_facts_and_columns(self, call, workspace, tmp_path):
        answer = call("dead-letters", "export", "--to", tmp_path / "bad.csv")
        assert answer.err == f"2 dead letters written to {tmp_path / 'bad.csv'}\n"
        with (tmp_path / "bad.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["_id"], row["_error_type"], row["id"], row["day"]) for row in rows] == [
            ("2", "division_by_zero", "3", "2026-01-03"), ("1", "division_by_zero", "2", "2026-01-02"),
        ]  # fmt: skip

    def test_json_lines_hold_all_that_is_known(self, call, workspace, tmp_path):
        call("dead-letters", "export", 1, "--to", tmp_path / "bad.jsonl")
        (line,) = (tmp_path / "bad.jsonl").read_text().splitlines()
        assert json.loads(line)["types"] == {"id": "int64", "qty": "int64", "day": "date32[day]"}

    def test_another_ending_is_a_wrong_call(self, call, workspace, tmp_path):
        answer = call("dead-letters", "export", "--to", tmp_path / "bad.docx")
        assert answer.code == 2
        assert "End its name in .csv or .jsonl." in answer.err
        assert not (tmp_path / "bad.docx").exists()


class TestPrune:
    def test_the_defaults_keep_what_is_new(self, call, workspace, letters):
        assert call("dead-letters", "prune").out == "0 dead letters were too old, 0 were beyond the size.\n"
        assert len(letters()) == 2

    def test_what_is_older_or_beyond_the_size_goes(self, call, workspace, letters):
        one_row = len('{"id": 2, "qty": 0, "day": "2026-01-02"}') / 2**20
        answer = call("dead-letters", "prune", "--megabytes", one_row)
        assert answer.out == "0 dead letters were too old, 1 were beyond the size.\n"
        assert [letter["id"] for letter in letters()] == [2]
        assert call("dead-letters", "prune", "--days", 0).out.startswith("1 dead letters were too old")
