"""The document: every edit is one undo command, and undo leaves no trace."""

from __future__ import annotations

import pytest

from etl_studio.errors import PipelineError, UsageError
from etl_studio.pipeline import file_format
from etl_studio.pipeline.model import Group, NodeSpec, Note, Parameter, Pipeline, Wire
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.document import PipelineDocument

pytestmark = pytest.mark.window

FILE = """\
etl_studio: 1
name: books
nodes:
  read:  # the list
    type: csv_source
    config: {path: books.csv}
  keep:
    type: filter
    config: {where: price < 20}
wires:
  - read -> keep
"""


@pytest.fixture
def filled(document):
    """Csv -> filter -> sqlite."""
    document.add_node("csv_source", 0, 0)
    document.add_node("filter", 304, 0)
    document.add_node("sqlite_sink", 608, 0)
    document.connect_ports(Wire("csv", "out", "filter", "input"))
    document.connect_ports(Wire("filter", "out", "sqlite", "input"))
    return document


def test_a_new_node_is_named_after_its_type_without_the_ending(document):
    assert [document.add_node(kind, 0, 0) for kind in ("filter", "filter", "web_page_source", "sqlite_sink")] == [
        "filter", "filter_2", "web_page", "sqlite",
    ]  # fmt: skip


def test_each_edit_is_one_command_with_a_text_for_people(filled):
    filled.set_title("filter", "Cheap")
    filled.set_policy("filter", {"timeout": 5})
    filled.rename_node("filter", "cheap")
    filled.set_name("shop")
    filled.move({"csv": (8, 8), "cheap": (16, 16)})

    stack = filled.undo_stack
    assert [stack.text(index) for index in range(stack.count())] == [
        "Add csv", "Add filter", "Add sqlite", "Connect csv to filter", "Connect filter to sqlite",
        "Change title of filter", "Change policy of filter", "Rename filter to cheap",
        "Change name of the pipeline", "Move 2 nodes",
    ]  # fmt: skip


def test_an_edit_that_changes_nothing_is_no_command(filled):
    before = filled.undo_stack.count()

    filled.set_title("filter", "")
    filled.set_setting("filter", "where", None)
    filled.move({"csv": (0.0, 0.0)})
    filled.remove([], [])
    filled.set_policy("filter", {})

    assert filled.undo_stack.count() == before


def test_deleting_a_node_takes_its_wires_and_undo_brings_both_back_in_their_order(filled, hand):
    before = hand.snapshot(filled)

    filled.remove(["filter"])
    assert list(filled.pipeline.nodes) == ["csv", "sqlite"]
    assert filled.pipeline.wires == []
    filled.undo_stack.undo()

    assert hand.snapshot(filled) == before


def test_typing_in_one_field_is_one_edit_and_in_another_field_a_second(filled):
    before = filled.undo_stack.count()

    for end in range(1, 11):
        filled.set_setting("filter", "where", "price < 20"[:end])
    filled.set_setting("sqlite", "table", "t")

    assert filled.undo_stack.count() == before + 2
    filled.undo_stack.undo()
    filled.undo_stack.undo()
    assert filled.pipeline.nodes["filter"].config == {}


def test_a_setting_given_none_is_removed(filled):
    filled.set_setting("filter", "where", "a > 1")
    filled.undo_stack.setClean()
    filled.set_setting("filter", "where", None)

    assert filled.pipeline.nodes["filter"].config == {}
    filled.undo_stack.undo()
    assert filled.pipeline.nodes["filter"].config == {"where": "a > 1"}


def test_what_the_caller_does_to_a_value_later_does_not_reach_the_document(filled):
    urls = ["a"]
    filled.set_setting("csv", "path", urls)
    urls.append("b")

    assert filled.pipeline.nodes["csv"].config == {"path": ["a"]}


def test_renaming_keeps_wires_places_and_order(filled, hand):
    before = hand.snapshot(filled)

    filled.rename_node("filter", "cheap")
    assert list(filled.pipeline.nodes) == ["csv", "cheap", "sqlite"]
    assert [str(wire) for wire in filled.pipeline.wires] == ["csv.out -> cheap.input", "cheap.out -> sqlite.input"]
    assert filled.pipeline.layout["cheap"] == (304, 0)
    filled.undo_stack.undo()

    assert hand.snapshot(filled) == before


@pytest.mark.parametrize("name", ["csv", "a b", "1st", ""])
def test_a_name_that_is_taken_or_no_identifier_is_refused(filled, name):
    with pytest.raises(UsageError, match=r"Choose another name|Use letters"):
        filled.rename_node("filter", name)


