"""The whole window, used by a person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QSettings, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from etl_studio.engine.events import RunStatus
from etl_studio.pipeline.model import Parameter
from etl_studio.ui.actions import ACTIONS
from etl_studio.ui.main_window import MainWindow, first_size
from etl_studio.ui.opening import Opening
from etl_studio.ui.run.parameters_dialog import ParametersDialog
from etl_studio.ui.theme.theme import Theme

if TYPE_CHECKING:
    from pathlib import Path

LEFT = Qt.MouseButton.LeftButton

PIPELINE = """\
etl_studio: 1
name: orders
nodes:
  read:
    type: csv_source
    config: {path: orders.csv}
  keep:
    type: filter
    config: {where: quantity >= 5}
  save:
    type: sqlite_sink
    config: {table: orders}
wires:
  - read -> keep
  - keep -> save
layout:
  read: [0, 0]
  keep: [280, 0]
  save: [560, 0]
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a pipeline and its data: 1,000 orders, of which 600 have a quantity of 5 or more."""
    lines = ["id,quantity", *(f"{number},{number % 10 + 1}" for number in range(1000))]
    (tmp_path / "orders.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "orders.yaml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def open_window(qtbot, settings, tmp_path):
    """Opens the window as the application does; closes it without questions."""
    openings = []

    def make(path: Path | None = None) -> MainWindow:
        window = MainWindow(Theme("light"), settings, tmp_path / "data")
        qtbot.addWidget(window, before_close_func=leave_no_question)
        opening = Opening(window, path)
        openings.append(opening)
        with qtbot.waitSignal(opening.finished, timeout=30_000):
            window.show()
        if path is None:
            QTest.mouseClick(window.beginning.page.new, LEFT)
        return window

    yield make
    for opening in openings:
        opening.close()


def leave_no_question(window: MainWindow) -> None:
    for bench in window.benches:
        bench.controller.shut_down()
        QApplication.processEvents()
        bench.document.undo_stack.setClean()


@pytest.fixture
def window(open_window, folder):
    return open_window(folder / "orders.yaml")


def answer(button: QMessageBox.StandardButton) -> list[str]:
    """Click a button of the next question, as soon as it is there; gives its text."""
    asked: list[str] = []

    def click() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, click)
            return
        asked.append(f"{box.text()} {box.informativeText()}")
        QTest.mouseClick(box.button(button), LEFT)

    QTimer.singleShot(0, click)
    return asked


def run_button(window):
    return window._run_button


def test_it_opens_a_pipeline_and_shows_its_name(window):
    assert window.windowTitle() == "orders.yaml[*] — ETL Studio"
    assert list(window.workbench.document.pipeline.nodes) == ["read", "keep", "save"]
    assert not window.isWindowModified()


def test_an_edit_is_marked_and_a_save_takes_the_mark_away(window, folder):
    window.workbench.document.set_setting("keep", "where", "quantity >= 9")
    assert window.isWindowModified()

    window.actions_by_name["save"].trigger()

    assert not window.isWindowModified()
    assert "quantity >= 9" in (folder / "orders.yaml").read_text()


def test_closing_with_unsaved_changes_asks_and_cancel_keeps_the_window(window):
    window.workbench.document.set_setting("keep", "where", "quantity >= 9")
    asked = answer(QMessageBox.StandardButton.Cancel)

    window.close()

    assert asked == ['Save the changes to "orders.yaml"? They are lost otherwise.']
    assert window.isVisible()


def test_closing_with_unsaved_changes_can_save_them(window, folder):
    window.workbench.document.set_setting("keep", "where", "quantity >= 9")
    answer(QMessageBox.StandardButton.Save)

    window.close()

    assert not window.isVisible()
    assert "quantity >= 9" in (folder / "orders.yaml").read_text()


def test_new_begins_an_empty_pipeline_and_leaves_what_was_there(window):
    before = window.workbench
    before.document.set_setting("keep", "where", "quantity >= 9")

    window.actions_by_name["new"].trigger()

    assert window.workbench is not before
    assert window.workbench.document.pipeline.nodes == {}
    assert window.windowTitle() == "untitled[*] — ETL Studio"
    assert before.document.pipeline.nodes["keep"].config == {"where": "quantity >= 9"}


def test_a_file_that_is_no_pipeline_is_refused_with_its_reason_and_what_was_open_stays(window, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("nodes: [")
    asked = answer(QMessageBox.StandardButton.Ok)

    assert window.opener.open(bad) is False

    assert "cannot be opened" in asked[0]
    assert "Traceback" not in asked[0]
    assert "keep" in window.workbench.document.pipeline.nodes


def test_recent_files_are_offered_in_the_menu(window, folder):
    menu = window._menus["open_recent"]
    menu.aboutToShow.emit()

    assert [action.text() for action in menu.actions()] == ["orders.yaml"]
    assert window.recent.paths() == [folder / "orders.yaml"]


def test_a_click_on_run_runs_what_is_on_the_screen_and_shows_the_result(qtbot, window):
    bench = window.workbench
    bench.document.set_setting("keep", "where", "quantity >= 10")
    qtbot.waitUntil(lambda: bench.monitor.is_ready, timeout=20_000)
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        QTest.mouseClick(run_button(window), LEFT)
        assert run_button(window).text() == "Stop"

    report = ended.args[0]
    assert (report.status, report.rows_in, report.rows_out) == (RunStatus.DONE, 1000, 100)
    assert run_button(window).text() == "Run"
    assert "Done · 1,000 rows read  ·  100 loaded" in window.workbench.status.text
    assert bench.monitor.samples.column("rows", "save")[-1] == 100
    qtbot.waitUntil(lambda: bench.results.shown is not None, timeout=10_000)
    assert (bench.results.shown.name, bench.results.shown.rows) == ("orders", 100)


def test_run_with_a_problem_starts_nothing_and_leads_to_it(qtbot, window):
    bench = window.workbench
    bench.document.set_setting("save", "table", None)

    QTest.mouseClick(run_button(window), LEFT)

    assert not bench.controller.is_running
    assert bench.tabs.currentWidget() is bench.problems
    assert bench.tabs.count_of(bench.problems) == 1
    assert bench.banner.isVisible()
    assert "was not started" in bench.banner.text


def test_a_failed_run_is_told_in_a_banner_that_leads_to_the_node(qtbot, window, folder):
    bench = window.workbench
    (folder / "orders.csv").unlink()
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000):
        QTest.mouseClick(run_button(window), LEFT)

    assert bench.banner.isVisible()
    assert "orders.csv" in bench.banner.text
    assert "Traceback" not in bench.banner.text
    assert bench.banner.go.text() == "Show read"
    QTest.mouseClick(bench.banner.go, LEFT)
    assert bench.canvas.pipeline_scene.chosen_nodes() == ["read"]
    assert bench.inspector.selected == ("read",)


def test_stop_ends_a_run_that_would_take_long(qtbot, open_window, tmp_path):
    (tmp_path / "long.yaml").write_text(
        "etl_studio: 1\nname: long\nnodes:\n"
        "  make: {type: generate_source, config: {rows: 100000000}}\n"
        "  save: {type: csv_sink, config: {path: out.csv}}\n"
        "wires: [make -> save]\n"
    )
    window = open_window(tmp_path / "long.yaml")
    bench = window.workbench
    QTest.mouseClick(run_button(window), LEFT)
    qtbot.waitUntil(lambda: len(bench.monitor.samples) > 2, timeout=20_000)

    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        QTest.mouseClick(run_button(window), LEFT)

    assert ended.args[0].status is RunStatus.STOPPED
    assert "Stopped" in window.workbench.status.text


def test_quitting_during_a_run_asks_and_stops_it(qtbot, open_window, tmp_path):
    (tmp_path / "long.yaml").write_text(
        "etl_studio: 1\nname: long\nnodes:\n"
        "  make: {type: generate_source, config: {rows: 100000000}}\n"
        "  save: {type: csv_sink, config: {path: out.csv}}\n"
        "wires: [make -> save]\n"
    )
    window = open_window(tmp_path / "long.yaml")
    QTest.mouseClick(run_button(window), LEFT)
    qtbot.waitUntil(lambda: len(window.workbench.monitor.samples) > 0, timeout=20_000)
    asked = answer(QMessageBox.StandardButton.Yes)

    window.close()

    assert asked[0].startswith("A run is going on.")
    assert not window.isVisible()
    assert not (tmp_path / "out.csv").exists()


def test_selecting_a_node_shows_its_settings(window):
    bench = window.workbench
    bench.canvas.pipeline_scene.choose(["keep"])

    assert bench.inspector.selected == ("keep",)
    assert bench.preview.node == "keep"
    assert window.actions_by_name["delete"].isEnabled()


def test_undo_is_offered_only_when_there_is_something_to_undo(window):
    undo = window.actions_by_name["undo"]
    assert not undo.isEnabled()

    window.workbench.document.set_setting("keep", "where", "true")
    assert undo.isEnabled()

    undo.trigger()
    assert window.workbench.document.pipeline.nodes["keep"].config["where"] == "quantity >= 5"


def test_the_theme_is_changed_by_a_click_and_remembered(window, settings):
    QTest.mouseClick(window._theme_button, LEFT)

    assert window.theme.is_dark
    assert settings.value("theme") == "dark"
    assert window.actions_by_name["theme_dark"].isChecked()


def test_any_action_is_found_by_some_of_its_name(qtbot, window):
    window.actions_by_name["find_action"].trigger()
    search = window.findChild(object, "action_search")
    QTest.keyClicks(search.field, "dark")
    QTest.keyClick(search.field, Qt.Key.Key_Return)

    qtbot.waitUntil(lambda: window.theme.is_dark)


def test_parts_can_be_hidden_by_the_view_menu(window):
    window.actions_by_name["show_palette"].trigger()
    assert not window.workbench.palette_panel.isVisible()

    window.actions_by_name["show_palette"].trigger()
    assert window.workbench.palette_panel.isVisible()


def test_no_two_actions_have_the_same_name_or_key():
    names = [spec.id for spec in ACTIONS]
    keys = [key for spec in ACTIONS for key in spec.shortcut.split("; ") if key]

    assert len(set(names)) == len(names)
    assert len(set(keys)) == len(keys)


def test_an_unexpected_error_shows_a_dialog_and_the_window_lives_on(qtbot, window):
    window.guard.install()
    try:
        sys.excepthook(ValueError, ValueError("a cog broke"), None)
        qtbot.waitUntil(lambda: window.guard.dialog is not None, timeout=2000)
    finally:
        window.guard.remove()
    dialog = window.guard.dialog
    assert "a cog broke" not in dialog.text()
    assert "Traceback" not in dialog.text() + dialog.informativeText()

    QTest.mouseClick(dialog.copy_button, LEFT)
    assert "ValueError: a cog broke" in QGuiApplication.clipboard().text()
    assert dialog.isVisible()

    dialog.close()
    assert window.isVisible()


def test_sizes_of_the_parts_are_remembered(qtbot, open_window, folder):
    first = open_window(folder / "orders.yaml")
    upper = first.workbench._splitters[0]
    upper.setSizes([300, upper.width() - 300])
    before = upper.sizes()
    first.close()

    second = open_window(folder / "orders.yaml")

    assert second.workbench._splitters[0].sizes()[0] == pytest.approx(before[0], abs=2)


@pytest.mark.parametrize(
    ("screen", "size"),
    [((2560, 1440), (1440, 900)), ((1440, 900), (1424, 852)), ((1366, 768), (1350, 720)), ((800, 600), (1024, 680))],
)
def test_the_first_window_fits_on_its_screen_with_its_frame(screen, size):
    assert first_size(QSize(*screen)) == QSize(*size)


def test_the_palette_adds_a_node_by_double_click(qtbot, window):
    nodes = window.workbench.palette_panel.nodes
    item = nodes.item(nodes.row_of("sort"))
    nodes.scrollToItem(item)
    at: QPoint = nodes.visualItemRect(item).center()
    QTest.mouseClick(nodes.viewport(), LEFT, pos=at)
    QTest.mouseDClick(nodes.viewport(), LEFT, pos=at)

    assert "sort" in window.workbench.document.pipeline.nodes


def test_an_example_is_opened_as_a_copy(window, tmp_path):
    from etl_studio.ui.examples import examples

    menu = window._menus["open_example"]
    menu.aboutToShow.emit()
    assert len(menu.actions()) == len(examples()) > 0

    menu.actions()[0].trigger()

    assert window.workbench.document.path.is_relative_to(tmp_path / "data")


def test_run_asks_for_a_parameter_without_a_default_and_takes_only_what_fits(qtbot, window):
    bench = window.workbench
    bench.document.set_parameters({"least": Parameter("least", "integer")})
    bench.document.set_setting("keep", "where", "quantity >= ${least}")
    seen = []

    def type_into_the_dialog():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, ParametersDialog):
            QTimer.singleShot(10, type_into_the_dialog)
            return
        QTest.keyClicks(dialog.fields["least"], "many")
        seen.append((dialog.problem.text(), dialog.run_button.isEnabled()))
        dialog.fields["least"].clear()
        QTest.keyClicks(dialog.fields["least"], "9")
        QTest.mouseClick(dialog.run_button, LEFT)

    QTimer.singleShot(0, type_into_the_dialog)
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        QTest.mouseClick(run_button(window), LEFT)

    assert seen == [('"least" must be a whole number.', False)]
    assert ended.args[0].rows_out == 200


def test_a_panel_that_is_used_now_and_then_has_a_tab_from_its_first_use(qtbot, window):
    bench = window.workbench
    tabs, dry_run = bench.tabs, bench.tabs.indexOf(bench.rehearsal)
    assert not tabs.isTabVisible(dry_run)
    assert tabs.isTabVisible(tabs.indexOf(bench.results))

    with qtbot.waitSignal(bench.controller.rehearsed, timeout=30_000):
        window.actions_by_name["dry_run"].trigger()

    assert tabs.isTabVisible(dry_run)
    assert tabs.currentWidget() is bench.rehearsal


@pytest.mark.parametrize(("width", "scrolls"), [(1440, False), (700, True)])
def test_no_tab_of_a_panel_is_out_of_sight_at_a_usual_width_and_a_narrow_window_scrolls_them(window, width, scrolls):
    tabs = window.workbench.tabs
    for index in range(tabs.count()):
        tabs.show_panel(tabs.widget(index))
    tabs.setParent(None)
    tabs.resize(width, 300)
    tabs.show()
    bar = tabs.tabBar()
    inside = [bar.rect().contains(bar.tabRect(index)) for index in range(tabs.count())]
    assert bar.usesScrollButtons() is scrolls
    assert all(inside) is not scrolls
    tabs.close()
