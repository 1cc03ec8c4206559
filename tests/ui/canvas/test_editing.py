"""Edits of a canvas with nodes on it: wires that take nodes, deleting and joining, other types, order."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from etl_studio.pipeline.model import Wire
from etl_studio.ui.canvas.items.sprites import CARD_WIDTH

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
NO_KEY, CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
Key = Qt.Key


@pytest.fixture
def chain(document):
    """A line of csv -> filter -> validate -> sqlite, with what validate refuses going nowhere."""
    for number, node_type in enumerate(["csv_source", "filter", "validate", "sqlite_sink"]):
        document.add_node(node_type, 304 * number, 80)
    for source, target in (("csv", "filter"), ("filter", "validate"), ("validate", "sqlite")):
        document.connect_ports(Wire(source, "out", target, "input"))
    return document


@pytest.fixture
def pair(document):
    """A wire csv -> sqlite with room between, and a filter below that is not wired."""
    document.add_node("csv_source", 0, 80)
    document.add_node("sqlite_sink", 608, 80)
    document.add_node("filter", 304, 400)
    document.connect_ports(Wire("csv", "out", "sqlite", "input"))
    return document


def menu_texts(view, node):
    """The context menu of a node: its actions by text."""
    menu = view.menu_for(view.pipeline_scene.hit(view.editing.card(node).center()), QPointF())
    return menu, {action.text().split("\t")[0]: action for action in menu.actions()}


def middle_of_wire(view, wire):
    return view.mapFromScene(view.pipeline_scene.wires[wire].path().pointAtPercent(0.5))


# -- a node dropped on a wire


def test_a_node_dropped_on_a_wire_is_put_into_it_and_one_undo_takes_it_out(pair, view, hand):
    before, count = hand.snapshot(pair), pair.undo_stack.count()
    wire = pair.pipeline.wires[0]

    hand.press_and_move(view, hand.card(view, "filter"), middle_of_wire(view, wire))
    assert view.pipeline_scene.wires[wire].pen().widthF() > 2, "the wire does not show that it takes the node"
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, middle_of_wire(view, wire))

    assert pair.pipeline.wires == [Wire("csv", "out", "filter", "input"), Wire("filter", "out", "sqlite", "input")]
    assert pair.undo_stack.count() == count + 1
    assert pair.undo_stack.undoText() == "Insert Filter"
    assert abs(pair.pipeline.layout["filter"][1] - 80) <= 8
    pair.undo_stack.undo()
    assert hand.snapshot(pair) == before


def test_a_node_that_has_wires_is_only_moved_over_another_wire(pair, view, hand):
    pair.add_node("csv_source", 0, 400)
    pair.connect_ports(Wire("csv_2", "out", "filter", "input"))
    wires = list(pair.pipeline.wires)

    hand.drag(view, hand.card(view, "filter"), middle_of_wire(view, wires[0]))

    assert pair.pipeline.wires == wires


def test_a_node_without_an_output_is_only_moved_over_a_wire(pair, view, hand):
    pair.add_node("sqlite_sink", 304, 500)
    wires = list(pair.pipeline.wires)

    hand.drag(view, hand.card(view, "sqlite_2"), middle_of_wire(view, wires[0]))

    assert pair.pipeline.wires == wires
    assert pair.undo_stack.undoText() == "Move 1 node"


def test_escape_over_a_wire_leaves_no_trace(pair, view, hand):
    before, count, wire = hand.snapshot(pair), pair.undo_stack.count(), pair.pipeline.wires[0]

    hand.press_and_move(view, hand.card(view, "filter"), middle_of_wire(view, wire))
    QTest.keyClick(view, Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, middle_of_wire(view, wire))

    assert (hand.snapshot(pair), pair.undo_stack.count()) == (before, count)
    assert view.pipeline_scene.wires[wire].pen().widthF() < 2
    assert view.guides.lines == []


# -- delete and reconnect


def test_delete_and_reconnect_joins_what_was_before_with_what_was_behind(chain, view, hand):
    before, count = hand.snapshot(chain), chain.undo_stack.count()
    view.pipeline_scene.choose(["filter", "validate"])

    QTest.keyClick(view, Key.Key_Delete, CTRL)

    assert list(chain.pipeline.nodes) == ["csv", "sqlite"]
    assert chain.pipeline.wires == [Wire("csv", "out", "sqlite", "input")]
    assert chain.undo_stack.count() == count + 1
    assert chain.undo_stack.undoText() == "Delete 2 nodes and reconnect"
    chain.undo_stack.undo()
    assert hand.snapshot(chain) == before


def test_only_the_first_of_two_feeders_reaches_an_input_that_takes_one(document, view):
    for node_type, x in (("csv_source", 0), ("csv_source", 0), ("join", 300), ("sqlite_sink", 600)):
        document.add_node(node_type, x, 80)
    for wire in (("csv", "out", "join", "left"), ("csv_2", "out", "join", "right"), ("join", "out", "sqlite", "input")):
        document.connect_ports(Wire(*wire))
    view.pipeline_scene.choose(["join"])

    QTest.keyClick(view, Key.Key_Delete, CTRL)

    assert document.pipeline.wires == [Wire("csv", "out", "sqlite", "input")]


def test_the_context_menu_offers_delete_and_reconnect(chain, view):
    menu, actions = menu_texts(view, "filter")
    actions["Delete and reconnect"].trigger()
    menu.deleteLater()

    assert chain.pipeline.wires[-1] == Wire("csv", "out", "validate", "input")


# -- another type


def replace_by(view, node, text):
    menu, actions = menu_texts(view, node)
    actions["Replace by…"].trigger()
    menu.deleteLater()
    popup = view.quick_add.popup
    assert popup.isVisible()
    first = popup.results.item(0).text()
    QTest.keyClicks(popup.search, text)
    QTest.keyClick(popup.search, Key.Key_Return)
    return first


def test_a_node_gets_another_type_and_keeps_its_id_its_place_its_title_and_its_wires(chain, view, hand):
    chain.set_title("filter", "Clean")
    before, count = hand.snapshot(chain), chain.undo_stack.count()
    wires, places = list(chain.pipeline.wires), dict(chain.pipeline.layout)

    first = replace_by(view, "filter", "valid")

    assert first == "SQL", "the types that keep all wires stand first, and of these the transforms"
    assert chain.pipeline.nodes["filter"].type == "validate"
    assert chain.pipeline.nodes["filter"].title == "Clean"
    assert (chain.pipeline.wires, chain.pipeline.layout) == (wires, places)
    assert list(chain.pipeline.nodes) == list(before.nodes)
    assert view.pipeline_scene.nodes["filter"]._body.group == "quality"
    assert chain.undo_stack.count() == count + 1
    assert chain.undo_stack.undoText() == "Replace filter by Validate"
    assert view.tip.isHidden()
    chain.undo_stack.undo()
    assert hand.snapshot(chain) == before
    assert view.pipeline_scene.nodes["filter"]._body.group == "transform"


def test_what_the_new_type_cannot_keep_is_told_and_undo_brings_it_back(chain, view, hand):
    chain.set_setting("filter", "where", "a > 1")
    before = hand.snapshot(chain)

    replace_by(view, "filter", "sqlite")

    assert chain.pipeline.nodes["filter"].config == {}
    assert Wire("filter", "out", "validate", "input") not in chain.pipeline.wires
    assert "Not kept: where and the wire filter.out -> validate.input." in view.tip.text()
    assert len(view.pipeline_scene.wires) == 2
    chain.undo_stack.undo()
    assert hand.snapshot(chain) == before
    assert set(view.pipeline_scene.wires) == set(before.wires)


def test_a_type_is_not_offered_in_place_of_itself(chain, view):
    view.quick_add.open_instead_of("filter")
    popup = view.quick_add.popup

    assert "Filter" not in [popup.results.item(row).text() for row in range(popup.results.count())]


# -- quick add


def test_enter_adds_what_usually_follows_to_the_right_wired_and_on_no_other_card(chain, view):
    view.pipeline_scene.choose(["csv"])

    QTest.keyClick(view, Key.Key_Tab)
    popup = view.quick_add.popup
    assert popup.results.item(0).text() == "Filter", "a filter follows a CSV file in this pipeline"
    QTest.keyClick(popup.search, Key.Key_Return)

    assert chain.pipeline.wires[-1] == Wire("csv", "out", "filter_2", "input")
    x, y = chain.pipeline.layout["filter_2"]
    assert x == 304
    cards = view.pipeline_scene.cards()
    new = cards.pop("filter_2")
    assert not any(new.intersects(card) for card in cards.values())
    assert abs(y - 80) < 200, "it is near"
    assert view.pipeline_scene.chosen_nodes() == ["filter_2"]


def test_tab_and_enter_again_and_again_build_a_chain(document, view):
    document.add_node("csv_source", 0, 80)
    view.pipeline_scene.choose(["csv"])
    for text in ("filter", "valid", "sqlite"):
        QTest.keyClick(view, Key.Key_Tab)
        QTest.keyClicks(view.quick_add.popup.search, text)
        QTest.keyClick(view.quick_add.popup.search, Key.Key_Return)

    assert [(wire.source, wire.target) for wire in document.pipeline.wires] == [
        ("csv", "filter"), ("filter", "validate"), ("validate", "sqlite"),
    ]  # fmt: skip
    assert [place[0] for place in document.pipeline.layout.values()] == [0, 304, 608, 912]
    assert len({place[1] for place in document.pipeline.layout.values()}) == 1
    assert view.navigation.sight().contains(view.editing.card("sqlite"))


# -- order


def test_align_brings_edges_into_a_line_as_one_edit(chain, view):
    chain.move({"filter": (250, 200), "validate": (700, 333)})
    count = chain.undo_stack.count()
    view.pipeline_scene.choose(["filter", "validate"])

    QTest.keyClick(view, Key.Key_Up, CTRL)
    assert (chain.pipeline.layout["filter"], chain.pipeline.layout["validate"]) == ((250, 200), (700, 200))
    assert chain.undo_stack.count() == count + 1
    QTest.keyClick(view, Key.Key_Right, CTRL)
    assert chain.pipeline.layout["filter"] == (700, 200)


@pytest.mark.parametrize(
    ("edge", "places"),
    [
        ("left", [(0, 0), (0, 100)]),
        ("right", [(80, 0), (80, 100)]),
        ("centre", [(40, 0), (40, 100)]),
        ("top", [(0, 0), (80, 0)]),
        ("bottom", [(0, 100), (80, 100)]),
        ("middle", [(0, 50), (80, 50)]),
    ],
)
def test_each_edge(document, view, edge, places):
    for x, y in ((0, 0), (80, 100)):
        document.add_node("filter", x, y)
    view.editing.select_all()

    view.editing.align(edge)

    assert list(document.pipeline.layout.values()) == places


def test_distribute_makes_the_gaps_equal_and_leaves_the_outermost(document, view):
    for x in (0, 250, 900):
        document.add_node("filter", x, x)
    view.editing.select_all()

    view.editing.distribute("across")
    assert [x for x, _ in document.pipeline.layout.values()] == [0, 450, 900]
    view.editing.distribute("down")
    assert [y for _, y in document.pipeline.layout.values()] == [0, 450, 900]


def test_arrange_of_a_selection_stays_where_it_is_and_leaves_the_others(chain, view):
    chain.move({"filter": (500, 700), "validate": (400, 500)})
    count = chain.undo_stack.count()
    view.pipeline_scene.choose(["filter", "validate"])

    QTest.keyClick(view, Key.Key_L, CTRL)

    assert chain.pipeline.layout == {"csv": (0, 80), "filter": (400, 500), "validate": (704, 500), "sqlite": (912, 80)}
    assert chain.undo_stack.count() == count + 1


def test_arrange_without_a_selection_arranges_all(chain, view):
    chain.move({"filter": (500, 700), "validate": (400, 500)})

    QTest.keyClick(view, Key.Key_L, CTRL)

    assert [y for _, y in chain.pipeline.layout.values()] == [0, 0, 0, 0]


# -- smart guides


def test_a_dragged_card_is_drawn_to_the_edges_of_a_near_one_and_a_line_shows_it(document, view, hand):
    document.add_node("filter", 101, 53)
    document.add_node("filter", 300, 300)
    start = hand.card(view, "filter_2")

    hand.press_and_move(view, start, start + QPoint(-203, 60))
    vertical = [line.x1() for line in view.guides.lines if line.x1() == line.x2()]
    assert vertical == [101, 101 + CARD_WIDTH / 2, 101 + CARD_WIDTH]
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, start + QPoint(-203, 60))

    assert document.pipeline.layout["filter_2"] == (101, 360)
    assert view.guides.lines == []


def test_with_alt_a_card_goes_where_the_mouse_goes(document, view, hand):
    document.add_node("filter", 101, 53)
    document.add_node("filter", 300, 300)
    start = hand.card(view, "filter_2")

    QTest.mousePress(view.viewport(), LEFT, NO_KEY, start)
    for step in range(1, 11):
        way = QPoint(-203, 61) * step / 10
        send_move(view, start + way, ALT)
    assert view.guides.lines == []
    QTest.mouseRelease(view.viewport(), LEFT, ALT, start + QPoint(-203, 61))

    assert document.pipeline.layout["filter_2"] == (97, 361)


def test_switched_off_guides_draw_nothing(document, view, hand):
    document.add_node("filter", 101, 53)
    document.add_node("filter", 300, 300)
    view.guides.on = False
    start = hand.card(view, "filter_2")

    hand.drag(view, start, start + QPoint(-203, 60))

    assert document.pipeline.layout["filter_2"] == (96, 360)


def send_move(view, pixel, keys):
    """QTest moves the mouse without keys."""
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    at = QPointF(pixel)
    event = QMouseEvent(QEvent.Type.MouseMove, at, view.viewport().mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, keys)
    QApplication.sendEvent(view.viewport(), event)
