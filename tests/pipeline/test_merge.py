"""Merging two versions of a pipeline."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given

from etl_studio.pipeline.conflict_marks import marked_text
from etl_studio.pipeline.diff import ABSENT, diff
from etl_studio.pipeline.file_format import UNTITLED, dumps, loads
from etl_studio.pipeline.merge import Conflict, merge
from etl_studio.pipeline.model import Pipeline
from etl_studio.pipeline.sequence_merge import merge_sequence
from tests.pipeline.test_file_properties import pipelines, quick

ORDERS = """\
# What we sell
etl_studio: 1
name: orders
parameters:
  minimum: {type: integer, default: 5}
nodes:
  # reads the file
  read:
    type: numbers_source
    config: {path: orders.csv, limit: 10}   # a sample
  keep:
    type: keep
    config: {where: "n > 5"}
    policy: {retry: {attempts: 3}}
  sum:
    type: query
    config:
      query: |
        SELECT
          a,
          b,
          c
        FROM input
  save:
    type: table_sink
    config:
      table: orders
      key: [a, b, c, d]
wires:
  - read -> keep
  - keep -> sum.input
  - sum -> save
layout:
  read: [0, 0]
  keep: [200, 0]
"""


@pytest.fixture
def sides(registry):
    """``sides(ours, theirs)`` merges two versions that are made from the text by replacing; gives result and text."""

    def make(ours, theirs):
        texts = [ORDERS]
        for changes in (ours, theirs):
            text = ORDERS
            for old, new in changes.items():
                assert old in text
                text = text.replace(old, new)
            texts.append(text)
        base, mine, other = (loads(text, name=UNTITLED, registry=registry) for text in texts)
        merged = merge(base, mine, other, registry)
        text = marked_text(merged, registry)
        assert loads(text, name=UNTITLED, registry=registry) == merged.pipeline
        return merged, text

    return make


def test_settings_of_one_node_on_one_line_do_not_conflict(sides):
    merged, text = sides({"orders.csv, limit": "new.csv, limit"}, {"limit: 10": "limit: 20"})
    assert merged.conflicts == ()
    assert merged.pipeline.nodes["read"].config == {"path": "new.csv", "limit": 20}
    assert text == ORDERS.replace("orders.csv, limit: 10", "new.csv, limit: 20")


def test_comments_of_both_sides_are_kept(sides):
    merged, text = sides(
        {"  # reads the file\n": "  # reads the file of the day\n"},
        {"  save:\n": "  # where it ends\n  save:\n", "attempts: 3": "attempts: 4"},
    )
    assert merged.conflicts == ()
    assert "  # reads the file of the day\n  read:\n" in text
    assert "  # where it ends\n  save:\n" in text
    assert "  # a sample\n" in text
    assert "attempts: 4" in text


def test_one_setting_changed_on_both_sides_is_a_conflict_with_three_values_and_ours_is_kept(sides):
    merged, text = sides({"n > 5": "n > 6"}, {"n > 5": "n > 7", "attempts: 3": "attempts: 9"})
    assert merged.conflicts == (Conflict(("nodes", "keep", "config", "where"), "n > 5", "n > 6", "n > 7"),)
    assert merged.conflicts[0].place == "keep, config.where"
    assert merged.pipeline.nodes["keep"].config == {"where": "n > 6"}
    assert merged.pipeline.nodes["keep"].policy == {"retry": {"attempts": 9}}
    assert (
        "    # CONFLICT keep, config.where: both sides changed it; ours is kept.\n"
        "    #   base:   n > 5\n"
        "    #   ours:   n > 6\n"
        "    #   theirs: n > 7\n"
        '    config: {where: "n > 6"}\n'
    ) in text


def test_the_same_change_on_both_sides_is_no_conflict(sides):
    merged, text = sides({"n > 5": "n > 6"}, {"n > 5": "n > 6"})
    assert merged.conflicts == ()
    assert text == ORDERS.replace("n > 5", "n > 6")


def test_nodes_added_on_both_sides_are_both_there(sides):
    ours, theirs = (
        {
            "wires:\n": f"  {name}:\n    type: table_sink\n    config: {{table: {name}}}\nwires:\n",
            "  - sum -> save\n": f"  - sum -> save\n  - keep.rejects -> {name}\n",
        }
        for name in ("bad", "worse")
    )
    merged, _ = sides(ours, theirs)
    assert merged.conflicts == ()
    assert list(merged.pipeline.nodes) == ["read", "keep", "sum", "save", "worse", "bad"]
    assert [str(wire) for wire in merged.pipeline.wires[3:]] == [
        "keep.rejects -> bad.input",
        "keep.rejects -> worse.input",
    ]


def test_different_nodes_under_one_id_are_both_kept_and_told(sides):
    ours = {"wires:\n": "  new:\n    type: table_sink\n    config: {table: bad}\nwires:\n  - keep.rejects -> new\n"}
    theirs = {"wires:\n": "  new:\n    type: keep\n    config: {where: a}\nwires:\n  - keep.rejects -> new\n"}
    merged, _ = sides(ours, theirs)
    assert merged.pipeline.nodes["new"].type == "table_sink"
    assert merged.pipeline.nodes["new_2"].type == "keep"
    assert {str(wire) for wire in merged.pipeline.wires} >= {"keep.rejects -> new.input", "keep.rejects -> new_2.input"}
    assert merged.conflicts == (Conflict(("nodes", "new_2", "id"), ABSENT, "new", "new"),)


def test_a_renamed_node_takes_the_changes_that_the_other_side_made(sides):
    merged, _ = sides(
        {"  keep:": "  big:", "-> keep": "-> big", "keep ->": "big ->"},
        {"n > 5": "n > 6", "- read -> keep": "- read -> keep\n  - keep.rejects -> save"},
    )
    assert merged.conflicts == ()
    assert list(merged.pipeline.nodes) == ["read", "big", "sum", "save"]
    assert merged.pipeline.nodes["big"].config == {"where": "n > 6"}
    assert "big.rejects -> save.input" in [str(wire) for wire in merged.pipeline.wires]
    assert merged.pipeline.layout["big"] == (200, 0)


def test_a_node_renamed_on_both_sides_is_a_conflict(sides):
    ours, theirs = ({"  keep:": f"  {name}:", "-> keep": f"-> {name}", "keep ->": f"{name} ->"} for name in "xy")
    merged, _ = sides(ours, theirs)
    assert list(merged.pipeline.nodes) == ["read", "x", "sum", "save"]
    assert merged.conflicts == (Conflict(("nodes", "x", "id"), "keep", "x", "y"),)


def test_a_new_node_with_the_id_that_the_other_side_gave_to_an_old_one_gets_a_free_one(sides):
    ours = {"  keep:": "  big:", "-> keep": "-> big", "keep ->": "big ->"}
    theirs = {"wires:\n": "  big:\n    type: table_sink\n    config: {table: t}\nwires:\n  - keep.rejects -> big\n"}
    for merged, renamed, added in ((sides(ours, theirs)[0], "big", "big_2"), (sides(theirs, ours)[0], "big_2", "big")):
        assert merged.pipeline.nodes[renamed].type == "keep"
        assert merged.pipeline.nodes[added].type == "table_sink"
        assert f"{renamed}.rejects -> {added}.input" in [str(wire) for wire in merged.pipeline.wires]
        assert [conflict.path for conflict in merged.conflicts] == [("nodes", "big_2", "id")]


REMOVED = {
    "  sum:\n    type: query\n    config:\n      query: |\n        SELECT\n          a,\n          b,\n          c\n"
    "        FROM input\n": "",
    "  - keep -> sum.input\n  - sum -> save\n": "  - keep -> save\n",
}


def test_a_node_that_one_side_removed_is_removed(sides):
    merged, text = sides(REMOVED, {"n > 5": "n > 6"})
    assert merged.conflicts == ()
    assert "sum" not in text


def test_a_node_removed_here_and_changed_there_is_a_conflict_either_way(sides):
    changed = {"          b,\n": ""}
    merged, _ = sides(REMOVED, changed)
    (conflict,) = merged.conflicts
    assert (conflict.path, conflict.ours) == (("nodes", "sum"), ABSENT)
    assert "sum" not in merged.pipeline.nodes
    merged, _ = sides(changed, REMOVED)
    (conflict,) = merged.conflicts
    assert (conflict.path, conflict.theirs) == (("nodes", "sum"), ABSENT)
    assert "keep.out -> sum.input" in [str(wire) for wire in merged.pipeline.wires]


def test_a_wire_to_a_node_that_the_other_side_removed_is_a_conflict(sides):
    merged, text = sides(REMOVED, {"  - sum -> save\n": "  - sum -> save\n  - read.rejects -> sum.other\n"})
    assert merged.conflicts == (Conflict(("wires",), ABSENT, ABSENT, "read.rejects -> sum.other"),)
    assert "# CONFLICT wires: " in text


def test_moved_nodes_never_conflict(sides):
    merged, _ = sides({"keep: [200, 0]": "keep: [1, 1]"}, {"keep: [200, 0]": "keep: [2, 2]", "[0, 0]": "[3, 3]"})
    assert merged.conflicts == ()
    assert merged.pipeline.layout == {"read": (3, 3), "keep": (1, 1)}


def test_notes_that_both_sides_added_under_one_id_are_both_there_with_their_places(sides):
    ours, theirs = (
        {"layout:\n": f"notes:\n  note: {{text: {text}}}\nlayout:\n  note: [{x}, 0, 200, 90]\n"}
        for text, x in (("mine", 10), ("other", 20))
    )
    merged, _ = sides(ours, theirs)
    assert merged.conflicts == ()
    assert {key: note.text for key, note in merged.pipeline.notes.items()} == {"note": "mine", "note_2": "other"}
    assert merged.pipeline.layout["note"] == (10, 0, 200, 90)
    assert merged.pipeline.layout["note_2"] == (20, 0, 200, 90)


def test_a_node_takes_the_id_that_a_note_of_the_other_side_has(sides):
    ours = {"layout:\n": "notes:\n  new: {text: mine}\nlayout:\n"}
    theirs = {"wires:\n": "  new:\n    type: table_sink\n    config: {table: new}\nwires:\n"}
    merged, _ = sides(ours, theirs)
    assert merged.conflicts == ()
    assert "new" in merged.pipeline.nodes
    assert [note.text for note in merged.pipeline.notes.values()] == ["mine"]


def test_a_node_that_both_sides_grouped_differently_is_a_conflict_and_stays_in_our_group(sides):
    ours, theirs = (
        {"layout:\n": f"groups:\n  {name}: {{nodes: [read, {other}]}}\nlayout:\n"}
        for name, other in (("mine", "keep"), ("yours", "sum"))
    )
    merged, _ = sides(ours, theirs)
    assert merged.conflicts == (Conflict(("nodes", "read", "group"), ABSENT, "mine", "yours"),)
    assert {key: group.nodes for key, group in merged.pipeline.groups.items()} == {
        "mine": ["read", "keep"],
        "yours": ["sum"],
    }


def test_a_node_that_one_side_moved_to_another_group_is_there(registry):
    groups = "groups: {one: {nodes: [read, keep]}, two: {nodes: [sum]}}\nlayout:\n"
    text = ORDERS.replace("layout:\n", groups)
    base = loads(text, name=UNTITLED, registry=registry)
    moved = loads(
        text.replace("[read, keep]", "[read]").replace("[sum]", "[sum, keep]"), name=UNTITLED, registry=registry
    )
    for merged in (merge(base, base, moved, registry), merge(base, moved, base, registry)):
        assert merged.conflicts == ()
        assert merged.pipeline == moved


def test_a_group_follows_a_node_renamed_there_and_loses_one_removed_there(sides):
    ours = {"layout:\n": "groups:\n  all: {nodes: [read, keep, sum]}\nlayout:\n"}
    theirs = {
        "  keep:\n    type": "  big:\n    type",
        "read -> keep": "read -> big",
        "keep -> sum.input": "big -> save",
        "  - sum -> save\n": "",
        "  keep: [200, 0]": "  big: [200, 0]",
        ORDERS[ORDERS.index("  sum:\n") : ORDERS.index("  save:\n")]: "",
    }
    merged, _ = sides(ours, theirs)
    assert merged.pipeline.groups["all"].nodes == ["read", "big"]


def test_a_disabled_node_takes_the_settings_of_the_other_side(sides):
    merged, _ = sides({"    type: keep\n": "    type: keep\n    disabled: true\n"}, {"n > 5": "n > 7"})
    assert merged.conflicts == ()
    assert merged.pipeline.nodes["keep"].disabled
    assert merged.pipeline.nodes["keep"].config == {"where": "n > 7"}


def test_bends_of_both_sides_never_conflict(sides):
    merged, _ = sides(
        {"layout:\n": "bends: {read -> keep: [[1, 2]]}\nlayout:\n"},
        {"layout:\n": "bends: {read -> keep: [[3, 4]], sum -> save: [[5, 6]]}\nlayout:\n"},
    )
    assert merged.conflicts == ()
    assert {str(wire): points for wire, points in merged.pipeline.bends.items()} == {
        "read.out -> keep.input": ((1, 2),),
        "sum.out -> save.input": ((5, 6),),
    }


def test_a_query_and_a_list_are_merged_where_different_parts_of_them_changed(sides):
    merged, _ = sides(
        {"          a,\n": "          x,\n", "[a, b,": "[x, b,"}, {"          c\n": "          z\n", "c, d]": "c, z]"}
    )
    assert merged.conflicts == ()
    assert merged.pipeline.nodes["sum"].config["query"] == "SELECT\n  x,\n  b,\n  z\nFROM input\n"
    assert merged.pipeline.nodes["save"].config["key"] == ["x", "b", "c", "z"]


def test_a_list_changed_at_one_place_on_both_sides_is_a_conflict(sides):
    merged, text = sides({"[a, b,": "[a, x,"}, {"[a, b,": "[a, z,"})
    assert [conflict.place for conflict in merged.conflicts] == ["save, config.key"]
    assert "#   theirs: [a, z, c, d]\n" in text


def test_a_mark_never_breaks_a_text_that_goes_on_over_lines(registry):
    text = "etl_studio: 1\nnodes: {n: {type: t, config: {a: long\n   text, b: %s}}}\n"
    sides = [loads(text % number, name=UNTITLED, registry=registry) for number in (1, 2, 3)]
    merged = merge(*sides, registry)
    marked = marked_text(merged, registry)
    assert marked.startswith("# CONFLICT n, config.b")
    assert loads(marked, name=UNTITLED, registry=registry).nodes["n"].config == {"a": "long text", "b": 2}


def test_windows_line_ends_are_kept(registry):
    text = ORDERS.replace("\n", "\r\n")
    base, ours, theirs = (
        loads(text.replace("n > 5", where), name=UNTITLED, registry=registry) for where in ("n > 5", "n > 6", "n > 7")
    )
    marked = marked_text(merge(base, ours, theirs, registry), registry)
    assert marked.count("\n") == marked.count("\r\n") == text.count("\n") + 4


@pytest.mark.parametrize(
    ("ours", "theirs", "merged", "clashes"),
    [
        ("abc", "abc", "abc", 0),
        ("xbc", "aby", "xby", 0),
        ("abc1", "0abc", "0abc1", 0),
        ("axc", "ayc", "axc", 1),
        ("ac", "abc", "ac", 0),
        ("ac", "axc", "ac", 1),
        ("axbc", "axbc", "axbc", 0),
        ("", "abc", "", 0),
        ("", "abx", "", 1),
    ],
)
def test_sequences_are_merged_as_diff3_does(ours, theirs, merged, clashes):
    found, count = merge_sequence("abc", ours, theirs)
    assert ("".join(found), count) == (merged, clashes)


def read(pipeline, registry):
    return loads(dumps(pipeline, registry), name=UNTITLED, registry=registry)


def like(pipeline, seed):
    """Versions of a pipeline, as edits make them: parts of another one in it."""
    changed = deepcopy(pipeline)
    changed.nodes = {**pipeline.nodes, **seed.nodes}
    changed.wires = [*seed.wires, *pipeline.wires[1:]]
    changed.layout = {**pipeline.layout, **seed.layout}
    changed.parameters = {**seed.parameters}
    changed.extra = {**pipeline.extra, **seed.extra}
    changed.bends = {wire: points for wire, points in {**pipeline.bends, **seed.bends}.items() if wire in changed.wires}
    changed.groups = {**pipeline.groups, **seed.groups}
    changed.notes = {key: note for key, note in {**pipeline.notes, **seed.notes}.items() if key not in changed.nodes}
    changed.layout = {
        key: place for key, place in changed.layout.items() if (len(place) == 4) == (key in changed.notes)
    }  # fmt: skip
    changed.source = None
    return changed


@quick
@given(pipelines(), pipelines(), pipelines())
def test_what_one_side_alone_changed_is_what_comes_out(registry, base, other, seed):
    base = read(base, registry)
    for side in (read(other, registry), read(like(base, seed), registry)):
        for merged in (
            merge(base, side, base, registry),
            merge(base, base, side, registry),
            merge(base, side, side, registry),
        ):
            assert merged.conflicts == ()
            assert merged.pipeline == side
            assert loads(marked_text(merged, registry), name=UNTITLED, registry=registry) == side
        assert marked_text(merge(base, side, base, registry), registry) == side.source.text


@quick
@given(pipelines(), pipelines(), pipelines())
def test_any_merge_can_be_read_and_without_conflicts_it_is_the_same_from_both_sides(registry, base, one, two):
    base = read(base, registry)
    sides = [read(like(base, seed), registry) for seed in (one, two)]
    merged, turned = merge(base, *sides, registry), merge(base, *sides[::-1], registry)
    for found in (merged, turned):
        assert loads(marked_text(found, registry), name=UNTITLED, registry=registry) == found.pipeline
    assert bool(merged.conflicts) == bool(turned.conflicts)
    if not merged.conflicts:
        merged.pipeline.wires.sort()
        turned.pipeline.wires.sort()
        # Notes and groups that got one id by chance have another one on each side.
        texts = [sorted(note.text for note in found.pipeline.notes.values()) for found in (merged, turned)]
        assert texts[0] == texts[1]
        plain = [replace(found.pipeline, notes={}, groups={}) for found in (merged, turned)]
        assert diff(*plain).is_empty


@quick
@given(pipelines(), pipelines())
def test_without_a_common_beginning_both_are_merged(registry, one, two):
    merged = merge(Pipeline(UNTITLED), read(one, registry), read(two, registry), registry)
    assert merged.pipeline.nodes.keys() >= one.nodes.keys()
    assert len(merged.pipeline.nodes) >= len(two.nodes)
    assert loads(marked_text(merged, registry), name=UNTITLED, registry=registry) == merged.pipeline
