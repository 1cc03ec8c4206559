"""Copy and paste of nodes."""

from __future__ import annotations

import pytest

from etl_studio.errors import PipelineError
from etl_studio.pipeline.clipboard import copy_text, paste
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire


@pytest.fixture
def document():
    return Pipeline(
        name="p",
        nodes={
            "read": NodeSpec("read", "numbers_source", {"path": "a"}),
            "keep": NodeSpec("keep", "keep", {"where": "n > 1\nAND m"}, {"timeout": 5}, "Mine", {"colour": "red"}),
            "save": NodeSpec("save", "table_sink"),
        },
        wires=[Wire("read", "out", "keep", "input"), Wire("keep", "rejects", "save", "input")],
        layout={"read": (100.0, 50.0), "keep": (300.0, 20.0), "save": (500.0, 0.0)},
    )


def test_a_copy_holds_nodes_the_wires_between_them_and_places_from_the_top_left(document, registry):
    nodes, wires, layout = paste(Pipeline(), copy_text(document, ["keep", "read", "gone"], registry), registry)
    assert nodes == [document.nodes["read"], document.nodes["keep"]]
    assert wires == [Wire("read", "out", "keep", "input")]
    assert layout == {"read": (0.0, 30.0), "keep": (200.0, 0.0)}


def test_pasted_nodes_get_fresh_names_and_their_wires_follow(document, registry):
    text = copy_text(document, ["keep", "save"], registry)
    nodes, wires, layout = paste(document, text, registry)
    assert [node.id for node in nodes] == ["keep_2", "save_2"]
    assert wires == [Wire("keep_2", "rejects", "save_2", "input")]
    assert set(layout) == {"keep_2", "save_2"}
    assert list(document.nodes) == ["read", "keep", "save"]


def test_a_text_that_is_no_pipeline_is_refused(document, registry):
    with pytest.raises(PipelineError, match="a text where a pipeline was expected"):
        paste(document, "hello", registry)
