"""Nodes become a sub-pipeline, and a sub-pipeline becomes nodes again."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from etl_studio.app.catalogue import full_registry
from etl_studio.errors import UsageError
from etl_studio.pipeline.extracting import extract, why_not_extract
from etl_studio.pipeline.file_format import dumps, loads
from etl_studio.pipeline.inlining import inline
from etl_studio.pipeline.interfaces import interface_of
from etl_studio.pipeline.model import Group, Note, Parameter, Pipeline, Wire
from etl_studio.pipeline.rules import check
from tests.pipeline.random_pipelines import pipelines

REGISTRY = full_registry()
SHOP = """\
etl_studio: 1
name: shop
parameters:
  least: {type: integer, default: 5, description: What counts.}
  other: {type: text, default: x}
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  more: {type: csv_source, config: {path: more.csv}}
  keep: {type: filter, config: {where: "quantity >= ${least}"}, policy: {on_error: reject}}
  mark: {type: derive, title: Marks, config: {columns: {label: "'${other}'"}}}
  both: {type: join, config: {how: left, on: [id]}}
  save: {type: csv_sink, config: {path: out.csv}}
  bad: {type: csv_sink, config: {path: bad.csv}}
wires:
  - read -> keep
  - keep -> mark
  - mark -> both.left
  - more -> both.right
  - both -> save
  - keep.rejects -> bad
