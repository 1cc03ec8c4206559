"""What joins the neighbours of nodes that go."""

from __future__ import annotations

from etl_studio.pipeline.bridging import bridges
from etl_studio.pipeline.model import Pipeline, Wire


def piped(*wires: str) -> Pipeline:
    """A pipeline of wires alone, each as ``a.out b.input``."""
    found = [Wire(*text.replace(" ", ".").split(".")) for text in wires]
    return Pipeline(wires=found)


def test_a_node_between_two_others_is_bridged():
    assert bridges(piped("a.out b.input", "b.out c.input"), ["b"]) == [Wire("a", "out", "c", "input")]


def test_a_chain_is_bridged_from_before_its_first_to_behind_its_last():
    pipeline = piped("a.rejects b.input", "b.out c.input", "c.out d.left")

    assert bridges(pipeline, ["b", "c"]) == [Wire("a", "rejects", "d", "left")]


def test_each_way_out_is_joined_with_each_way_in_in_the_order_of_the_file():
    pipeline = piped("a.out join.left", "b.out join.right", "join.out c.input", "join.out d.input")

    assert bridges(pipeline, ["join"]) == [
        Wire("a", "out", "c", "input"), Wire("b", "out", "c", "input"),
        Wire("a", "out", "d", "input"), Wire("b", "out", "d", "input"),
    ]  # fmt: skip


def test_what_a_node_rejects_is_joined_with_nothing():
    assert bridges(piped("a.out b.input", "b.rejects bad.input"), ["b"]) == []
    assert bridges(piped("a.out b.input", "b.rejects c.input", "c.out d.input"), ["b", "c"]) == []


def test_a_loop_of_nodes_that_go_ends():
    pipeline = piped("a.out b.input", "b.out c.input", "c.out b.input", "c.out d.input")

    assert bridges(pipeline, ["b", "c"]) == [Wire("a", "out", "d", "input")]


def test_a_source_or_a_sink_leaves_nothing_to_join():
    assert bridges(piped("a.out b.input"), ["a"]) == []
    assert bridges(piped("a.out b.input"), ["b"]) == []
