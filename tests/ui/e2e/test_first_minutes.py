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

    def choose(self, template):
        self.click(next(card for card in self.window.beginning.page.cards if template in card.path.parts))

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
    beginner.choose("clean_a_csv")

    bench = beginner.window.workbench
    assert bench.document.path == tmp_path / "data" / "pipelines" / "clean_a_csv" / "clean_a_csv.etl.yaml"
    assert len(beginner.window.tabs.pages) == 1
    assert beginner.window.recent.paths() == [bench.document.path]
    with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
        beginner.click(beginner.window._run_button)
    assert ended.args[0].status is RunStatus.DONE
    assert (bench.document.path.parent / "customers_clean.csv").is_file()


def test_where_the_usual_port_is_taken_the_pipeline_asks_where_the_shop_is_now(beginner, qtbot):
    beginner.choose("sync_an_api")
    bench = shop_is_open(beginner, qtbot)

    url = beginner.window.beginning.shop.url
    assert bench.document.pipeline.parameters["site"].default == url != "http://127.0.0.1:8750"
    bench.document.undo_stack.undo()
    assert bench.document.pipeline.parameters["site"].default == "http://127.0.0.1:8750"


def test_the_start_page_comes_back_by_the_menu_with_the_file_that_was_open(beginner, qtbot):
    beginner.choose("merge_two_files")
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


class TestTour:
    def test_five_steps_by_mouse_end_at_the_rows_of_a_real_run(self, beginner, qtbot):
        window = beginner.window
        beginner.click(window.beginning.page.tour)
        bench, bubble = shop_is_open(beginner, qtbot), window.tour.bubble
        seen = []
        for _ in range(3):
            seen.append((bubble.place.text(), bubble.title.text()))
            assert not bubble.geometry().intersects(window._run_button.geometry())
            beginner.click(bubble.next)
        assert bubble.title.text() == "Run it"
        with qtbot.waitSignal(bench.controller.ended, timeout=30_000) as ended:
            beginner.click(bubble.next)
        assert ended.args[0].status is RunStatus.DONE
        assert products(bench)[0] == 235
        assert seen == [
            ("1 of 5", "Nodes do the work"), ("2 of 5", "Wires carry the rows"), ("3 of 5", "Settings of a node"),
        ]  # fmt: skip
        assert (bubble.place.text(), bubble.title.text()) == ("5 of 5", "The rows are here")
        assert bench.tabs.currentWidget() is bench.results
        beginner.click(bubble.next)
        assert not bubble.isVisible()
        assert not window.tour.ring.isVisible()
        assert beginner.actions == 6

    def test_the_same_by_keyboard_forth_and_back(self, beginner, qtbot):
        window = beginner.window
        window.beginning.page.tour.setFocus()
        beginner.press(Qt.Key.Key_Space)
        shop_is_open(beginner, qtbot)
        bubble = window.tour.bubble
        assert bubble.next.hasFocus()
        beginner.press(Qt.Key.Key_Return)
        beginner.press(Qt.Key.Key_Return)
        assert bubble.place.text() == "3 of 5"
        assert "Settings of a node" in bubble.next.accessibleDescription(), "a screen reader reads it with the button"
        beginner.press(Qt.Key.Key_Left)
        assert bubble.back.hasFocus()
        beginner.press(Qt.Key.Key_Return)
        assert bubble.place.text() == "2 of 5"

    def test_escape_skips_it_and_that_is_remembered(self, beginner, qtbot):
        window = beginner.window
        assert not window.tour.is_done
        beginner.click(window.beginning.page.tour)
        shop_is_open(beginner, qtbot)
        beginner.press(Qt.Key.Key_Escape)

        assert not window.tour.bubble.isVisible()
        assert window.tour.is_done
        assert window.workbench.canvas.hasFocus()

    def test_it_can_be_taken_again_from_the_help_menu(self, beginner, qtbot):
        window = beginner.window
        beginner.click(window.beginning.page.tour)
        shop_is_open(beginner, qtbot)
        beginner.click(window.tour.bubble.skip)

        window.actions_by_name["tour"].trigger()

        assert window.tour.bubble.isVisible()
        assert window.tour.step == 0
        assert len(window.tabs.benches) == 1, "the pipeline of the tour is open already"

    def test_the_window_can_be_used_meanwhile(self, beginner, qtbot):
        window = beginner.window
        beginner.click(window.beginning.page.tour)
        bench = shop_is_open(beginner, qtbot)
        search = bench.palette_panel.search_field
        QTest.mouseClick(search, LEFT)
        QTest.keyClicks(search, "sort")
        assert bench.palette_panel.nodes.count() == 1

        window.tour.go_on()
        window.tour.go_on()
        window.tour.go_on()
        with qtbot.waitSignal(bench.controller.ended, timeout=30_000):
            QTest.mouseClick(window._run_button, LEFT)
        assert window.tour.step == 4, "the run that the person started leads on as well"

    def test_hidden_parts_come_back_for_their_step(self, beginner, qtbot):
        window = beginner.window
        window.actions_by_name["show_inspector"].setChecked(False)
        beginner.click(window.beginning.page.tour)
        bench = shop_is_open(beginner, qtbot)
        window.tour.go_on()
        window.tour.go_on()

        assert bench.inspector.isVisible()
        assert bench.inspector.selected == ("clean",)

    def test_turning_to_another_pipeline_ends_it(self, beginner, qtbot):
        window = beginner.window
        beginner.click(window.beginning.page.tour)
        shop_is_open(beginner, qtbot)

        window.actions_by_name["new"].trigger()

        assert not window.tour.bubble.isVisible()

    def test_the_bubble_stays_inside_and_at_its_part_when_the_window_changes(self, beginner, qtbot):
        window = beginner.window
        beginner.click(window.beginning.page.tour)
        shop_is_open(beginner, qtbot)
        for size in ((1440, 900), (1024, 680)):
            window.resize(*size)
            for number in range(5):
                window.tour._show(number)
                qtbot.waitUntil(lambda: not window.tour._again.isActive())
                assert window.rect().contains(window.tour.bubble.geometry())
                assert window.tour.bubble.text.heightForWidth(window.tour.bubble.text.width()) <= (
                    window.tour.bubble.text.height()
                ), "the whole text is seen"
