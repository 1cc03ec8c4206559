"""Real runs by the command: results, reports, exit codes, signals."""

from __future__ import annotations

import json
import signal

import pytest


def kept(path):
    return path.with_name("kept.csv").read_text().splitlines()


class TestRun:
    def test_a_run_writes_its_result_and_tells_the_counts(self, call, pipeline_file):
        answer = call("run", pipeline_file)
        assert answer.code == 0
        assert answer.out == ""
        assert kept(pipeline_file) == ["id,quantity", "2,7", "3,9"]
        assert "done in" in answer.err
        assert "3 rows read, 2 loaded" in answer.err

    def test_json_is_the_last_line_of_stdout(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--json")
        facts = json.loads(answer.out.splitlines()[-1])
        assert facts["status"] == "done"
        assert (facts["rows_in"], facts["rows_out"], facts["rejected"], facts["dead_letters"]) == (3, 2, 0, 0)
        assert facts["nodes"]["keep"]["filtered"] == 1
        assert facts["run_id"]
        assert facts["duration_s"] >= 0

    def test_a_parameter_changes_the_result(self, call, pipeline_file):
        assert call("run", pipeline_file, "-p", "minimum=8").code == 0
        assert kept(pipeline_file) == ["id,quantity", "3,9"]

    def test_a_parameter_that_does_not_fit_is_a_wrong_call(self, call, pipeline_file):
        answer = call("run", pipeline_file, "-p", "minimum=many")
        assert answer.code == 2
        assert 'The parameter "minimum" must be a whole number (value "many").' in answer.err

    def test_the_memory_of_a_run_may_be_bound_and_what_is_no_amount_is_a_wrong_call(self, call, pipeline_file):
        facts = json.loads(call("run", pipeline_file, "--memory", "4GB", "--json").out.splitlines()[-1])
        assert 0 < facts["peak_memory"] < 4 * 2**30
        answer = call("run", pipeline_file, "--memory", "much")
        assert answer.code == 2
        assert "Write it as 512MB or 2GB." in answer.err

    def test_a_run_to_a_node_leaves_out_what_comes_after_it_and_says_so(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--to", "keep", "--json")
        assert answer.code == 0
        facts = json.loads(answer.out.splitlines()[-1])
        assert list(facts["nodes"]) == ["read", "keep"]
        assert facts["nodes"]["keep"]["rows_out"] == 2
        assert facts["not_run"] == ["save"]
        assert "run to here: only read, keep of 3 nodes; not run: save" in answer.err.splitlines()
        assert not pipeline_file.with_name("kept.csv").exists()

    def test_a_whole_run_leaves_nothing_out(self, call, pipeline_file):
        assert json.loads(call("run", pipeline_file, "--json").out.splitlines()[-1])["not_run"] == []

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--to", "kep"], 'There is no node "kep". Nodes: read, keep, save.'),
            (["--to", "keep", "--resume"], "--to and --resume do not go together."),
        ],
    )
    def test_a_run_to_a_node_that_cannot_be_is_a_wrong_call(self, call, pipeline_file, options, message):
        answer = call("run", pipeline_file, *options)
        assert answer.code == 2
        assert message in answer.err
        assert not pipeline_file.with_name("kept.csv").exists()

    def test_the_workspace_is_beside_the_file_or_where_it_is_told(self, call, pipeline_file, tmp_path):
        call("run", pipeline_file)
        assert (tmp_path / ".etl_studio" / "workspace.db").is_file()
        call("run", pipeline_file, "--workspace", tmp_path / "elsewhere")
        assert (tmp_path / "elsewhere" / "workspace.db").is_file()

    def test_a_run_with_faults_loses_nothing_and_tells_what_each_policy_did(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--inject", 5, "--inject-rate", 0.4, "--inject-fault", "busy", "--json")
        facts = json.loads(answer.out.splitlines()[-1])
        assert answer.code == 0
        assert kept(pipeline_file) == ["id,quantity", "2,7", "3,9"]
        injection = facts["injection"]
        assert (injection["seed"], injection["rate"], injection["lost"]) == (5, 0.4, 0)
        save = injection["nodes"]["save"]
        assert save["injected"] == {"busy": save["retries"]}
        assert injection["nodes"]["read"]["injected"] == {}
        assert "faults injected (seed 5): 0 rows lost" in answer.err

    def test_a_fault_that_no_retry_helps_against_ends_the_run(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--inject", 1, "--inject-rate", 1, "--inject-fault", "disk_full", "--json")
        assert answer.code == 1
        assert "the disk is full" in answer.err
        assert json.loads(answer.out.splitlines()[-1])["injection"]["lost"] is None
        assert not pipeline_file.with_name("kept.csv").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--inject", "1", "--inject-node", "reed"], 'There is no node "reed" to fail. Nodes: read, keep, save.'),
            (["--inject", "1", "--inject-fault", "flood"], 'There is no fault "flood".'),
            (["--inject", "1", "--resume"], "--inject and --resume do not go together."),
            (["--inject", "1", "--dry-run"], "--inject and --dry-run do not go together."),
            (["--inject-node", "read"], "Fault injection needs a seed. Add --inject SEED, such as --inject 1."),
        ],
    )
    def test_faults_that_cannot_be_injected_are_a_wrong_call(self, call, pipeline_file, options, message):
        answer = call("run", pipeline_file, *options)
        assert answer.code == 2
        assert message in answer.err
        assert not pipeline_file.with_name("kept.csv").exists()

    def test_a_wrong_pipeline_does_not_run(self, call, pipeline_file):
        pipeline_file.write_text(pipeline_file.read_text().replace("where:", "wher:"))
        answer = call("run", pipeline_file, "--json")
        assert answer.code == 2
        assert f'{pipeline_file}:10:14: error: keep, config.wher: There is no setting "wher".' in answer.err
        facts = json.loads(answer.out)
        assert facts["status"] == "refused"
        assert facts["problems"][0]["field"] == "config.wher"
        assert sorted(path.name for path in pipeline_file.parent.iterdir()) == ["orders.csv", "orders.yaml"]

    def test_a_run_that_fails_ends_with_1_and_names_the_node(self, call, pipeline_file):
        pipeline_file.with_name("orders.csv").unlink()
        answer = call("run", pipeline_file, "--json")
        assert answer.code == 1
        assert "orders > read: " in answer.err
        assert "Traceback" not in answer.err
        facts = json.loads(answer.out)
        assert (facts["status"], facts["error_node"]) == ("failed", "read")

    def test_rows_that_cannot_be_read_are_dead_letters_and_end_with_3(self, call, pipeline_file):
        pipeline_file.with_name("orders.csv").write_text("id,quantity\n1,7\n2,8\n3,4,5,6\n")
        answer = call("run", pipeline_file, "--json")
        assert answer.code == 3
        assert json.loads(answer.out)["dead_letters"] == 1
        assert kept(pipeline_file) == ["id,quantity", "1,7", "2,8"]


