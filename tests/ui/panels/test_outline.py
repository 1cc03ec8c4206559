"""The outline is the pipeline in words, and selects what the canvas selects."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.engine.events import NodeChanged, NodeState
from etl_studio.pipeline.model import NodeSpec, Pipeline, Wire
from etl_studio.ui.panels.outline import READ_ON, SPOKEN, OutlinePanel, flow_order


def wire(source, target, out="out", into="input"):
    return Wire(source, out, target, into)


@pytest.fixture
def outline(document, theme, qtbot):
    """Two files joined, the rows without a mistake stored; one node has a title."""
    read = document.add_node("csv_source", 0, 0, {"path": "orders.csv"})
    pages = document.add_node("web_page_source", 0, 200, {"urls": ["http://shop.example"], "fields": {"a": "b"}})
    join = document.add_node("join", 300, 100)
    check = document.add_node("validate", 600, 100)
    save = document.add_node("sqlite_sink", 900, 100)
    document.set_title(read, "Orders")
    for one in (
        wire(read, join, into="left"), wire(pages, join, into="right"), wire(join, check), wire(check, save),
    ):  # fmt: skip
        assert document.connect_ports(one) is None
    panel = OutlinePanel(document, theme)
    qtbot.addWidget(panel)
    panel.resize(240, 500)
    panel.show()
    document.check_now()
    return panel


def titles(panel):
    return [panel.tree.topLevelItem(row).text(0) for row in range(panel.tree.topLevelItemCount())]


def item(panel, title):
    return panel.tree.topLevelItem(titles(panel).index(title))


def test_nodes_come_in_the_order_of_the_rows(outline):
    assert titles(outline) == ["Orders", "Web page", "Join", "Validate", "SQLite table"]


def test_an_item_says_title_type_and_problems_and_where_its_rows_come_from(outline):
    assert item(outline, "Orders").data(0, SPOKEN) == "Orders, CSV file"
    assert item(outline, "SQLite table").data(0, SPOKEN) == "SQLite table, 1 problem"
    assert item(outline, "Join").data(0, READ_ON) == "Id join. Gets rows from Orders, Web page"
    assert item(outline, "Orders").data(0, READ_ON) == "Id csv. Gets rows from no node"


def test_wires_are_below_the_node_that_they_leave(outline):
    assert item(outline, "Orders").child(0).text(0) == "to Join, left"
    assert item(outline, "Orders").child(0).data(0, SPOKEN) == "wire to Join, left"
    assert item(outline, "SQLite table").childCount() == 0


def test_it_follows_every_edit_and_its_undo(outline, document, qtbot):
    sort = document.add_node("filter", 1200, 100)
    assert document.connect_ports(wire("validate", sort, "rejects")) is None
    qtbot.waitUntil(lambda: "Filter" in titles(outline))
    assert [item(outline, "Validate").child(row).text(0) for row in range(2)] == [
        "to SQLite table", "rejects to Filter",
    ]  # fmt: skip

    document.set_title("csv", "Sales")
    assert "Sales" in titles(outline)
    document.rename_node("csv", "sales")
    qtbot.waitUntil(lambda: item(outline, "Sales").data(0, READ_ON).startswith("Id sales"))

    while document.undo_stack.canUndo():
        document.undo_stack.undo()
    qtbot.waitUntil(lambda: titles(outline) == [])
    assert outline.notice.isVisible()
    assert "Add a node to the canvas" in outline.notice.text.text()


def test_it_tells_what_a_node_is_doing_in_the_run(outline):
    outline.show_state(NodeChanged("r", 0.0, "csv", NodeState.RETRYING, "waits 2 s"))
    assert item(outline, "Orders").data(0, SPOKEN) == "Orders, CSV file, retrying"
    assert "waits 2 s" in item(outline, "Orders").data(0, READ_ON)

    outline.clear_run()
    assert item(outline, "Orders").data(0, SPOKEN) == "Orders, CSV file"


def test_what_is_selected_on_the_canvas_is_selected_here_without_an_echo(outline, qtbot):
    with qtbot.assertNotEmitted(outline.chosen):
        outline.show_selection(["join", "csv"])
        outline.show_selection([], [wire("join", "validate")])

    assert [one.text(0) for one in outline.tree.selectedItems()] == ["to Validate"]


def test_clicks_select_nodes_and_wires(outline, qtbot):
    def click(one, keys=Qt.KeyboardModifier.NoModifier):
        place = outline.tree.visualItemRect(one).center()
        with qtbot.waitSignal(outline.chosen) as chosen:
            QTest.mouseClick(outline.tree.viewport(), Qt.MouseButton.LeftButton, keys, place)
        return chosen.args

    assert click(item(outline, "Join")) == [["join"], []]
    assert click(item(outline, "Validate"), Qt.KeyboardModifier.ControlModifier) == [["join", "validate"], []]
    assert click(item(outline, "Join").child(0)) == [[], [wire("join", "validate")]]


def test_arrows_go_down_letters_find_and_return_opens(outline, qtbot):
    outline.tree.setFocus()
    outline.tree.setCurrentItem(outline.tree.topLevelItem(0))
    QTest.keyClick(outline.tree, Qt.Key.Key_Down)
    QTest.keyClick(outline.tree, Qt.Key.Key_Down)
    assert outline.tree.currentItem().text(0) == "Web page"
    QTest.keyClicks(outline.tree, "val")
    assert outline.tree.currentItem().text(0) == "Validate"

    with qtbot.waitSignal(outline.node_opened) as opened:
        QTest.keyClick(outline.tree, Qt.Key.Key_Return)
    assert opened.args == ["validate"]


def test_while_it_is_hidden_nothing_is_built(outline, document):
    outline.hide()
    document.add_node("filter", 0, 0)
    assert "Filter" not in titles(outline)

    outline.show()
    assert "Filter" in titles(outline)


def test_a_loop_is_listed_as_it_stands():
    nodes = {name: NodeSpec(name, "filter") for name in ("b", "a")}
    pipeline = Pipeline(nodes=nodes, wires=[wire("a", "b"), wire("b", "a")], layout={"a": (0, 0), "b": (300, 0)})

    assert flow_order(pipeline) == ["a", "b"]
