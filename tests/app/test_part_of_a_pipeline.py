"""Run to here: a node and its ancestors only."""

from __future__ import annotations

import pytest

from etl_studio.app.studio import Studio
from etl_studio.engine.events import LogWritten, RunStatus
from etl_studio.engine.plan import ancestors

PIPELINE = """\
etl_studio: 1
nodes:
  make: {type: generate_source, config: {rows: 10, columns: {n: i}}}
  small: {type: filter, config: {where: n < 3}}
  save: {type: csv_sink, config: {path: small.csv}}
  other: {type: filter, config: {where: nonsense(}}
  rest: {type: csv_sink, config: {path: rest.csv}}
wires: [make -> small, small -> save, make -> other, other -> rest]
"""


@pytest.fixture
def run_to(tmp_path):
    """``run_to("save")`` gives the report, the record and the events."""
    file = tmp_path / "parts.yaml"
    file.write_text(PIPELINE)

    def run(node):
        events = []
        with Studio() as studio:
            pipeline, place = studio.load(file), studio.workspace(studio.workspace_folder(file))
            prepared = studio.prepare(
                pipeline, file=file, parameters={}, workspace=place, listeners=[events.append],
                only=ancestors(pipeline, node),
            )  # fmt: skip
            ended = prepared.execute()
            return ended, place.run(ended.run), events

    return run


def test_only_the_node_and_what_feeds_it_run_whatever_is_wrong_elsewhere(run_to, tmp_path):
    ended, _, _ = run_to("save")
    assert ended.status is RunStatus.DONE
    assert list(ended.nodes) == ["make", "small", "save"]
    assert (tmp_path / "small.csv").read_text().split() == ["n", "0", "1", "2"]
    assert not (tmp_path / "rest.csv").exists()


def test_the_report_says_what_ran(run_to):
    _, record, _ = run_to("small")
    assert record.notes == ["run to here: only make, small of 5 nodes; not run: save, other, rest"]


def test_the_log_says_why_everything_is_committed_at_the_end_only(run_to):
    _, _, events = run_to("small")
    lines = [event.message for event in events if isinstance(event, LogWritten) and event.level == "debug"]
    assert lines == ["Everything is committed at the end only: nothing is loaded."]
