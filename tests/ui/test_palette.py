"""The palette: sections, search, what could not be loaded."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from etl_studio.sdk.registry import FailedPlugin
from etl_studio.ui.node_search import search
from etl_studio.ui.palette import NodeList, Palette

pytestmark = pytest.mark.window


@pytest.fixture
def palette(registry, theme, qtbot):
    palette = Palette(registry, theme)
    qtbot.addWidget(palette)
    palette.resize(240, 600)
    with qtbot.waitExposed(palette):
        palette.show()
    return palette


def shown(palette):
    return [palette.nodes.item(row).text() for row in range(palette.nodes.count())]


def test_types_stand_under_their_sections_in_the_order_of_the_work(palette):
    assert shown(palette) == [
        "Extract", "CSV file", "Web page", "Transform", "Filter", "Join", "SQL", "Quality", "Validate",
        "Load", "SQLite table",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("fil", "Filter"),
        ("scrape", "Web page"),
        ("sqs", "SQLite table"),
        ("where", "Filter"),
        ("TABLE sq", "SQLite table"),
    ],
)
def test_search_finds_by_title_type_keyword_and_letters(palette, query, first):
    QTest.keyClicks(palette.search_field, query)

    assert shown(palette)[0] == first


def test_a_search_without_result_says_so(palette):
    QTest.keyClicks(palette.search_field, "zzz")

    assert shown(palette) == []
    assert "zzz" in palette._nothing.text()
    assert palette._nothing.isVisible()


def test_an_empty_query_finds_everything(registry):
    assert len(search("  ", registry)) == len(registry)


def test_enter_in_the_search_and_a_double_click_choose_a_type(palette, qtbot):
    QTest.keyClicks(palette.search_field, "join")
    with qtbot.waitSignal(palette.node_chosen) as told:
        QTest.keyClick(palette.search_field, Qt.Key.Key_Return)
    assert told.args == ["join"]
    palette.search_field.clear()
    box = palette.nodes.visualItemRect(palette.nodes.item(palette.nodes.row_of("filter")))
    with qtbot.waitSignal(palette.node_chosen) as told:
        QTest.mouseClick(palette.nodes.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
        QTest.mouseDClick(palette.nodes.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert told.args == ["filter"]


def test_press_and_move_start_a_drag(palette, monkeypatch):
    started = []
    monkeypatch.setattr(NodeList, "startDrag", lambda self, actions: started.append(self.currentItem().text()))
    viewport = palette.nodes.viewport()
    start = palette.nodes.visualItemRect(palette.nodes.item(palette.nodes.row_of("filter"))).center()

    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        QTest.mouseMove(viewport, start + QPoint(10 * step, 0))
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start)

    assert started == ["Filter"]


def test_the_tool_tip_is_the_first_line_of_the_documentation(palette):
    assert palette.nodes.item(palette.nodes.row_of("filter")).toolTip() == "Keep the rows for which a condition holds"


def test_a_plugin_that_could_not_be_loaded_is_named_with_its_error(palette, registry):
    assert palette._failed.isHidden()
    registry._failed.append(FailedPlugin("acme", "ImportError: no acme"))

    palette.refresh()

    assert "acme" in palette._failed.text()
    assert "ImportError" in palette._failed.text()
    assert palette._failed.isVisible()


def test_the_palette_tells_assistive_technology_what_it_is(palette):
    assert palette.accessibleName() == "Palette"
    assert palette.nodes.accessibleName() == "Node types"
    assert palette.search_field.accessibleName() == "Search nodes"
