"""Disabled nodes in runs, dry runs, previews and tests of pipelines: real files, real rows."""

from __future__ import annotations

import json

import pytest

from etl_studio.app.dry_run import dry_run
from etl_studio.app.pipeline_tests import run_case
from etl_studio.app.studio import Studio
from etl_studio.engine.events import RunStatus
from etl_studio.errors import UsageError

PIPELINE = """\
etl_studio: 1
nodes:
  make: {type: generate_source, config: {rows: 10, columns: {n: i}}}
  small: {type: filter, disabled: true, config: {where: nonsense(}}
  save: {type: csv_sink, config: {path: all.csv}}
  other: {type: generate_source, disabled: true, config: {rows: nonsense}}
  rest: {type: csv_sink, config: {path: rest.csv}}
wires: [make -> small, small -> save, other -> rest]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "parts.yaml"
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


def test_rows_pass_a_disabled_filter_and_the_report_tells_what_was_left_out(studio, file, tmp_path):
    place = studio.workspace(studio.workspace_folder(file))
    ended = studio.prepare(studio.load(file), file=file, parameters={}, workspace=place).execute()

    assert ended.status is RunStatus.DONE
    assert list(ended.nodes) == ["make", "save"]
    assert len((tmp_path / "all.csv").read_text().split()) == 11
    assert not (tmp_path / "rest.csv").exists()
    assert place.run(ended.run).notes == [
        "disabled, rows pass unchanged: small",
        "left out, since they or all that feeds them are disabled: other, rest",
    ]


def test_a_dry_run_sees_the_same(studio, file, tmp_path):
    report = dry_run(studio, studio.load(file), file=file, workspace=tmp_path / "w", parameters={})
    assert [(sink.node, sink.rows) for sink in report.sinks] == [("save", 10)]


def test_a_preview_of_a_disabled_filter_shows_the_rows_that_pass(studio, file):
    found = studio.preview(studio.load(file), file=file, node="small", rows=3)
    assert found.to_pylist() == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("node", "why"), [("other", "other is disabled: it has no rows."), ("rest", "rest is fed by disabled nodes only")]
)
def test_a_preview_of_what_is_left_out_says_why(studio, file, node, why):
    with pytest.raises(UsageError, match=why):
        studio.preview(studio.load(file), file=file, node=node)


def test_a_test_of_the_pipeline_leaves_them_out_and_refuses_to_be_about_them(studio, file, tmp_path):
    case = tmp_path / "case"
    (case / "given").mkdir(parents=True)
    (case / "given" / "make.json").write_text(json.dumps([{"n": 7}]))
    (case / "expected").mkdir()
    (case / "expected" / "save.json").write_text(json.dumps([{"n": 7}]))
    assert run_case(studio, studio.load(file), case, file=file).status == "passed"

    (case / "expected" / "rest.json").write_text("[]")
    error = run_case(studio, studio.load(file), case, file=file).error
    assert error.startswith('The test is about "rest", which is fed by disabled nodes only.')
