"""What the search offers first behind a node."""

from __future__ import annotations

from etl_studio.app.catalogue import built_in_types
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.ui.follow_ups import AFTER_GROUP, AFTER_TYPE, following, preceding
from etl_studio.ui.node_search import GROUPS, search

TYPES = {node.type: node for node in built_in_types()}


def order(rank, query=""):
    return [node.type for node in search(query, TYPES.values(), rank)]


def test_the_table_names_types_and_groups_that_exist():
    assert set(AFTER_TYPE) <= set(TYPES)
    assert {name for names in AFTER_TYPE.values() for name in names} <= set(TYPES)
    assert set(AFTER_GROUP) <= set(GROUPS)
    assert all(TYPES[name].inputs for names in AFTER_TYPE.values() for name in names)


def test_every_type_that_gives_rows_has_something_that_follows_it():
    giving = [node for node in TYPES.values() if any(port.name != "rejects" for port in node.outputs)]

    assert {node.group for node in giving} <= set(AFTER_GROUP)
    assert all(following(node, Pipeline())(TYPES["sqlite_sink"]) < 0 for node in giving)


def test_the_table_decides_in_a_new_pipeline():
    assert order(following(TYPES["web_page_source"], Pipeline()))[:3] == ["derive", "validate", "deduplicate"]


def test_what_follows_in_this_pipeline_already_comes_first():
    pipeline = Pipeline(
        nodes={"a": NodeSpec("a", "csv_source"), "b": NodeSpec("b", "csv_sink")},
        wires=[Wire("a", "out", "b", "input")],
    )

    assert order(following(TYPES["csv_source"], pipeline))[:2] == ["csv_sink", "filter"]


def test_the_wires_of_rejects_tell_nothing():
    pipeline = Pipeline(
        nodes={"a": NodeSpec("a", "csv_source"), "b": NodeSpec("b", "csv_sink")},
        wires=[Wire("a", "rejects", "b", "input")],
    )

    assert order(following(TYPES["csv_source"], pipeline))[0] == "filter"


def test_before_a_node_the_table_is_read_the_other_way_round():
    assert order(preceding(TYPES["sequence"], Pipeline()))[0] == "sort"


def test_what_is_typed_counts_more_than_what_usually_follows():
    assert order(following(TYPES["csv_source"], Pipeline()), "sort")[0] == "sort"
