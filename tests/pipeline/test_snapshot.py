"""A snapshot does not change with the pipeline."""

from __future__ import annotations

from pathlib import Path

from etl_studio.pipeline.file_format import dumps, load
from etl_studio.pipeline.model import Wire
from etl_studio.pipeline.snapshot import snapshot

CORPUS = Path(__file__).parent / "corpus" / "v1"


def test_what_commands_do_to_a_pipeline_does_not_reach_its_snapshot():
    pipeline = load(CORPUS / "every_key.etl.yaml")
    before = dumps(pipeline)
    taken = snapshot(pipeline)
    assert taken == pipeline

    name = next(iter(pipeline.nodes))
    pipeline.nodes[name].config = {"other": 1}
    pipeline.nodes[name].title = "Another"
    pipeline.nodes[name].id = "renamed"
    pipeline.nodes["renamed"] = pipeline.nodes.pop(name)
    pipeline.wires.append(Wire("a", "out", "b", "input"))
    pipeline.layout["renamed"] = (5.0, 5.0)
    pipeline.parameters.clear()
    pipeline.checkpoint["rows"] = 7
    pipeline.extra["new"] = 1

    assert dumps(taken) == before
