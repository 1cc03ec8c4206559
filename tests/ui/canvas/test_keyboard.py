"""The canvas without a mouse: walking, drawing and deleting wires, the menu, and what is said of it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.pipeline.model import Wire

pytestmark = pytest.mark.window

NO_KEY, CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
Key = Qt.Key


@pytest.fixture
def shop(document):
    """Two sources, a join of them, a filter behind it, and a sink that is not wired."""
    for node_type, x, y in (
        ("csv_source", 0, 80),
        ("web_page_source", 0, 240),
        ("join", 304, 160),
        ("filter", 608, 160),
        ("sqlite_sink", 912, 160),
    ):
        document.add_node(node_type, x, y)
    for wire in (
        ("csv", "out", "join", "left"),
        ("web_page", "out", "join", "right"),
        ("join", "out", "filter", "input"),
    ):
        document.connect_ports(Wire(*wire))
    return document


def press(view, *keys):
    """Keys one after another; a pair is a key with a modifier."""
    for key in keys:
        QTest.keyClick(view, *(key if isinstance(key, tuple) else (key,)))


def heard(view):
    """What a screen reader finds at the canvas."""
    return QAccessible.queryAccessibleInterface(view).text(QAccessible.Text.Description)


def rows(popup):
    return [popup.results.item(row).text() for row in range(popup.results.count())]


# -- walking


def test_home_goes_to_the_first_node_and_end_to_the_last(shop, view):
    press(view, Key.Key_End)
    assert view.pipeline_scene.chosen_nodes() == ["sqlite"]
    press(view, Key.Key_Home)
    assert view.pipeline_scene.chosen_nodes() == ["csv"]


def test_alt_and_arrows_follow_wires_and_else_go_to_the_nearest(shop, view):
    press(view, Key.Key_Home, (Key.Key_Right, ALT))
    assert view.walking.node == "join"
    press(view, (Key.Key_Right, ALT), (Key.Key_Right, ALT))
    assert view.walking.node == "sqlite", "no wire leads there, it is the nearest to the right"
    press(view, (Key.Key_Left, ALT), (Key.Key_Left, ALT), (Key.Key_Left, ALT), (Key.Key_Down, ALT))
    assert view.walking.node == "web_page"
    press(view, (Key.Key_Down, ALT))
    assert view.walking.node == "web_page", "there is nothing below"


def test_walking_makes_no_edit_and_nudging_moves_what_was_walked_to(shop, view):
    count = shop.undo_stack.count()

    press(view, Key.Key_Home, (Key.Key_Right, ALT))
    assert shop.undo_stack.count() == count
    press(view, Key.Key_Right)

    assert shop.pipeline.layout["join"] == (312, 160)


def test_with_shift_the_selection_grows(shop, view):
    press(view, Key.Key_Home, (Key.Key_Right, ALT | SHIFT), (Key.Key_Right, ALT | SHIFT))

    assert view.pipeline_scene.chosen_nodes() == ["csv", "join", "filter"]
    press(view, Key.Key_Delete)
    assert list(shop.pipeline.nodes) == ["web_page", "sqlite"]


def test_a_node_out_of_sight_is_scrolled_to(shop, view):
    shop.add_node("filter", 5000, 3000)

    press(view, Key.Key_End)

    assert view.navigation.sight().contains(view.editing.card("filter_2"))


def test_the_ring_is_there_for_the_keys_and_not_for_the_mouse(shop, view, hand):
    press(view, Key.Key_Home)
    with_ring = view.grab().toImage()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, NO_KEY, hand.card(view, "csv"))
    without = view.grab().toImage()

    assert view.pipeline_scene.chosen_nodes() == ["csv"]
    assert with_ring != without
    press(view, (Key.Key_Right, ALT))
    assert view.walking.node == "join", "the keys go on where the mouse was"


def test_after_a_deletion_the_keys_are_on_the_nearest_node_but_it_is_not_selected(shop, view):
    press(view, Key.Key_Home, Key.Key_Delete)

    assert view.walking.node == "web_page"
    assert view.pipeline_scene.chosen_nodes() == []
    press(view, Key.Key_Delete)
    assert "web_page" in shop.pipeline.nodes
    press(view, (Key.Key_Right, ALT))
    assert view.walking.node == "join"


# -- wires


def test_c_draws_a_wire_to_the_nearest_port_that_takes_it(shop, view):
    count = shop.undo_stack.count()
    press(view, Key.Key_End, (Key.Key_Left, ALT), Key.Key_C)
    popup = view.wiring.popup

    assert popup.isVisible()
    assert rows(popup)[0] == "SQLite table."
    QTest.keyClick(popup.search, Key.Key_Return)

    assert shop.pipeline.wires[-1] == Wire("filter", "out", "sqlite", "input")
    assert shop.undo_stack.count() == count + 1
    assert popup.isHidden()
    assert view.hasFocus()
    assert view.walking.node == "sqlite", "the keys go along the wire"


def test_ports_that_refuse_the_wire_stand_last_with_the_reason_and_enter_does_nothing_there(shop, view):
    press(view, Key.Key_End, (Key.Key_Left, ALT), Key.Key_C)
    popup, count = view.wiring.popup, shop.undo_stack.count()
    QTest.keyClicks(popup.search, "join")

    assert rows(popup) == [
        "Join · Left. The input join.left has a wire already, from csv.",
        "Join · Right. The input join.right has a wire already, from web_page.",
    ]
    QTest.keyClick(popup.search, Key.Key_Return)
    assert popup.isVisible()
    assert shop.undo_stack.count() == count
    assert "has a wire already" in QAccessible.queryAccessibleInterface(popup.search).text(QAccessible.Text.Description)


def test_escape_leaves_the_wire_and_nothing_is_drawn(shop, view):
    press(view, Key.Key_End, (Key.Key_Left, ALT))
    count, before = shop.undo_stack.count(), view.grab().toImage()
    press(view, Key.Key_C)
    QTest.keyClick(view.wiring.popup.search, Key.Key_Escape)

    assert shop.undo_stack.count() == count
    assert view.hasFocus()
    assert view.wiring.start is None
    assert view.grab().toImage() == before


def test_shift_c_asks_what_feeds_a_node(shop, view):
    press(view, Key.Key_End, (Key.Key_C, SHIFT))
    popup = view.wiring.popup
    QTest.keyClicks(popup.search, "filt")
    QTest.keyClick(popup.search, Key.Key_Return)

    assert shop.pipeline.wires[-1] == Wire("filter", "out", "sqlite", "input")


def test_control_shift_and_down_begins_at_the_rejects(shop, view):
    press(view, Key.Key_End, (Key.Key_Left, ALT), (Key.Key_Down, CTRL | SHIFT))
    QTest.keyClick(view.wiring.popup.search, Key.Key_Return)

    assert shop.pipeline.wires[-1] == Wire("filter", "rejects", "sqlite", "input")


def test_left_and_right_choose_the_port_from_which_the_wire_leaves(shop, view):
    press(view, Key.Key_End, (Key.Key_Left, ALT), Key.Key_C)
    popup = view.wiring.popup
    assert popup.search.placeholderText() == "Connect Filter, Rows, to…"
    QTest.keyClick(popup.search, Key.Key_Right)
    assert popup.search.placeholderText() == "Connect Filter, Rejects, to…"
    QTest.keyClick(popup.search, Key.Key_Return)

    assert shop.pipeline.wires[-1] == Wire("filter", "rejects", "sqlite", "input")


def test_without_a_node_c_says_so(shop, view):
    press(view, Key.Key_C)

    assert view.wiring.popup.isHidden()
    assert heard(view) == "No node is chosen."


def test_another_document_closes_the_search_for_a_port(shop, view):
    press(view, Key.Key_Home, Key.Key_C)
    shop.new()

    assert view.wiring.popup.isHidden()
    assert view.wiring.start is None


def test_w_goes_through_the_wires_of_a_node_and_delete_removes_the_chosen_one(shop, view):
    press(view, Key.Key_Home, (Key.Key_Right, ALT), Key.Key_W)
    assert view.pipeline_scene.chosen_wires() == [Wire("csv", "out", "join", "left")]
    press(view, Key.Key_W)
    assert heard(view) == "Wire from Web page to Join. 2 of 3."
    press(view, Key.Key_W, Key.Key_W)
    assert view.pipeline_scene.chosen_wires() == [Wire("csv", "out", "join", "left")]
    press(view, (Key.Key_W, SHIFT))
    assert view.pipeline_scene.chosen_wires() == [Wire("join", "out", "filter", "input")]
    press(view, Key.Key_Delete)

    assert [wire.target_port for wire in shop.pipeline.wires] == ["left", "right"]
    assert len(shop.pipeline.nodes) == 5


def test_from_a_wire_the_arrows_lead_to_its_ends_and_escape_back_to_the_node(shop, view):
    press(view, Key.Key_Home, (Key.Key_Right, ALT), Key.Key_W, (Key.Key_Left, ALT))
    assert view.pipeline_scene.chosen_nodes() == ["csv"]
    press(view, Key.Key_W, Key.Key_Escape)
    assert view.pipeline_scene.chosen_nodes() == ["csv"]
    assert view.pipeline_scene.chosen_wires() == []
    press(view, Key.Key_Escape)
    assert view.pipeline_scene.chosen_nodes() == []


# -- menu and settings


@pytest.mark.parametrize("key", [(Key.Key_Menu,), (Key.Key_F10, SHIFT)])
def test_the_menu_key_opens_the_menu_of_the_node_beside_it(shop, view, qtbot, key):
    press(view, Key.Key_Home, key)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()

    assert "Settings" in [action.text().split("\t")[0] for action in menu.actions()]
    at = view.viewport().mapToGlobal(view.navigation.to_pixel(view.editing.card("csv").center()))
    assert (menu.pos() - at).manhattanLength() < 20
    QTest.keyClick(menu, Key.Key_Escape)
    assert QApplication.activePopupWidget() is None


def test_enter_opens_the_node_on_which_the_keys_are(shop, view, qtbot):
    press(view, Key.Key_Home)

    with qtbot.waitSignal(view.node_activated) as told:
        press(view, Key.Key_Return)

    assert told.args == ["csv"]


# -- what is said


def test_a_node_says_its_title_its_type_its_problems_and_its_wires(shop, view):
    shop.set_title("join", "Both")
    shop.check_now()

    press(view, Key.Key_Home, (Key.Key_Right, ALT))
    assert heard(view) == "Both, Join. From CSV file and Web page. To Filter."
    press(view, (Key.Key_Left, ALT))
    assert heard(view) == 'CSV file. 1 problem: The setting "path" is missing. To Both.'
    press(view, Key.Key_End)
    assert heard(view).endswith("Not wired.")


def test_before_anything_is_chosen_the_canvas_tells_its_keys(view):
    assert "Tab searches for a node to add" in heard(view)


def test_with_a_screen_reader_each_step_is_announced(shop, view, monkeypatch):
    told = []
    monkeypatch.setattr("etl_studio.ui.announcing.QAccessible.isActive", lambda: True)
    monkeypatch.setattr(
        "etl_studio.ui.announcing.QAccessible.updateAccessibility", lambda event: told.append(event.message())
    )

    press(view, Key.Key_End)

    assert told == [heard(view)]