def test_a_wire_that_closes_a_loop_is_refused_with_the_reason(filled):
    filled.add_node("filter", 0, 200)
    filled.connect_ports(Wire("filter", "rejects", "filter_2", "input"))
    before = filled.undo_stack.count()
    filled.remove(wires=[Wire("csv", "out", "filter", "input")])

    problem = filled.connect_ports(Wire("filter_2", "out", "filter", "input"))

    assert "loop" in problem.message
    assert filled.undo_stack.count() == before + 1


def test_paste_into_another_document_keeps_the_wires_between_what_was_copied(filled, registry):
    other = PipelineDocument(registry)
    other.add_node("filter", 0, 0)

    names = other.paste(filled.copy(["csv", "filter"]), 80, 160)

    assert names == ["csv", "filter_2"]
    assert other.pipeline.wires == [Wire("csv", "out", "filter_2", "input")]
    assert other.pipeline.layout["csv"] == (80, 160)
    other.undo_stack.undo()
    assert list(other.pipeline.nodes) == ["filter"]


def test_text_that_is_no_pipeline_pastes_nothing(filled):
    before = filled.undo_stack.count()

    assert filled.paste("dear sir: or madam", 0, 0) == []
    assert filled.paste("", 0, 0) == []
    assert filled.undo_stack.count() == before


def test_a_pipeline_that_nobody_has_named_is_called_as_the_file_that_it_is_saved_in(document, tmp_path):
    document.add_node("csv_source", 0, 0)
    with_signal = []
    document.pipeline_changed.connect(lambda: with_signal.append(document.pipeline.name))
    document.save(tmp_path / "mine.etl.yaml")

    assert document.pipeline.name == with_signal[-1] == "mine"
    assert not document.is_modified
    assert "name: mine" in (tmp_path / "mine.etl.yaml").read_text()
    document.save(tmp_path / "other.etl.yaml")
    assert document.pipeline.name == "mine"


def test_two_nodes_of_one_title_are_told_apart_by_their_ids(document):
    document.add_node("csv_source", 0, 0)
    document.add_node("csv_source", 0, 200)
    document.add_node("filter", 200, 0)
    document.set_title("filter", "Large orders")

    assert document.titles() == {"csv": "CSV file (csv)", "csv_2": "CSV file (csv_2)", "filter": "Large orders"}


def test_load_and_save_change_no_byte_and_a_saved_document_is_unmodified(document, tmp_path):
    path = tmp_path / "books.etl.yaml"
    path.write_text(FILE, encoding="utf-8")

    document.load(path)
    assert document.path == path
    assert not document.is_modified
    document.set_setting("keep", "where", "price < 10")
    assert document.is_modified
    document.undo_stack.undo()
    assert not document.is_modified
    document.set_title("keep", "Cheap")
    document.save()

    assert not document.is_modified
    assert "# the list" in path.read_text(encoding="utf-8")


def test_nodes_without_a_place_stand_in_columns_as_the_rows_flow(document, tmp_path):
    path = tmp_path / "books.etl.yaml"
    path.write_text(FILE, encoding="utf-8")

    document.load(path)

    assert document.pipeline.layout["read"][0] < document.pipeline.layout["keep"][0]
    assert not document.is_modified


def test_a_file_that_is_no_pipeline_leaves_the_open_one_alone(filled, tmp_path, hand):
    before = hand.snapshot(filled)
    path = tmp_path / "bad.yaml"
    path.write_text("- 1\n- 2\n", encoding="utf-8")

    with pytest.raises(PipelineError):
        filled.load(path)

    assert hand.snapshot(filled) == before
    assert filled.path is None


def test_saving_without_a_name_asks_for_one(document):
    with pytest.raises(UsageError, match="Choose a name"):
        document.save()


def test_problems_are_told_soon_after_a_change(document, qtbot):
    with qtbot.waitSignal(document.problems_changed, timeout=2000):
        document.add_node("csv_source", 0, 0)

    assert any(problem.node == "csv" and "path" in (problem.field or "") for problem in document.problems)


def test_a_macro_is_undone_at_once(filled, hand):
    before = hand.snapshot(filled)

    with filled.macro("Tidy up"):
        filled.set_title("csv", "Books")
        filled.remove(["sqlite"])
    filled.undo_stack.undo()

    assert hand.snapshot(filled) == before


def test_parameters_and_description_are_edits(document):
    document.set_parameters({"minimum": Parameter("minimum", "integer", 5)})
    document.set_description("Books under 20")

    assert document.pipeline.parameters["minimum"].default == 5
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.pipeline == Pipeline()


