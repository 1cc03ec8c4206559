"""A secret that a run knows never leaves it in a text."""

from __future__ import annotations

import pytest

from etl_studio.app.studio import Studio
from etl_studio.engine.events import DeadLettered, LogWritten, NodeChanged, RetryScheduled, RunEnded, RunStarted
from etl_studio.engine.masking import masking
from etl_studio.pipeline.file_format import loads

SECRET = "s3cr3t-t0ken"
PIPELINE = """\
etl_studio: 1
name: secretive
nodes:
  read:
    type: csv_source
    config: {path: "${secret:folder}/missing.csv"}
  save: {type: csv_sink, config: {path: out.csv}}
wires:
  - read -> save
"""


@pytest.mark.parametrize(
    "event",
    [
        NodeChanged("r", 0, "n", "failed", f"token {SECRET} refused"),
        RetryScheduled("r", 0, "n", 1, 2, 0.1, f"at {SECRET}"),
        DeadLettered("r", 0, "n", "cast", f"bad {SECRET}", {"row": [SECRET, {"deep": SECRET}]}),
        LogWritten("r", 0, "info", "n", SECRET, {"url": f"https://x/?token={SECRET}"}),
        RunStarted("r", 0, "p", None, ("n",), {"token": SECRET}),
        RunEnded("r", 0, "failed", 0, 0, 0, 0, 0, {}, error=f"with {SECRET}"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_no_event_shows_a_secret(event):
    masked = masking([SECRET, "", "other"])(event)

    assert SECRET not in repr(masked)
    assert "••••••" in repr(masked)


def test_without_secrets_events_pass_as_they_are():
    assert masking([""]) is None


def test_the_report_and_the_workspace_of_a_failed_run_hold_no_secret(tmp_path):
    events = []
    with Studio(secrets={"folder": SECRET}.get) as studio:
        pipeline = loads(PIPELINE, registry=studio.registry)
        workspace = studio.workspace(tmp_path / "workspace")
        run = studio.prepare(
            pipeline, file=tmp_path / "p.yaml", parameters={}, workspace=workspace, listeners=[events.append]
        )
        ended = run.execute()

    assert ended.error is not None
    assert SECRET not in repr(ended)
    assert SECRET not in repr(events)
    for path in (tmp_path / "workspace").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
