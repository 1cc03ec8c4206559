"""Copy and paste of nodes."""

from __future__ import annotations

import pytest

from etl_studio.errors import PipelineError
from etl_studio.pipeline.clipboard import copy_text, paste
from etl_studio.pipeline.model import Group, NodeSpec, Note, Pipeline, Wire


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
    pasted = paste(Pipeline(), copy_text(document, ["keep", "read", "gone"], registry), registry)
    assert pasted.nodes == [document.nodes["read"], document.nodes["keep"]]
    assert pasted.wires == [Wire("read", "out", "keep", "input")]
    assert pasted.layout == {"read": (0.0, 30.0), "keep": (200.0, 0.0)}


def test_pasted_nodes_get_fresh_names_and_their_wires_follow(document, registry):
    text = copy_text(document, ["keep", "save"], registry)
    pasted = paste(document, text, registry)
    assert [node.id for node in pasted.nodes] == ["keep_2", "save_2"]
    assert pasted.wires == [Wire("keep_2", "rejects", "save_2", "input")]
    assert set(pasted.layout) == {"keep_2", "save_2"}
    assert list(document.nodes) == ["read", "keep", "save"]


def test_notes_bends_and_whole_groups_are_copied_under_fresh_names(document, registry):
    wire = document.wires[0]
    document.notes["why"] = Note("why", "**Because**", "blue")
    document.layout["why"] = (100.0, 0.0, 200.0, 90.0)
    document.bends[wire] = ((200.0, 70.0),)
    document.groups["first"] = Group("first", "First", ["read", "keep"], collapsed=True)
    document.groups["last"] = Group("last", "Last", ["save"])
    document.nodes["keep"].disabled = True

    pasted = paste(document, copy_text(document, ["read", "keep", "why"], registry), registry)

    assert pasted.notes == [Note("why_2", "**Because**", "blue")]
    assert pasted.layout["why_2"] == (0.0, 0.0, 200.0, 90.0)
    assert pasted.bends == {Wire("read_2", "out", "keep_2", "input"): ((100.0, 70.0),)}
    assert pasted.groups == [Group("first_2", "First", ["read_2", "keep_2"], collapsed=True)]
    assert [node.disabled for node in pasted.nodes] == [False, True]


def test_a_part_of_a_group_is_copied_without_the_group(document, registry):
    document.groups["first"] = Group("first", "First", ["read", "keep"])
    assert paste(document, copy_text(document, ["read"], registry), registry).groups == []


def test_a_text_that_is_no_pipeline_is_refused(document, registry):
    with pytest.raises(PipelineError, match="a text where a pipeline was expected"):
        paste(document, "hello", registry)