def test_an_unknown_type_is_kept_as_it_is(registry):
    pipeline = Pipeline(nodes={"x": NodeSpec("x", "made_elsewhere", {"a": 1}, extra={"b": 2})})
    document = PipelineDocument(registry, pipeline)

    document.move({"x": (8, 8)})

    assert document.pipeline.nodes["x"].extra == {"b": 2}


def test_it_becomes_another_version_in_one_step_and_tells_only_what_differs(filled, hand):
    before = hand.snapshot(filled)
    other = snapshot(filled.pipeline)
    del other.nodes["csv"], other.layout["csv"]
    other.wires = other.wires[1:]
    other.nodes["filter"].config["where"] = "new"
    other.nodes["web"], other.layout["web"] = NodeSpec("web", "web_page_source"), (0.0, 8.0)
    other.wires.append(Wire("web", "out", "filter", "input"))
    other.layout["sqlite"] = (700.0, 0.0)
    told = []
    for name in ("node_added", "node_removed", "node_changed", "node_moved", "wire_added", "wire_removed", "reset"):
        getattr(filled, name).connect(lambda *facts, name=name: told.append((name, str(*facts))))

    filled.become(other, "Restore the version of 10:42")

    assert told == [
        ("wire_removed", "csv.out -> filter.input"),
        ("node_removed", "csv"),
        ("node_changed", "filter"),
        ("node_added", "web"),
        ("node_moved", "sqlite"),
        ("wire_added", "web.out -> filter.input"),
    ]
    assert filled.undo_stack.undoText() == "Restore the version of 10:42"
    after = hand.snapshot(filled)
    filled.undo_stack.undo()
    assert hand.snapshot(filled) == before
    filled.undo_stack.redo()
    assert hand.snapshot(filled) == after


def test_groups_notes_and_bends_of_another_version_come_with_it(filled, hand):
    filled.group(["csv"], "Old")
    filled.add_note((0, -200, 200, 100), "old")
    before = hand.snapshot(filled)
    other = snapshot(filled.pipeline)
    other.groups = {"new": Group("new", "New", ["filter"])}
    other.notes = {"note": Note("note", "new"), "more": Note("more")}
    other.layout |= {"note": (8.0, 8.0, 200.0, 100.0), "more": (0.0, 0.0, 90.0, 90.0)}
    other.bends = {other.wires[0]: ((1.0, 2.0),)}
    told = []
    for name in ("group_added", "group_removed", "note_added", "note_changed", "note_moved", "wire_bent", "node_moved"):
        getattr(filled, name).connect(lambda *facts, name=name: told.append((name, str(*facts))))

    filled.become(other, "Restore")

    assert told == [
        ("note_moved", "note"),
        ("note_changed", "note"),
        ("note_added", "more"),
        ("wire_bent", "csv.out -> filter.input"),
        ("group_removed", "group"),
        ("group_added", "new"),
    ]
    after = hand.snapshot(filled)
    filled.undo_stack.undo()
    assert hand.snapshot(filled) == before
    filled.undo_stack.redo()
    assert hand.snapshot(filled) == after


def test_comments_of_another_version_come_with_it_and_go_with_undo(document, tmp_path):
    path = tmp_path / "books.yaml"
    path.write_text(FILE)
    document.load(path)
    text = FILE.replace("# the list", "# another list").replace("price < 20", "price < 30")
    document.become(file_format.loads(text, registry=document.registry), "Restore")
    document.save()
    assert path.read_text().splitlines()[: len(text.splitlines())] == text.splitlines()
    document.undo_stack.undo()
    document.save()
    assert path.read_text().splitlines()[: len(FILE.splitlines())] == FILE.splitlines()


def test_a_reload_leaves_it_unmodified_and_undo_brings_back_what_was_there(document, tmp_path):
    path = tmp_path / "books.yaml"
    path.write_text(FILE)
    document.load(path)
    text = FILE.replace("price < 20", "price < 30")
    document.reload(file_format.loads(text, registry=document.registry))
    assert not document.is_modified
    assert (document.saved_text, document.pipeline.nodes["keep"].config["where"]) == (text, "price < 30")
    document.undo_stack.undo()
    assert document.is_modified
    assert (document.saved_text, document.pipeline.nodes["keep"].config["where"]) == (text, "price < 20")