class TestSignals:
    @pytest.fixture
    def endless(self, tmp_path):
        path = tmp_path / "endless.yaml"
        path.write_text(
            "etl_studio: 1\nnodes:\n"
            "  make: {type: generate_source, config: {rows: 1000000000, columns: {n: i}, rows_per_second: 1000}}\n"
            "  save: {type: sqlite_sink, config: {table: numbers}}\n"
            "wires: [make -> save]\n"
        )
        return path

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_a_signal_stops_the_run_and_keeps_what_was_read(self, start, call, endless, number):
        process = start("run", endless, "--json")
        for line in process.stderr:
            if line.startswith("rows: make ") and not line.startswith("rows: make 0"):
                break
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        facts = json.loads(out.splitlines()[-1])
        assert facts["status"] == "stopped"
        assert facts["rows_out"] > 0
        assert "Traceback" not in err
        stored = json.loads(call("tables", "--workspace", endless.parent / ".etl_studio", "--json").out)
        assert stored[0]["rows"] == facts["rows_out"]

    def test_a_second_signal_ends_at_once_what_would_never_drain(self, start, tmp_path):
        path = tmp_path / "drains.yaml"
        path.write_text(
            "etl_studio: 1\nnodes:\n"
            "  make: {type: generate_source, config: {rows: 10, columns: {n: i}}}\n"
            "  count: {type: sql, config: {query: 'SELECT count(*) AS n FROM input, range(1000000000000)'}}\n"
            "  save: {type: csv_sink, config: {path: counted.csv}}\n"
            "wires: [make -> count, count -> save]\n"
        )
        process = start("run", path)
        for line in process.stderr:
            if line.startswith("make: done"):
                break
        process.send_signal(signal.SIGTERM)
        for line in process.stderr:
            if line.startswith("stopping: "):
                break
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "stopping at once" in err
        assert not (tmp_path / "counted.csv").exists()


