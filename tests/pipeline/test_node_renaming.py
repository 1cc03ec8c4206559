"""What mentions a node beside its wires."""

from __future__ import annotations

from etl_studio.pipeline.file_format import loads
from etl_studio.pipeline.node_renaming import rename_node
from etl_studio.pipeline.renaming import apply

PIPELINE = """\
etl_studio: 1
nodes:
  read: {type: csv_source, config: {path: keep.csv}}
  keep: {type: filter, config: {where: kind = 'keep'}}
  check: {type: validate, config: {rules: [{column: qty, rule: range, min: 0}]}}
  all: {type: union}
  mine: {type: filter, config: {where: "_node = 'keep' OR _node IN ('check', 'keep')"}}
  other: {type: filter, config: {where: kind = 'keep'}}
notes:
  why: {text: "What `keep` does; the file is keep.csv."}
  sure: {text: "See `keep`."}
  not: {text: "For keepers, keep-alive and upkeep."}
wires:
  - read -> keep
  - keep -> check
  - keep.rejects -> all.input
  - check.rejects -> all.input
  - all -> mine
  - check -> other
"""


def test_comparisons_with_the_node_of_a_reject_follow_where_its_rejects_come_and_texts_of_others_stay():
    found = rename_node(loads(PIPELINE), "keep", "many")
    changes = [(one.node, one.path, one.after) for one in found.changes if one.section == "config"]
    assert changes == [("mine", ("where",), "_node = 'many' OR _node IN ('check', 'many')")]


def test_notes_follow_by_whole_words_and_are_sure_only_in_code():
    found = [one for one in rename_node(loads(PIPELINE), "keep", "many").changes if one.section == "note"]
    assert [(one.node, one.is_sure) for one in found] == [("why", False), ("sure", True)]
    after = apply(loads(PIPELINE), rename_node(loads(PIPELINE), "keep", "many"))
    assert after.notes["sure"].text == "See `many`."
    assert after.notes["not"].text == "For keepers, keep-alive and upkeep."


def test_nothing_is_listed_for_a_node_that_only_wires_name():
    assert rename_node(loads(PIPELINE), "other", "rest").changes == []