def test_a_file_of_a_newer_version_shows_what_can_be_understood_and_takes_no_edit(document, tmp_path):
    path = tmp_path / "books.yaml"
    text = FILE.replace("etl_studio: 1", "etl_studio: 2") + "  - {from: read, to: keep}\nlayout: {keep: here}\n"
    path.write_text(text)
    document.load(path)
    assert document.is_read_only
    assert list(document.pipeline.nodes) == ["read", "keep"]
    assert document.pipeline.wires == [Wire("read", "out", "keep", "input")]

    refused = []
    document.undo_stack.refused.connect(lambda: refused.append(1))
    document.add_node("filter", 0, 0)
    document.remove(["keep"])
    document.set_setting("keep", "where", "price < 30")
    with document.macro("Several"):
        document.set_title("keep", "Cheap")
    assert len(refused) == 4
    assert not document.is_modified
    assert document.pipeline.nodes["keep"].config == {"where": "price < 20"}
    with pytest.raises(UsageError, match="made by a newer ETL Studio"):
        document.save(tmp_path / "copy.yaml")
    assert path.read_text() == text
    document.check_now()
    assert [problem.message for problem in document.problems] == [
        "The file was made by a newer ETL Studio (format 2): it can be looked at and not run.",
    ]

    document.new()
    assert not document.is_read_only
    assert document.add_node("filter", 0, 0) in document.pipeline.nodes


@pytest.fixture
def rich(filled):
    """A group, a note and a bend around the three nodes."""
    filled.group(["csv", "filter"], "Clean")
    filled.add_note((0, -200, 200, 100), "**Why**")
    filled.bend(filled.pipeline.wires[0], ((250.0, 100.0),))
    return filled


def test_a_renamed_node_stays_in_its_group_and_its_wires_keep_their_bends(rich, hand):
    before = hand.snapshot(rich)

    rich.rename_node("filter", "cheap")
    assert rich.pipeline.groups["group"].nodes == ["csv", "cheap"]
    assert rich.pipeline.bends == {Wire("csv", "out", "cheap", "input"): ((250.0, 100.0),)}
    rich.undo_stack.undo()

    assert hand.snapshot(rich) == before


def test_a_removed_node_leaves_its_group_and_undo_brings_all_back(rich, hand):
    before = hand.snapshot(rich)

    rich.remove(["filter"], notes=["note"])
    assert rich.pipeline.groups["group"].nodes == ["csv"]
    assert (rich.pipeline.bends, rich.pipeline.notes) == ({}, {})
    rich.remove(["csv"])
    assert rich.pipeline.groups == {}
    rich.undo_stack.undo()
    rich.undo_stack.undo()

    assert hand.snapshot(rich) == before


def test_nodes_that_move_together_take_the_bends_between_them_along(rich, hand):
    before = hand.snapshot(rich)

    rich.move({"csv": (8, 16), "filter": (312, 16)})
    assert list(rich.pipeline.bends.values()) == [((258.0, 116.0),)]
    rich.move({"csv": (0, 0)})
    assert list(rich.pipeline.bends.values()) == [((258.0, 116.0),)]
    rich.undo_stack.undo()
    rich.undo_stack.undo()

    assert hand.snapshot(rich) == before


def test_a_note_that_is_moved_keeps_its_size(rich):
    rich.move({"note": (16, 24)})
    assert rich.pipeline.layout["note"] == (16, 24, 200, 100)


def test_a_node_is_in_one_group_at_most(rich):
    rich.group(["filter", "sqlite"], "Other")
    assert {group.title: group.nodes for group in rich.pipeline.groups.values()} == {
        "Clean": ["csv"],
        "Other": ["filter", "sqlite"],
    }
    rich.ungroup(["group", "group_2"])
    assert rich.pipeline.groups == {}


def test_what_is_pasted_brings_notes_groups_and_bends(rich):
    names = rich.paste(rich.copy(["csv", "filter", "note"]), 1000, 1000)

    assert names == ["csv_2", "filter_2", "note_2"]
    assert rich.pipeline.layout["note_2"] == (1000, 1000, 200, 100)
    assert rich.pipeline.bends[Wire("csv_2", "out", "filter_2", "input")] == ((1250.0, 1300.0),)
    assert rich.pipeline.groups["group_2"].nodes == ["csv_2", "filter_2"]


def test_a_branch_is_disabled_at_once(rich):
    rich.set_disabled(["filter"], disabled=True, behind=True)
    assert [spec.disabled for spec in rich.pipeline.nodes.values()] == [False, True, True]
    rich.undo_stack.undo()
    assert not any(spec.disabled for spec in rich.pipeline.nodes.values())


def test_a_note_and_a_node_never_share_a_name(rich):
    with pytest.raises(UsageError, match='There is a note called "note" already'):
        rich.rename_node("csv", "note")


def test_notes_of_a_file_written_by_hand_get_a_place(registry):
    document = PipelineDocument(registry, Pipeline(notes={"a": Note("a"), "b": Note("b")}))
    first, second = document.pipeline.layout["a"], document.pipeline.layout["b"]
    assert first[0] + first[2] < second[0]
