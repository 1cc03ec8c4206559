"""The automatic layout: columns as the rows flow, nothing on top of another, few wires that cross."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.ui.arrange import CARD, COLUMN, arranged


def piped(*links: str, alone: str = "") -> Pipeline:
    """Nodes of one letter: ``"ab"`` is a wire from a to b."""
    names = dict.fromkeys("".join(links) + alone)
    nodes = {name: NodeSpec(name, "filter") for name in names}
    return Pipeline(nodes=nodes, wires=[Wire(a, "out", b, "input") for a, b in links])


def crossings(pipeline, places):
    """Pairs of wires between the same two columns that cross."""
    ends = [(places[wire.source], places[wire.target]) for wire in pipeline.wires]
    return sum(
        (s[0], t[0]) == (u[0], v[0]) and (s[1] - u[1]) * (t[1] - v[1]) < 0 for (s, t), (u, v) in combinations(ends, 2)
    )


def overlapping(places, heights=None):
    tall = heights or {}
    return [
        (a, b)
        for a, b in combinations(places, 2)
        if places[a][0] == places[b][0]
        and places[a][1] < places[b][1] + tall.get(b, CARD)
        and places[b][1] < places[a][1] + tall.get(a, CARD)
    ]


def test_a_chain_is_a_straight_line():
    assert arranged(piped("ab", "bc")) == {"a": (0, 0), "b": (COLUMN, 0), "c": (2 * COLUMN, 0)}


def test_branches_stand_around_the_node_that_they_leave():
    places = arranged(piped("ab", "ac", "ad", "be", "ce", "de"))

    assert places["a"][1] == places["c"][1] == places["e"][1]
    assert places["b"][1] < places["c"][1] < places["d"][1]


def test_wires_that_need_not_cross_do_not():
    crossed = piped("ax", "by", "cz", "xr", "yq", "zp", "ae", "be")

    assert crossings(crossed, arranged(crossed)) == 0


def test_a_wire_over_several_columns_passes_beside_the_cards_between():
    places = arranged(piped("ab", "bc", "cd", "ad"))

    between = [places[name][1] for name in "bc"]
    straight = [places["a"][1] + (places["d"][1] - places["a"][1]) * part / 3 for part in (1, 2)]
    assert all(abs(y - line) >= 8 for y, line in zip(between, straight, strict=True))


def test_a_source_stands_just_before_the_node_that_it_feeds():
    assert arranged(piped("ab", "bc", "cd", "xd"))["x"][0] == 2 * COLUMN


def test_parts_that_no_wire_joins_stand_below_each_other():
    places = arranged(piped("ab", "xy", alone="o"))

    assert places["b"][1] < places["x"][1] == places["y"][1] < places["o"][1]
    assert not overlapping(places)


def test_a_loop_in_a_file_written_by_hand_is_laid_out_all_the_same():
    assert set(arranged(piped("ab", "bc", "ca", "aa"))) == set("abc")


def test_higher_cards_get_more_room():
    heights = {"b": 200.0}
    places = arranged(piped("ab", "ac", "ad"), heights=heights)

    assert not overlapping(places, heights)


def test_of_some_nodes_only_these_get_places():
    assert arranged(piped("ab", "bc", "cd"), ["b", "d"]) == {"b": (0, 0), "d": (0, CARD + 48)}


LETTERS = st.sampled_from("abcdefghij")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(LETTERS, LETTERS).map("".join), max_size=30), st.dictionaries(LETTERS, st.floats(64, 300)))
def test_whatever_the_wires_no_two_cards_overlap_and_every_node_has_a_place(links, heights):
    pipeline = piped(*links, alone="k")

    places = arranged(pipeline, heights=heights)

    assert set(places) == set(pipeline.nodes)
    assert not overlapping(places, heights)
    assert min(x for x, _ in places.values()) == 0