class TestPreview:
    def test_rows_at_a_node_are_shown_and_nothing_is_written(self, call, pipeline_file, tmp_path):
        answer = call("preview", pipeline_file, "keep")
        assert answer.code == 0
        assert [line.split() for line in answer.out.splitlines()] == [["id", "quantity"], ["2", "7"], ["3", "9"]]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv", "orders.yaml"]

    def test_json_gives_one_object_for_each_row(self, call, pipeline_file):
        answer = call("preview", pipeline_file, "read", "--rows", "2", "--json")
        assert [json.loads(line) for line in answer.out.splitlines()] == [
            {"id": 1, "quantity": 3}, {"id": 2, "quantity": 7},
        ]  # fmt: skip

    def test_an_unknown_node_is_a_wrong_call(self, call, pipeline_file):
        answer = call("preview", pipeline_file, "kepe")
        assert answer.code == 2
        assert 'There is no node "kepe".' in answer.err


def test_disabled_nodes_are_left_out_and_the_report_says_so(call, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(
        "etl_studio: 1\nnodes:\n"
        "  make: {type: generate_source, config: {rows: 3, columns: {n: i}}}\n"
        "  small: {type: filter, disabled: true, config: {where: n < 1}}\n"
        "  save: {type: csv_sink, config: {path: all.csv}}\n"
        "  bad: {type: csv_sink, disabled: true, config: {path: bad.csv}}\n"
        "wires: [make -> small, small -> save, small -> bad]\n"
    )
    answer = call("run", file, "--json")
    facts = json.loads(answer.out.splitlines()[-1])
    assert (facts["not_run"], facts["disabled"]) == (["small", "bad"], ["small", "bad"])
    assert facts["rows_out"] == 3
    assert "disabled, rows pass unchanged: small" in answer.err
    facts = json.loads(call("run", file, "--dry-run", "--json").out.splitlines()[-1])
    assert (facts["not_run"], facts["disabled"]) == (["small", "bad"], ["small", "bad"])
    assert call("validate", file).out == "No problems.\n"


class TestTrial:
    def test_a_run_from_a_node_takes_a_sample_of_what_comes_before(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--from", "save", "--sample", "2", "--json")
        assert answer.code == 0
        assert kept(pipeline_file) == ["id,quantity", "2,7"]
        assert json.loads(answer.out.splitlines()[-1])["not_run"] == ["read", "keep"]
        assert "a trial from save: at most 2 rows of each source; 1 sample rows in the place of keep" in answer.err

    def test_a_sample_writes_nothing_in_a_dry_run(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--sample", "2", "--dry-run")
        assert answer.code == 0
        assert "save: would write 1 rows." in answer.out
        assert not pipeline_file.with_name("kept.csv").exists()

    def test_a_trial_is_not_resumed(self, call, pipeline_file):
        answer = call("run", pipeline_file, "--sample", "2", "--resume")
        assert answer.code == 2
        assert "--from, --sample and --resume do not go together." in answer.err