layout: {read: [0, 0], more: [0, 100], keep: [300, 0], mark: [600, 0], both: [900, 0], save: [1200, 0], bad: [600, 200]}
"""


@pytest.fixture
def shop():
    return loads(SHOP, registry=REGISTRY)


def taken(pipeline, *nodes, **options):
    return extract(pipeline, REGISTRY, nodes, **({"name": "tidy up", "file": "tidy.yaml"} | options))


def errors(pipeline, interfaces=None):
    return [str(one) for one in check(pipeline, REGISTRY, interfaces=interfaces) if one.severity == "error"]


def test_the_wires_that_cross_the_border_become_ports(shop):
    found = taken(shop, "keep", "mark")

    assert found.node == "tidy_up"
    assert list(found.inner.nodes) == ["keep", "mark", "input", "mark_2", "keep_rejects"]
    assert interface_of(found.inner).inputs == {"input": "input"}
    assert interface_of(found.inner).outputs == {"mark": "mark_2", "keep_rejects": "keep_rejects"}
    assert [str(wire) for wire in found.outer.wires] == [
        "read.out -> tidy_up.input",
        "tidy_up.mark -> both.left",
        "more.out -> both.right",
        "both.out -> save.input",
        "tidy_up.keep_rejects -> bad.input",
    ]
    assert errors(found.inner) == []
    assert errors(found.outer, {"tidy.yaml": interface_of(found.inner)}) == []


def test_parameters_that_are_used_go_along_and_are_handed_on(shop):
    found = taken(shop, "keep")

    assert found.inner.parameters == {"least": shop.parameters["least"]}
    assert found.outer.nodes["tidy_up"].config == {"file": "tidy.yaml", "parameters": {"least": "${least}"}}
    assert found.outer.parameters == shop.parameters


def test_settings_policies_and_titles_go_along(shop):
    found = taken(shop, "keep", "mark")

    assert found.inner.nodes["keep"] == shop.nodes["keep"]
    assert found.inner.nodes["mark"] == shop.nodes["mark"]
    assert found.inner.nodes["keep"] is not shop.nodes["keep"]


def test_the_document_itself_stays_as_it_is(shop):
    taken(shop, "keep", "mark")

    assert shop == loads(SHOP, registry=REGISTRY)


def test_paths_lead_to_the_same_files_from_another_folder(shop):
    found = taken(shop, "read", "keep", file="parts/tidy.yaml", way_back="..")
    assert found.inner.nodes["read"].config == {"path": "../orders.csv"}

    back = inline(found.outer, REGISTRY, found.node, found.inner, way="parts")
    assert back.outer.nodes["read"].config == {"path": "orders.csv"}


def test_groups_and_notes_inside_go_along_and_the_node_takes_the_place_of_members(shop):
    shop.groups = {
        "inside": Group("inside", "Inside", ["keep", "mark"]),
        "part": Group("part", "Part", ["both", "save"]),
    }
    shop.notes = {"why": Note("why", "Because.")}
    shop.layout["why"] = (300.0, 100.0, 200.0, 80.0)
    found = taken(shop, "keep", "mark", "both", "why")

    assert found.inner.groups == {"inside": shop.groups["inside"]}
    assert found.inner.notes == shop.notes
    assert found.outer.groups["part"].nodes == ["save", "tidy_up"]
    assert "why" not in found.outer.layout
    assert found.inner.layout["why"] == (300.0, 100.0, 200.0, 80.0)


def test_bends_of_wires_inside_go_along(shop):
    shop.bends = {shop.wires[1]: ((450.0, 50.0),), shop.wires[0]: ((150.0, 50.0),)}
    found = taken(shop, "keep", "mark")

    assert found.inner.bends == {shop.wires[1]: ((450.0, 50.0),)}
    assert found.outer.bends == {}


def test_nodes_with_another_one_between_them_are_refused(shop):
    assert why_not_extract(shop, ["keep", "both"]).what == (
        "mark lies between the selected nodes: rows would leave the sub-pipeline and come back."
    )
    with pytest.raises(UsageError, match="mark lies between"):
        taken(shop, "keep", "both")


def test_nothing_and_the_ends_of_the_pipeline_itself_are_refused(shop):
    assert why_not_extract(shop, []).what == "No node is selected."
    found = taken(shop, "keep", "mark")
    assert why_not_extract(found.inner, ["input", "keep"]).what == "input is an input of this pipeline itself."


def test_a_whole_pipeline_becomes_a_node_without_ports(shop):
    found = taken(shop, *shop.nodes)

    assert list(found.outer.nodes) == ["tidy_up"]
    assert found.outer.wires == []
    assert found.inner.nodes == shop.nodes


# -- and back -------------------------------------------------------------------------------------------------


def test_a_constant_is_put_into_the_settings_with_its_type(shop):
    found = taken(shop, "keep", "mark")
    found.outer.nodes["tidy_up"].config["parameters"] = {"least": 7, "other": "it's ${least}"}
    back = inline(found.outer, REGISTRY, "tidy_up", found.inner).outer

    assert back.nodes["keep"].config == {"where": "quantity >= 7"}
    assert back.nodes["mark"].config == {"columns": {"label": "'it''s ${least}'"}}


def test_a_default_is_put_in_where_nothing_is_given(shop):
    found = taken(shop, "keep", "mark")
    found.outer.nodes["tidy_up"].config.pop("parameters")
    back = inline(found.outer, REGISTRY, "tidy_up", found.inner).outer

    assert back.nodes["keep"].config == {"where": "quantity >= 5"}


def test_ids_that_are_taken_get_a_number(shop):
    found = taken(shop, "keep", "mark")
    found.outer.nodes["keep"] = shop.nodes["bad"]
    back = inline(found.outer, REGISTRY, "tidy_up", found.inner)

    assert back.nodes == {"keep": "keep_2", "mark": "mark"}
    assert Wire("keep_2", "out", "mark", "input") in back.outer.wires


def test_a_port_that_several_wires_reach_becomes_a_union(shop):
    found = taken(shop, "keep", "mark")
    found.outer.wires.append(Wire("more", "out", "tidy_up", "input"))
    back = inline(found.outer, REGISTRY, "tidy_up", found.inner).outer

    assert back.nodes["union"].type == "union"
    assert {wire.source for wire in back.wires if wire.target == "union"} == {"read", "more"}
    assert Wire("union", "out", "keep", "input") in back.wires
    assert errors(back) == []


def test_rows_that_pass_straight_through_a_file_keep_their_way(shop):
    inner = loads(
        "etl_studio: 1\nnodes:\n  a: {type: pipeline_input}\n  z: {type: pipeline_output}\nwires: [a -> z]\n",
        registry=REGISTRY,
    )
    found = taken(shop, "mark")
    back = inline(found.outer, REGISTRY, "tidy_up", inner).outer

    assert Wire("keep", "out", "both", "left") in back.wires


def test_a_value_that_is_missing_is_told(shop):
    found = taken(shop, "keep")
    found.outer.nodes["tidy_up"].config.pop("parameters")
    found.inner.parameters["least"] = Parameter("least", "integer")

    with pytest.raises(UsageError, match='The file needs a value for its parameter "least"'):
        inline(found.outer, REGISTRY, "tidy_up", found.inner)


def same(pipeline: Pipeline):
    """What a pipeline does, whatever the order of its parts and its layout."""
    return (pipeline.nodes, set(pipeline.wires), pipeline.parameters)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_extracted_and_put_back_a_pipeline_is_the_same(data):
    pipeline = data.draw(pipelines())
    chosen = data.draw(st.sets(st.sampled_from(list(pipeline.nodes)), min_size=1))
    assume(why_not_extract(pipeline, chosen) is None)

    found = extract(pipeline, REGISTRY, chosen, name="part", file="part.yaml")
    assert errors(found.inner) == []
    assert errors(found.outer, {"part.yaml": interface_of(found.inner)}) == []
    inner = loads(dumps(found.inner, REGISTRY), registry=REGISTRY)
    back = inline(found.outer, REGISTRY, found.node, inner).outer

    assert same(back) == same(pipeline)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_nodes_are_refused_only_where_the_rest_would_feed_itself(data):
    pipeline = data.draw(pipelines())
    chosen = data.draw(st.sets(st.sampled_from(list(pipeline.nodes)), min_size=1))
    following = {}
    for wire in pipeline.wires:
        following.setdefault(wire.source, set()).add(wire.target)

    def behind(nodes):
        found, pending = set(), list(nodes)
        while pending:
            for after in following.get(pending.pop(), ()):
                if after not in found:
                    found.add(after)
                    pending.append(after)
        return found

    outside = behind(chosen) - chosen
    assert (why_not_extract(pipeline, chosen) is not None) == any(behind([node]) & chosen for node in outside)
