"""What changed between two versions of a pipeline."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given

from etl_studio.pipeline.diff import ABSENT, Change, Entry, diff
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.model import Group, NodeSpec, Note, Parameter, Wire
from tests.pipeline.test_file_properties import pipelines, quick

ORDERS = """\
etl_studio: 1
name: orders
parameters:
  minimum: {type: integer, default: 5}
nodes:
  read:
    type: numbers_source
    config: {path: orders.csv}
  keep:
    type: keep
    config: {where: "quantity >= ${minimum}"}
    policy: {retry: {attempts: 3}}
  save:
    type: table_sink
    config: {table: orders, key: [id]}
wires:
  - read -> keep
  - keep -> save
layout:
  read: [0, 0]
  keep: [200, 0]
"""


@pytest.fixture
def before(registry):
    return loads(ORDERS, registry=registry)


@pytest.fixture
def after(before):
    return deepcopy(before)


def test_two_equal_pipelines_have_no_difference(before, after):
    assert diff(before, after).is_empty


def test_a_changed_setting_is_told_by_its_path_with_both_values(before, after):
    after.nodes["keep"].config["where"] = "quantity > 1"
    after.nodes["keep"].policy["retry"]["attempts"] = 5
    after.nodes["save"].config["write_disposition"] = "merge"
    del after.nodes["save"].config["key"]

    assert diff(before, after).nodes == (
        Entry(
            "changed",
            "keep",
            "keep",
            (
                Change(("config", "where"), "quantity >= ${minimum}", "quantity > 1"),
                Change(("policy", "retry", "attempts"), 3, 5),
            ),
            "keep",
        ),
        Entry(
            "changed",
            "save",
            "table_sink",
            (
                Change(("config", "key"), ["id"], ABSENT),
                Change(("config", "write_disposition"), ABSENT, "merge"),
            ),
            "save",
        ),
    )


def test_a_number_is_not_the_boolean_that_equals_it(before, after):
    before.nodes["keep"].config["x"], after.nodes["keep"].config["x"] = 1, True
    assert diff(before, after).nodes[0].changes == (Change(("config", "x"), 1, True),)


def test_a_rule_of_a_list_is_told_alone(before, after):
    before.nodes["keep"].config["rules"] = [{"column": "a", "rule": "unique"}, {"column": "b", "rule": "unique"}]
    after.nodes["keep"].config["rules"] = [{"column": "a", "rule": "unique"}, {"column": "b", "rule": "not_null"}]
    assert diff(before, after).nodes[0].changes == (Change(("config", "rules", "1", "rule"), "unique", "not_null"),)


def test_a_new_node_and_its_wires_are_told_with_all_settings(before, after):
    after.nodes["bad"] = NodeSpec("bad", "table_sink", {"table": "bad"})
    after.wires.append(Wire("keep", "rejects", "bad", "input"))
    found = diff(before, after)
    assert found.nodes == (Entry("added", "bad", "table_sink", (Change(("config", "table"), ABSENT, "bad"),)),)
    assert found.wires_added == (Wire("keep", "rejects", "bad", "input"),)
    back = diff(after, before)
    assert [entry.kind for entry in back.nodes] == ["removed"]
    assert back.wires_removed == found.wires_added


def rename(pipeline, old, new):
    pipeline.nodes = {
        new if key == old else key: replace(node, id=new) if key == old else node
        for key, node in pipeline.nodes.items()
    }
    names = {old: new}
    pipeline.wires = [
        replace(wire, source=names.get(wire.source, wire.source), target=names.get(wire.target, wire.target))
        for wire in pipeline.wires
    ]
    pipeline.layout = {names.get(key, key): place for key, place in pipeline.layout.items()}


def test_a_node_with_another_id_is_renamed_and_its_wires_are_what_they_were(before, after):
    rename(after, "keep", "big_ones")
    found = diff(before, after)
    assert found.nodes == (Entry("renamed", "big_ones", "keep", (), "keep"),)
    assert not found.wires_changed
    assert not found.moved


def test_a_renamed_node_with_another_setting_is_still_the_same_node(before, after):
    rename(after, "keep", "big_ones")
    after.nodes["big_ones"].config["where"] = "quantity > 1"
    (entry,) = diff(before, after).nodes
    assert (entry.kind, entry.old_id) == ("renamed", "keep")
    assert [change.path for change in entry.changes] == [("config", "where")]


def test_all_nodes_may_be_renamed_at_once(before, after):
    for old in list(before.nodes):
        rename(after, old, f"{old}_it")
    assert [(entry.kind, entry.old_id) for entry in diff(before, after).nodes] == [
        ("renamed", "read"),
        ("renamed", "keep"),
        ("renamed", "save"),
    ]


def test_another_node_of_the_same_type_is_not_a_renamed_one(before, after):
    del after.nodes["keep"]
    after.nodes["other"] = NodeSpec("other", "keep", {"where": "x"})
    after.wires = [Wire("read", "out", "save", "input"), Wire("read", "rejects", "other", "input")]
    assert [(entry.kind, entry.id) for entry in diff(before, after).nodes] == [("added", "other"), ("removed", "keep")]


def test_a_moved_node_is_told_apart_and_is_no_difference(before, after):
    after.layout["keep"] = (300.0, 8.0)
    found = diff(before, after)
    assert found.is_empty
    assert found.moved == {"keep": ((200.0, 0.0), (300.0, 8.0))}


def test_groups_notes_and_disabled_nodes_are_told(before, after):
    before.groups["first"] = Group("first", "First", ["read", "keep"])
    before.notes["why"] = Note("why", "Because")
    after.groups["first"] = Group("first", "Begin", ["read"])
    after.notes["new"] = Note("new", "Today", "blue")
    after.nodes["save"].disabled = True
    found = diff(before, after)
    assert not found.is_empty
    assert found.nodes == (Entry("changed", "save", "table_sink", (Change(("disabled",), ABSENT, True),), "save"),)
    assert found.groups == (
        Entry(
            "changed",
            "first",
            "",
            (Change(("title",), "First", "Begin"), Change(("nodes",), ["read", "keep"], ["read"])),
            "first",
        ),
    )
    assert [(entry.kind, entry.id) for entry in found.notes] == [("added", "new"), ("removed", "why")]


def test_a_group_of_a_renamed_node_is_what_it_was(before, after):
    before.groups["first"] = Group("first", "First", ["keep"])
    after.groups["first"] = Group("first", "First", ["big"])
    after.nodes = {
        "read": after.nodes["read"],
        "big": replace(after.nodes["keep"], id="big"),
        "save": after.nodes["save"],
    }
    after.wires = [Wire("read", "out", "big", "input"), Wire("big", "out", "save", "input")]
    after.bends = {after.wires[0]: ((1.0, 2.0),)}
    before.bends = {before.wires[0]: ((1.0, 2.0),)}
    found = diff(before, after)
    assert (found.groups, found.bent) == ((), ())


def test_bends_places_of_notes_and_collapsed_groups_are_no_difference(before, after):
    for side in (before, after):
        side.notes["why"] = Note("why", "Because")
        side.groups["first"] = Group("first", "First", ["read"])
    before.layout["why"], after.layout["why"] = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 20.0, 10.0)
    after.groups["first"] = Group("first", "First", ["read"], collapsed=True)
    after.bends[after.wires[0]] = ((1.0, 2.0),)
    found = diff(before, after)
    assert found.is_empty
    assert list(found.moved) == ["why"]
    assert (found.folded, found.bent) == (("first",), (after.wires[0],))


def test_parameters_description_checkpoint_and_unknown_keys_are_told(before, after):
    after.parameters["minimum"].default = 6
    after.parameters["shop"] = Parameter("shop")
    after.description = "What we sell"
    after.checkpoint = {"rows": 100}
    after.extra = {"notes": {"a": "b"}}
    found = diff(before, after)
    assert found.parameters == (
        Entry("changed", "minimum", "integer", (Change(("default",), 5, 6),), "minimum"),
        Entry("added", "shop", "text"),
    )
    assert [change.path for change in found.pipeline] == [
        ("description",),
        ("checkpoint", "rows"),
        ("notes", "a"),
    ]


def test_wires_in_another_order_are_a_difference(before, after):
    after.wires.reverse()
    found = diff(before, after)
    assert found.wires_reordered
    assert not found.is_empty


@quick
@given(pipelines(), pipelines())
def test_a_difference_is_empty_only_between_equal_pipelines_and_turns_around(before, after):
    found, back = diff(before, after), diff(after, before)
    assert found.is_empty == back.is_empty
    before.layout, before.bends = after.layout, after.bends
    for name, group in before.groups.items():
        group.collapsed = after.groups[name].collapsed if name in after.groups else group.collapsed
    assert diff(before, after).is_empty == (before == after)
    assert sorted(found.wires_added) == sorted(back.wires_removed) or any(e.kind == "renamed" for e in found.nodes)
    assert diff(before, before).is_empty
