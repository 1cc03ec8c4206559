"""The rules of the house, held by a machine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import etl_studio
from etl_studio.app.catalogue import built_in_types
from etl_studio.app.resources import resource
from etl_studio.pipeline.flat import INPUT_END, OUTPUT_END
from etl_studio.sdk import Policy, Sink, Source, SqlTransform
from etl_studio.sdk.config import editor_of

PACKAGE = Path(etl_studio.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "manager", "managers", "misc", "base"}
TYPES = {node_type.type: node_type for node_type in built_in_types()}
each_type = pytest.mark.parametrize("node_type", TYPES.values(), ids=TYPES.keys())


def test_no_module_is_longer_than_500_lines():
    long = {path.name: count for path in MODULES if (count := len(path.read_text("utf-8").splitlines())) > 500}

    assert long == {}


def test_no_module_has_a_name_that_says_nothing():
    assert [path for path in MODULES if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_only_the_window_imports_qt():
    guilty = [path for path in MODULES if "ui" not in path.parts and imports(path) & {"PySide6", "pyqtgraph"}]

    assert guilty == []


def test_no_module_imports_a_second_sqlite_library():
    others = {"sqlite3", "adbc_driver_sqlite", "sqlalchemy"}

    assert [path for path in MODULES if imports(path) & others] == []
    assert [path for path in MODULES if "QtSql" in path.read_text("utf-8")] == []


def imports(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_catalogue_holds_what_the_readme_promises():
    assert set(TYPES) >= {
        "csv_source", "json_source", "rest_source", "web_page_source", "crawl_source", "generate_source",
        "filter", "derive", "select", "deduplicate", "aggregate", "join", "sort", "union", "sql", "validate",
        "sqlite_sink", "csv_sink",
        "sub_pipeline", "pipeline_input", "pipeline_output",
    }  # fmt: skip


@each_type
def test_a_source_ends_in_source_and_a_sink_in_sink(node_type):
    if node_type.type in (INPUT_END, OUTPUT_END):
        return  # these two are called after what they are for a pipeline
    assert node_type.type.endswith("_source") == issubclass(node_type, Source)
    assert node_type.type.endswith("_sink") == issubclass(node_type, Sink)


@each_type
def test_a_node_has_docs_a_title_and_an_icon(node_type):
    assert len(node_type.__doc__ or "") > 60
    assert node_type.title
    assert resource("icons", f"{node_type.icon}.svg").is_file()


@each_type
def test_the_example_of_a_node_is_valid(node_type):
    node_type.Config.model_validate(node_type.example)


@each_type
def test_every_setting_has_a_title_and_a_description(node_type):
    for name, field in node_type.Config.model_fields.items():
        assert field.title, name
        assert field.description, name
        editor_of(field)


@each_type
def test_a_blocking_node_has_no_rejects_port(node_type):
    if issubclass(node_type, SqlTransform) and node_type.blocking:
        assert "rejects" not in [port.name for port in node_type.outputs]


def test_every_policy_setting_is_explained():
    for name, field in Policy.model_fields.items():
        assert field.title, name
