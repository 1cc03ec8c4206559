"""The first minutes of somebody who has never seen the program: every click and key is counted."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio.engine.events import RunStatus
from etl_studio.ui.start.demo_shop import DemoShop

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
FEW = 10


class Beginner:
    """Uses mouse and keys only, and counts.

    Args:
        window: the window as the program has opened it.
    """

    def __init__(self, window):
        self.window = window
        self.actions = 0

    def click(self, widget):
        assert widget.isVisible()
        assert widget.isEnabled()
        self.actions += 1
        QTest.mouseClick(widget, LEFT)

    def press(self, key, keys=Qt.KeyboardModifier.NoModifier):
        self.actions += 1
        QTest.keyClick(QApplication.focusWidget(), key, keys)


@pytest.fixture(autouse=True)
def _the_usual_port_is_left_to_the_person_who_tests(monkeypatch):
    """The shop opens at a port of its own here, as it does where another program has the usual one."""
    asked = DemoShop.__init__
    monkeypatch.setattr(DemoShop, "__init__", lambda shop, parent=None: asked(shop, parent, "http://127.0.0.1:0"))


@pytest.fixture
def beginner(open_window, qtbot):
    window = open_window(stay=True).window
    page = window.beginning.page
    qtbot.waitUntil(lambda: bool(page.cards))
    window.activateWindow()
    qtbot.waitUntil(page.cards[0].hasFocus)
    return Beginner(window)


def shop_is_open(beginner, qtbot):
    qtbot.waitUntil(lambda: beginner.window.workbench is not None)
    banner = beginner.window.workbench.banner
    qtbot.waitUntil(lambda: "demo shop is open" in banner.text)
    return beginner.window.workbench


def products(bench):
    with closing(sqlite3.connect(bench.document.path.parent / ".etl_studio" / "data.db")) as database:
        return database.execute("SELECT count(*), sum(price) FROM products").fetchone()


def test_by_mouse_from_the_start_page_to_a_scrape_of_the_demo_shop_in_under_ten_actions(beginner, qtbot):
    beginner.click(beginner.window.beginning.page.cards[0])
    bench = shop_is_open(beginner, qtbot)
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        beginner.click(beginner.window._run_button)

    assert ended.args[0].status is RunStatus.DONE
    assert products(bench)[0] == 235
    assert beginner.actions < FEW
    assert beginner.actions == 2


def test_by_keyboard_from_the_start_page_to_a_scrape_of_the_demo_shop_in_under_ten_actions(beginner, qtbot):
    beginner.press(Qt.Key.Key_Return)
    bench = shop_is_open(beginner, qtbot)
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        beginner.press(Qt.Key.Key_F5)

    assert ended.args[0].status is RunStatus.DONE
    assert products(bench)[0] == 235
    assert beginner.actions == 2 < FEW


def test_a_template_opens_as_a_copy_of_the_persons_own_and_the_start_page_makes_way(beginner, qtbot, tmp_path):
    beginner.click(beginner.window.beginning.page.cards[2])

    bench = beginner.window.workbench
    assert bench.document.path == tmp_path / "data" / "pipelines" / "clean_a_csv" / "clean_a_csv.etl.yaml"
    assert len(beginner.window.tabs.pages) == 1
    assert beginner.window.recent.paths() == [bench.document.path]
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        beginner.click(beginner.window._run_button)
    assert ended.args[0].status is RunStatus.DONE
    assert (bench.document.path.parent / "customers_clean.csv").is_file()


def test_where_the_usual_port_is_taken_the_pipeline_asks_where_the_shop_is_now(beginner, qtbot):
    beginner.click(beginner.window.beginning.page.cards[1])
    bench = shop_is_open(beginner, qtbot)

    url = beginner.window.beginning.shop.url
    assert bench.document.pipeline.parameters["site"].default == url != "http://127.0.0.1:8750"
    bench.document.undo_stack.undo()
    assert bench.document.pipeline.parameters["site"].default == "http://127.0.0.1:8750"


def test_the_start_page_comes_back_by_the_menu_with_the_file_that_was_open(beginner, qtbot):
    beginner.click(beginner.window.beginning.page.cards[3])
    beginner.window.actions_by_name["start_page"].trigger()
    page = beginner.window.beginning.page

    qtbot.waitUntil(lambda: [row.accessibleName() for row in page.recent_rows] == ["merge_two_files"])
    beginner.click(page.recent_rows[0])
    assert [type(one).__name__ for one in beginner.window.tabs.pages] == ["Workbench"], "it is open already"


def test_closing_the_window_closes_the_shop(beginner, qtbot):
    beginner.click(beginner.window.beginning.page.cards[0])
    shop_is_open(beginner, qtbot)
    shop = beginner.window.beginning.shop
    beginner.window.workbench.document.undo_stack.setClean()

    beginner.window.close()

    assert (shop._sites, shop.url) == ([], "")
