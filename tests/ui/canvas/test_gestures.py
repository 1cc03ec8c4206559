"""Hands on the canvas: real events on the viewport, asserted on the document and its undo stack."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.pipeline.model import Wire
from etl_studio.ui.document import PipelineDocument

pytestmark = pytest.mark.window

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NO_KEY, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
Key = Qt.Key


@pytest.fixture
def three(document):
    """csv, filter and sqlite side by side, without wires."""
    document.add_node("csv_source", 0, 80)
    document.add_node("filter", 304, 80)
    document.add_node("sqlite_sink", 608, 80)
    return document


@pytest.fixture
def wired(three):
    """The same with wires."""
    three.connect_ports(Wire("csv", "out", "filter", "input"))
    three.connect_ports(Wire("filter", "out", "sqlite", "input"))
    return three


# -- wires


def test_a_drag_from_port_to_port_draws_a_wire(three, view, hand):
    hand.drag(view, hand.port(view, "csv", "out"), hand.port(view, "filter", "input"))

    assert three.pipeline.wires == [Wire("csv", "out", "filter", "input")]
    assert three.undo_stack.undoText() == "Connect csv to filter"


def test_a_wire_can_be_drawn_backwards_from_an_input(three, view, hand):
    hand.drag(view, hand.port(view, "filter", "input"), hand.port(view, "csv", "out"))

    assert three.pipeline.wires == [Wire("csv", "out", "filter", "input")]


def test_a_wire_dropped_on_a_card_takes_its_first_port_that_fits(three, view, hand):
    three.add_node("join", 304, 240)
    hand.drag(view, hand.port(view, "csv", "out"), hand.port(view, "join", "left"))

    hand.drag(view, hand.port(view, "filter", "out"), hand.card(view, "join"))

    assert three.pipeline.wires[1] == Wire("filter", "out", "join", "right")


def test_a_refused_wire_shows_the_reason_near_the_pointer_and_edits_nothing(wired, view, hand):
    before = wired.undo_stack.count()
    wired.add_node("csv_source", 0, 240)

    hand.press_and_move(view, hand.port(view, "csv_2", "out"), hand.port(view, "filter", "input"))
    assert view.tip.isVisible()
    assert "has a wire already, from csv" in view.tip.text()
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, hand.port(view, "filter", "input"))

    assert view.tip.isVisible()
    assert wired.undo_stack.count() == before + 1
    assert len(wired.pipeline.wires) == 2


def test_while_a_wire_is_drawn_what_cannot_take_it_fades(wired, view, hand):
    hand.press_and_move(
        view, hand.port(view, "sqlite", "rejects"), hand.port(view, "sqlite", "rejects") + QPoint(40, 0)
    )
    nodes = view.pipeline_scene.nodes

    assert nodes["csv"].opacity() < 1
    assert nodes["sqlite"].opacity() == 1
    QTest.keyClick(view, Key.Key_Escape)
    assert nodes["csv"].opacity() == 1


def test_escape_during_a_drag_leaves_no_trace(three, view, hand):
    before = (three.undo_stack.count(), len(view.pipeline_scene.items()))

    hand.press_and_move(view, hand.port(view, "csv", "out"), hand.port(view, "filter", "input"))
    QTest.keyClick(view, Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, hand.port(view, "filter", "input"))
    hand.press_and_move(view, hand.card(view, "csv"), hand.card(view, "csv") + QPoint(80, 80))
    QTest.keyClick(view, Key.Key_Escape)
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, QPoint(5, 5))

    assert (three.undo_stack.count(), len(view.pipeline_scene.items())) == before
    assert view.pipeline_scene.nodes["csv"].pos() == QPointF(0, 80)


def test_an_undo_or_another_file_in_the_middle_of_a_drag_cancels_it(three, view, hand, tmp_path):
    hand.press_and_move(view, hand.card(view, "sqlite"), hand.card(view, "sqlite") + QPoint(80, 80))
    three.undo_stack.undo()
    QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, QPoint(5, 5))
    assert list(three.pipeline.layout) == ["csv", "filter"]
    three.save(tmp_path / "two.etl.yaml")
    for end in (hand.port(view, "filter", "input"), QPoint(900, 600)):
        hand.press_and_move(view, hand.port(view, "csv", "out"), end)
        three.load(tmp_path / "two.etl.yaml")
        QTest.mouseRelease(view.viewport(), LEFT, NO_KEY, end)

    assert three.pipeline.wires == []
    assert three.undo_stack.count() == 0


def test_a_node_with_free_inputs_names_a_new_one_after_the_node_that_feeds_it(three, view, hand):
    three.add_node("sql", 304, 240)

    hand.drag(view, hand.port(view, "csv", "out"), hand.port(view, "sql", "+"))

    assert three.pipeline.wires == [Wire("csv", "out", "sql", "csv")]
    assert [port.name for port in view.pipeline_scene.nodes["sql"].ports] == ["csv", "+", "out"]


def test_a_wire_dropped_on_nothing_asks_for_a_node_and_wires_it(three, view, hand):
    hand.drag(view, hand.port(view, "csv", "out"), hand.port(view, "csv", "out") + QPoint(40, 220))
    popup = view.quick_add.popup
    assert popup.isVisible()
    offered = [popup.results.item(row).text() for row in range(popup.results.count())]
    assert "CSV file" not in offered  # it has no input
    QTest.keyClicks(popup.search, "fil")
    QTest.keyClick(popup.search, Key.Key_Return)

    assert three.pipeline.wires == [Wire("csv", "out", "filter_2", "input")]
    three.undo_stack.undo()
    assert "filter_2" not in three.pipeline.nodes


# -- nodes


def test_a_drag_moves_a_node_on_the_grid_and_undo_puts_it_back(three, view, hand):
    hand.drag(view, hand.card(view, "filter"), hand.card(view, "filter") + QPoint(53, 101))

    assert three.pipeline.layout["filter"] == (360, 184)
    three.undo_stack.undo()
    assert three.pipeline.layout["filter"] == (304, 80)
    assert view.pipeline_scene.nodes["filter"].pos() == QPointF(304, 80)


def test_without_snapping_a_node_goes_where_the_mouse_goes(three, view, hand):
    view.editing.snaps = False

    hand.drag(view, hand.card(view, "filter"), hand.card(view, "filter") + QPoint(53, 101))

    assert three.pipeline.layout["filter"] == (357, 181)


def test_a_selection_moves_together_as_one_edit_and_wires_follow(wired, view, hand):
    before = wired.undo_stack.count()
    view.editing.select_all()
    start = view.pipeline_scene.wires[wired.pipeline.wires[0]].path().pointAtPercent(0)

    hand.drag(view, hand.card(view, "csv"), hand.card(view, "csv") + QPoint(80, 40))

    assert wired.pipeline.layout == {"csv": (80, 120), "filter": (384, 120), "sqlite": (688, 120)}
    assert wired.undo_stack.count() == before + 1
    moved = view.pipeline_scene.wires[wired.pipeline.wires[0]].path().pointAtPercent(0)
    assert moved - start == QPointF(80, 40)


def test_a_click_selects_and_control_adds_and_takes_away(three, view, hand, qtbot):
    with qtbot.waitSignal(view.selection_changed) as told:
        QTest.mouseClick(view.viewport(), LEFT, NO_KEY, hand.card(view, "csv"))
    assert told.args == [["csv"]]
    QTest.mouseClick(view.viewport(), LEFT, CTRL, hand.card(view, "sqlite"))
    assert view.pipeline_scene.chosen_nodes() == ["csv", "sqlite"]
    QTest.mouseClick(view.viewport(), LEFT, CTRL, hand.card(view, "csv"))
    assert view.pipeline_scene.chosen_nodes() == ["sqlite"]
    QTest.mouseClick(view.viewport(), LEFT, NO_KEY, QPoint(10, 690))
    assert view.pipeline_scene.chosen_nodes() == []


def test_a_rubber_band_selects_what_it_touches(wired, view, hand):
    hand.drag(view, view.mapFromScene(-40, 40), hand.card(view, "filter"))

    assert view.pipeline_scene.chosen_nodes() == ["csv", "filter"]
    assert view.pipeline_scene.chosen_wires() == [wired.pipeline.wires[0]]


def test_deleting_a_selection_is_one_edit_and_undo_brings_the_wires_back(wired, view, hand):
    before, count = hand.snapshot(wired), wired.undo_stack.count()
    hand.drag(view, view.mapFromScene(-40, 40), hand.card(view, "filter"))

    QTest.keyClick(view, Key.Key_Delete)
    assert list(wired.pipeline.nodes) == ["sqlite"]
    assert wired.pipeline.wires == []
    assert wired.undo_stack.count() == count + 1
    QTest.keyClick(view, Key.Key_Z, CTRL)

    assert hand.snapshot(wired) == before
    assert len(view.pipeline_scene.wires) == 2


def test_a_click_on_a_wire_selects_it_and_delete_removes_it_alone(wired, view):
    wire = wired.pipeline.wires[0]
    middle = view.mapFromScene(view.pipeline_scene.wires[wire].path().pointAtPercent(0.5))

    QTest.mouseClick(view.viewport(), LEFT, NO_KEY, middle)
    assert view.pipeline_scene.chosen_wires() == [wire]
    QTest.keyClick(view, Key.Key_Delete)

    assert len(wired.pipeline.wires) == 1
    assert len(wired.pipeline.nodes) == 3


def test_arrow_keys_nudge_the_selection_and_quick_nudges_are_one_edit(three, view):
    before = three.undo_stack.count()
    view.pipeline_scene.choose(["filter"])

    for _ in range(3):
        QTest.keyClick(view, Key.Key_Right)
    QTest.keyClick(view, Key.Key_Down, SHIFT)

    assert three.pipeline.layout["filter"] == (328, 120)
    assert three.undo_stack.count() == before + 1


def test_copy_in_one_window_and_paste_in_another(wired, view, registry, make_view, qtbot):
    other = PipelineDocument(registry)
    second = make_view(other)
    with qtbot.waitActive(view):
        view.activateWindow()
        view.setFocus()
    QTest.keyClick(view, Key.Key_A, CTRL)
    QTest.keyClick(view, Key.Key_C, CTRL)

    with qtbot.waitActive(second):
        second.activateWindow()
        second.setFocus()
    QTest.keyClick(second, Key.Key_V, CTRL)
    QTest.keyClick(second, Key.Key_V, CTRL)

    assert "type: filter" in QGuiApplication.clipboard().text()
    assert list(other.pipeline.nodes) == ["csv", "filter", "sqlite", "csv_2", "filter_2", "sqlite_2"]
    assert len(other.pipeline.wires) == 4
    assert other.pipeline.layout["csv"] != other.pipeline.layout["csv_2"]
    assert second.pipeline_scene.chosen_nodes() == ["csv_2", "filter_2", "sqlite_2"]


def test_cut_and_duplicate(wired, view):
    view.pipeline_scene.choose(["filter"])
    QTest.keyClick(view, Key.Key_D, CTRL)
    assert view.pipeline_scene.chosen_nodes() == ["filter_2"]
    QTest.keyClick(view, Key.Key_X, CTRL)

    assert "filter_2" not in wired.pipeline.nodes
    assert "filter_2" in QGuiApplication.clipboard().text()


def test_a_double_click_or_enter_on_a_node_opens_it(three, view, hand, qtbot):
    with qtbot.waitSignal(view.node_activated) as told:
        QTest.mouseDClick(view.viewport(), LEFT, NO_KEY, hand.card(view, "csv"))
    assert told.args == ["csv"]
    view.pipeline_scene.choose(["filter"])
    with qtbot.waitSignal(view.node_activated) as told:
        QTest.keyClick(view, Key.Key_Return)
    assert told.args == ["filter"]


# -- adding by name


def test_a_double_click_on_the_canvas_adds_the_node_that_is_typed_where_the_pointer_is(document, view):
    QTest.mouseDClick(view.viewport(), LEFT, NO_KEY, QPoint(400, 300))
    popup = view.quick_add.popup
    QTest.keyClicks(popup.search, "tabel"[:3])
    QTest.keyClick(popup.search, Key.Key_Down)
    QTest.keyClick(popup.search, Key.Key_Up)
    QTest.keyClick(popup.search, Key.Key_Return)

    assert [spec.type for spec in document.pipeline.nodes.values()] == ["sqlite_sink"]
    item = view.pipeline_scene.nodes["sqlite"]
    assert item.card().translated(item.pos()).contains(view.mapToScene(400, 300))
    assert popup.isHidden()


def test_tab_adds_a_node_wired_from_the_selected_one_and_one_undo_takes_both_away(three, view):
    view.pipeline_scene.choose(["csv"])
    before = three.undo_stack.count()

    QTest.keyClick(view, Key.Key_Tab)
    QTest.keyClicks(view.quick_add.popup.search, "valid")
    QTest.keyClick(view.quick_add.popup.search, Key.Key_Return)

    assert three.pipeline.wires == [Wire("csv", "out", "validate", "input")]
    assert three.undo_stack.count() == before + 1
    assert three.undo_stack.undoText() == "Add Validate"
    three.undo_stack.undo()
    assert "validate" not in three.pipeline.nodes


def test_escape_closes_the_search_and_adds_nothing(document, view):
    QTest.keyClick(view, Key.Key_Tab)
    QTest.keyClick(view.quick_add.popup.search, Key.Key_Escape)

    assert view.quick_add.popup.isHidden()
    assert document.pipeline.nodes == {}


# -- getting about


def test_the_middle_button_and_space_pan(three, view, hand):
    for button, space in ((MIDDLE, False), (LEFT, True)):
        before = view.mapFromScene(0, 0)
        if space:
            QTest.keyPress(view, Key.Key_Space)
        hand.drag(view, QPoint(500, 500), QPoint(430, 540), button=button)
        if space:
            QTest.keyRelease(view, Key.Key_Space)
        assert view.mapFromScene(0, 0) - before == QPoint(-70, 40)
    assert three.pipeline.layout["csv"] == (0, 80)


def turn(view, at, delta, keys=NO_KEY):
    event = QWheelEvent(
        QPointF(at), QPointF(view.viewport().mapToGlobal(at)), QPoint(), delta, Qt.MouseButton.NoButton, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)


def test_the_wheel_scrolls_and_with_control_zooms_where_the_pointer_is(three, view):
    at = QPoint(300, 200)
    before = view.mapFromScene(0, 0)
    turn(view, at, QPoint(0, -120))
    assert view.mapFromScene(0, 0) - before == QPoint(0, -60)
    under = view.mapToScene(at)
    turn(view, at, QPoint(0, 120), CTRL)

    assert view.navigation.zoom == pytest.approx(1.2)
    assert (view.mapFromScene(under) - at).manhattanLength() <= 2
    turn(view, at, QPoint(0, -120), SHIFT)
    assert view.mapFromScene(under).x() < at.x() - 50


def test_fit_shows_every_node(three, view):
    three.add_node("filter", 3000, 1500)

    QTest.keyClick(view, Key.Key_0, CTRL)

    sight = view.mapToScene(view.viewport().rect()).boundingRect()
    assert sight.contains(view.pipeline_scene.content_rect())
    assert view.navigation.zoom < 1


def test_the_context_menu_acts_on_what_is_under_the_pointer(wired, view, hand):
    scene = view.pipeline_scene
    at = view.mapToScene(hand.card(view, "filter"))
    menu = view.menu_for(scene.hit(at), at)
    actions = {action.text().split("\t")[0]: action for action in menu.actions()}
    assert scene.chosen_nodes() == ["filter"]
    actions["Delete"].trigger()
    menu.deleteLater()

    assert list(wired.pipeline.nodes) == ["csv", "sqlite"]


def test_the_hint_is_there_only_while_the_canvas_is_empty(document, view):
    assert view.hint.isVisible()
    document.add_node("filter", 0, 0)
    assert view.hint.isHidden()
    document.undo_stack.undo()
    assert view.hint.isVisible()


def test_the_button_of_the_hint_asks_the_window_for_an_example(view, qtbot):
    with qtbot.waitSignal(view.example_requested):
        QTest.mouseClick(view.hint.button, LEFT)


def test_clicks_and_drags_go_through_the_hint(document, view):
    over = view.childAt(view.hint.geometry().center())

    assert over is view.viewport()
