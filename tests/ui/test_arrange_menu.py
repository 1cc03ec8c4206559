"""The menus that order nodes, and what is switched on and off for all canvases, in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from etl_studio.pipeline.model import Wire
from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme

pytestmark = pytest.mark.window

Key, CTRL, SHIFT = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def open_window(qtbot, tmp_path):
    """Opens the window with a source, a filter and a sink; each has the same settings."""
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    openings = []

    def make() -> MainWindow:
        window = MainWindow(Theme("light"), settings, tmp_path / "data")
        qtbot.addWidget(window, before_close_func=lambda window: window.workbench.document.undo_stack.setClean())
        openings.append(Opening(window, None))
        with qtbot.waitSignal(openings[-1].finished, timeout=30_000):
            window.show()
        if window.workbench is None:
            window.actions_by_name["new"].trigger()
        document = window.workbench.document
        for number, node_type in enumerate(["csv_source", "filter", "sqlite_sink"]):
            document.add_node(node_type, 300 * number, 70 * number)
        document.connect_ports(Wire("csv", "out", "filter", "input"))
        document.connect_ports(Wire("filter", "out", "sqlite", "input"))
        window.workbench.canvas.setFocus()
        return window

    yield make
    for opening in openings:
        opening.close()


@pytest.fixture
def window(open_window):
    return open_window()


def test_what_needs_several_nodes_is_grey_for_fewer(window):
    scene, actions = window.workbench.canvas.pipeline_scene, window.actions_by_name

    def possible(*nodes):
        scene.choose(nodes)
        names = ("delete_join", "replace_node", "connect", "align_left", "distribute_down", "arrange")
        return [name for name in names if actions[name].isEnabled()]

    assert possible() == ["arrange"]
    assert possible("csv") == ["delete_join", "replace_node", "connect", "arrange"]
    assert possible("csv", "filter") == ["delete_join", "connect", "align_left", "arrange"]
    assert possible("csv", "filter", "sqlite") == ["delete_join", "connect", "align_left", "distribute_down", "arrange"]


def test_the_keys_of_the_menus_work_on_the_canvas(window):
    canvas, document = window.workbench.canvas, window.workbench.document
    QTest.keyClick(canvas, Key.Key_A, CTRL)
    QTest.keyClick(canvas, Key.Key_Up, CTRL)
    assert [y for _, y in document.pipeline.layout.values()] == [0, 0, 0]

    canvas.pipeline_scene.choose(["filter"])
    QTest.keyClick(canvas, Key.Key_Delete, CTRL)
    assert document.pipeline.wires == [Wire("csv", "out", "sqlite", "input")]


def test_letters_that_are_keys_of_the_canvas_can_be_typed_into_its_search(window):
    canvas = window.workbench.canvas
    QTest.keyClick(canvas, Key.Key_Tab)
    QTest.keyClicks(canvas.quick_add.popup.search, "cw.")

    assert canvas.quick_add.popup.search.text() == "cw."
    assert canvas.wiring.popup.isHidden()


def test_shift_and_2_shows_what_is_selected(window):
    canvas, document = window.workbench.canvas, window.workbench.document
    document.move({"sqlite": (2500, 900)})
    canvas.pipeline_scene.choose(["csv", "sqlite"])

    QTest.keyClick(canvas, Key.Key_2, SHIFT)

    assert canvas.navigation.sight().contains(canvas.editing.card("sqlite"))
    assert canvas.navigation.sight().contains(canvas.editing.card("csv"))


def test_replace_by_its_key(window):
    canvas, document = window.workbench.canvas, window.workbench.document
    canvas.pipeline_scene.choose(["filter"])
    QTest.keyClick(canvas, Key.Key_H, CTRL)
    QTest.keyClicks(canvas.quick_add.popup.search, "derive")
    QTest.keyClick(canvas.quick_add.popup.search, Key.Key_Return)

    assert document.pipeline.nodes["filter"].type == "derive"
    assert window.workbench.inspector.node_page.form.content.fields.keys() >= {"columns"}, "its settings are shown"


def test_grid_guides_and_map_are_switched_in_the_menu_and_remembered(window, open_window):
    canvas = window.workbench.canvas
    assert (canvas.editing.snaps, canvas.guides.on, canvas.minimap.on) == (True, True, True)

    for name in ("snap", "guides", "show_minimap"):
        assert window.actions_by_name[name].isEnabled()
        window.actions_by_name[name].trigger()
    assert (canvas.editing.snaps, canvas.guides.on, canvas.minimap.on) == (False, False, False)

    again = open_window().workbench.canvas
    assert (again.editing.snaps, again.guides.on, again.minimap.on) == (False, False, False)


def test_enter_leads_into_the_first_setting_and_escape_back_to_the_canvas(window, qtbot):
    canvas, inspector = window.workbench.canvas, window.workbench.inspector
    canvas.pipeline_scene.choose(["filter"])

    QTest.keyClick(canvas, Key.Key_Return)
    qtbot.waitUntil(lambda: inspector.isAncestorOf(window.focusWidget()))
    QTest.keyClicks(window.focusWidget(), "a > 1")
    QTest.keyClick(window.focusWidget(), Key.Key_Escape)

    assert canvas.hasFocus()
    qtbot.waitUntil(lambda: window.workbench.document.pipeline.nodes["filter"].config == {"where": "a > 1"})
    canvas.pipeline_scene.choose(["csv"])
    QTest.keyClick(canvas, Key.Key_Return)
    assert isinstance(window.focusWidget(), QLineEdit)
    QTest.keyClick(window.focusWidget(), Key.Key_Escape)
    assert canvas.hasFocus()
