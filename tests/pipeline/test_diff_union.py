"""Two versions as one, and what differs in words."""

from __future__ import annotations

import pytest

from etl_studio.pipeline.diff import diff
from etl_studio.pipeline.diff_union import union
from etl_studio.pipeline.diff_words import summary
from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.model import Wire

BEFORE = """\
etl_studio: 1
name: shop
nodes:
  read: {type: csv_source, config: {path: a.csv}}
  keep: {type: filter, config: {where: a > 1}}
  sort: {type: sort, config: {by: [a]}}
  save: {type: sqlite_sink, config: {table: t}}
wires:
  - read -> keep
  - keep -> sort
  - sort -> save
layout:
  read: [0, 0]
  keep: [300, 0]
  sort: [600, 0]
  save: [900, 0]
"""


def versions(*replaced):
    text = BEFORE
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    return loads(BEFORE), loads(text)


REMOVED = (
    ("  sort: {type: sort, config: {by: [a]}}\n", ""),
    ("  - keep -> sort\n  - sort -> save\n", "  - keep -> save\n"),
    ("  sort: [600, 0]\n", ""),
)


def test_what_was_removed_stands_where_it_was_with_its_wires():
    both = union(*versions(*REMOVED))
    assert list(both.pipeline.nodes) == ["read", "keep", "save", "sort"]
    assert both.pipeline.layout["sort"] == (600.0, 0.0)
    assert both.nodes == {"sort": "removed"}
    assert both.wires == {
        Wire("keep", "out", "sort", "input"): "removed",
        Wire("sort", "out", "save", "input"): "removed",
        Wire("keep", "out", "save", "input"): "added",
    }
    assert set(both.wires) < set(both.pipeline.wires)
    assert [(one.kind, one.what, one.title) for one in both.differences] == [
        ("removed", "node", "sort"),
        ("added", "wire", "keep → save"),
        ("removed", "wire", "keep → sort"),
        ("removed", "wire", "sort → save"),
    ]


def test_a_renamed_node_is_one_node_under_another_id():
    both = union(*versions(("  keep:", "  cheap:"), ("-> keep", "-> cheap"), ("keep ->", "cheap ->")))
    assert (both.nodes, both.wires) == ({"cheap": "changed"}, {})
    (renamed,) = both.differences
    assert (renamed.title, renamed.node, renamed.lines) == ("keep → cheap", "cheap", (("", "id: keep -> cheap"),))


def test_settings_are_told_before_and_after_and_a_moved_node_apart():
    both = union(*versions(("a > 1", "a > 2"), ("read: [0, 0]", "read: [0, 50]"), ("name: shop", "name: shops")))
    assert both.nodes == {"keep": "changed", "read": "moved"}
    assert [(one.what, one.title, one.node, one.lines) for one in both.differences] == [
        ("pipeline", "name", "", (("", "name: shop -> shops"),)),
        ("node", "keep", "keep", (("", "config.where: a > 1 -> a > 2"),)),
        ("node", "read", "read", (("", "0, 0 -> 0, 50"),)),
    ]


def test_neither_version_is_changed():
    before, after = versions(*REMOVED)
    union(before, after)
    assert (before, after) == versions(*REMOVED)


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ((), "no change in what it does"),
        ((("a > 1", "a > 2"),), "keep changed"),
        (REMOVED, "sort removed, 1 wire added, 2 wires removed"),
        ((("a > 1", "a > 2"), ("a.csv", "b.csv")), "2 nodes changed"),
        ((("read: [0, 0]", "read: [0, 50]"),), "only moved 1 node"),
        ((("name: shop\n", "name: shop\ndescription: All of it\n"),), "description of the pipeline changed"),
    ],
)
def test_a_difference_in_one_line(replaced, words):
    assert summary(diff(*versions(*replaced))) == words


def test_groups_and_notes_are_told_and_what_a_collapsed_group_hides_is_seen():
    before, after = versions(("wires:", "groups:\n  both: {title: Both, nodes: [keep, sort], collapsed: true}\nwires:"))
    both = union(before, after)
    assert not both.pipeline.groups["both"].collapsed
    assert after.groups["both"].collapsed
    assert [(one.kind, one.what, one.title) for one in both.differences] == [("added", "group", "both")]
    assert summary(both.found) == "1 group changed"
