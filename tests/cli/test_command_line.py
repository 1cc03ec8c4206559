"""The command itself: help, version, mistakes, the window."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from etl_studio import __version__
from etl_studio.cli.main import main
from etl_studio.errors import Cancelled, PermanentError, UsageError

COMMANDS = (
    "run",
    "validate",
    "preview",
    "diff",
    "merge",
    "nodes",
    "runs",
    "dead-letters",
    "tables",
    "export",
    "demo",
    "schema",
)


def test_the_version_is_printed(call):
    assert call("--version") == (0, f"etl-studio {__version__}\n", "")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_lists_every_command(call, flag):
    answer = call(flag)
    assert answer.code == 0
    assert all(f"  {command} " in answer.out for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call, command):
    answer = call(command, "-h")
    assert answer.code == 0
    assert "Usage: etl-studio" in answer.out


@pytest.mark.parametrize("arguments", [["rnu"], ["run"], ["run", "a.yaml", "--nonsense"], ["demo", "--port", "x"]])
def test_a_wrong_call_ends_with_2_and_one_message(call, arguments):
    answer = call(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert "Error: " in answer.err
    assert "Traceback" not in answer.err


def test_a_parameter_without_a_value_is_a_wrong_call(call, pipeline_file):
    answer = call("run", pipeline_file, "-p", "minimum")
    assert (answer.code, answer.err) == (2, "etl-studio: -p minimum gives no value. Write -p NAME=VALUE.\n")


def test_a_missing_file_names_a_similar_one(call, pipeline_file):
    answer = call("run", pipeline_file.with_name("order.yaml"))
    assert answer.code == 2
    assert f"Did you mean {pipeline_file}?" in answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("x"), 2), (PermanentError("x"), 1), (Cancelled("x"), 130), (KeyboardInterrupt(), 130)],
)
def test_each_kind_of_error_has_its_exit_code(call, monkeypatch, error, code):
    def fail():
        raise error

    monkeypatch.setattr("etl_studio.app.catalogue.full_registry", fail)
    answer = call("nodes")
    assert answer.code == code
    assert "Traceback" not in answer.err


def test_a_defect_is_one_message_and_its_traceback_is_shown_on_request(call, monkeypatch):
    def fail():
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr("etl_studio.app.catalogue.full_registry", fail)
    answer = call("nodes")
    assert answer.code == 1
    assert answer.err.startswith("etl-studio: An unexpected error: RuntimeError: a wheel came off\n")
    monkeypatch.setenv("ETL_STUDIO_DEBUG", "1")
    with pytest.raises(RuntimeError):
        call("nodes")


def test_without_a_command_the_window_opens_with_the_file(monkeypatch, tmp_path):
    opened = []
    application = type(sys)("etl_studio.ui.application")
    application.open_window = lambda path: opened.append(path) or 0
    monkeypatch.setattr("etl_studio.cli.main.find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "etl_studio.ui.application", application)
    monkeypatch.setattr("etl_studio.ui.application", application, raising=False)
    file = tmp_path / "a.yaml"
    assert main([]) == 0
    assert main([str(file)]) == 0
    assert opened == [None, file]


def test_without_pyside6_a_sentence_tells_how_to_install_it(monkeypatch, call):
    monkeypatch.setattr("etl_studio.cli.main.find_spec", lambda name: None)
    answer = call()
    assert answer.code == 69
    assert "Install it: pip install PySide6-Essentials pyqtgraph." in answer.err


def test_the_version_imports_nothing_heavy():
    heavy = "{'duckdb', 'pyarrow', 'pydantic', 'typer', 'rich', 'yaml', 'PySide6', 'httpx2', 'lxml', 'peewee', 'apsw'}"
    code = f"import sys, etl_studio.cli.main as m; m.main(['--version']); print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_goes_away_is_no_traceback(start):
    process = start("schema")
    process.stdout.close()
    assert process.wait(timeout=30) == 1
    assert process.stderr.read() == ""


class TestNodes:
    def test_the_catalogue_lists_types_with_their_first_sentence(self, call):
        answer = call("nodes")
        assert answer.code == 0
        lines = answer.out.splitlines()
        assert lines[0].split() == ["type", "group", "title"]
        assert any(line.startswith("csv_source ") and " extract " in line for line in lines)

    def test_one_type_shows_ports_and_settings(self, call):
        answer = call("nodes", "filter")
        assert "inputs: input\noutputs: out, rejects" in answer.out
        assert "where" in answer.out
        assert "required" in answer.out

    def test_json_is_for_programs(self, call):
        facts = json.loads(call("nodes", "filter", "--json").out)
        assert facts["type"] == "filter"
        assert facts["settings"][0]["name"] == "where"
        assert len(json.loads(call("nodes", "--json").out)) > 10

    def test_an_unknown_type_names_the_nearest(self, call):
        answer = call("nodes", "fliter")
        assert (answer.code, answer.err) == (2, 'etl-studio: There is no node type "fliter". Did you mean "filter"?\n')

    def test_the_schema_is_json(self, call):
        assert json.loads(call("schema").out)["title"] == "ETL Studio pipeline"


class TestValidate:
    def test_a_good_pipeline(self, call, pipeline_file):
        assert call("validate", pipeline_file) == (0, "No problems.\n", "")

    def test_every_problem_has_its_address(self, call, pipeline_file):
        text = pipeline_file.read_text()
        pipeline_file.write_text(text.replace("where:", "wher:").replace("type: csv_sink", "type: csv_snik"))
        answer = call("validate", pipeline_file)
        assert answer.code == 2
        assert (
            f'{pipeline_file}:12:5: error: save, type: There is no node type "csv_snik". Did you mean "csv_sink"?'
            in (answer.out)
        )
        assert (
            f'{pipeline_file}:10:14: error: keep, config.wher: There is no setting "wher". Did you mean "where"?'
            in (answer.out)
        )
        assert "2 errors, " in answer.out

    def test_a_file_that_is_no_yaml_is_a_problem_with_a_line(self, call, tmp_path):
        path = tmp_path / "bad.yaml"
        path.write_text("etl_studio: 1\nnodes: [\n")
        answer = call("validate", path)
        assert answer.code == 2
        assert answer.out.startswith(f"{path}:3:1: error: The file is no valid YAML")

    def test_wrong_sql_is_told(self, call, pipeline_file):
        pipeline_file.write_text(pipeline_file.read_text().replace(">=", ">= >="))
        answer = call("validate", pipeline_file)
        assert answer.code == 2
        assert "keep, config.where: " in answer.out

    def test_json_holds_the_problems(self, call, pipeline_file):
        pipeline_file.write_text(pipeline_file.read_text() + "  - keep -> read\n")
        facts = json.loads(call("validate", pipeline_file, "--json").out)
        assert facts["valid"] is False
        assert facts["problems"][0]["message"] == "read is a source: it takes no rows."
        assert facts["problems"][0]["line"] == 17

    def test_values_of_parameters_are_checked(self, call, pipeline_file):
        answer = call("validate", pipeline_file, "-p", "minimun=3")
        assert answer.code == 2
        assert 'has no parameter "minimun". Did you mean "minimum"?' in answer.out
        assert (
            'The parameter "minimum" must be a whole number.' in call("validate", pipeline_file, "-p", "minimum=x").out
        )


class TestWindowEntry:
    def test_a_display_is_not_needed_for_the_commands(self, start):
        environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "QT_QPA_PLATFORM")}
        out, err = start("nodes", env=environment).communicate(timeout=60)
        assert "csv_source" in out
        assert err == ""
