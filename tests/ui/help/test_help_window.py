"""The help window: pages, search, the way back; by mouse and keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QTextDocument
from PySide6.QtTest import QTest

from etl_studio.app.catalogue import full_registry
from etl_studio.ui.help.library import Library
from etl_studio.ui.help.window import ADDRESS, HelpWindow


@pytest.fixture(scope="module")
def library():
    return Library(full_registry())


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def window(qtbot, library, theme, settings):
    window = HelpWindow(library, theme, settings)
    qtbot.addWidget(window)
    window.show()
    window.show_page("topic:overview")
    return window


def entries(window):
    return [window.pages.topLevelItem(row).text(0) for row in range(window.pages.topLevelItemCount())]


def test_a_page_is_shown_with_its_title_and_marked_in_the_list(window):
    window.show_page("node:filter")

    assert window.title.text() == "Filter"
    assert "Keeps the rows for which a condition is true" in window.text.toPlainText()
    assert window.pages.currentItem().text(0) == "Filter"


def test_a_setting_is_scrolled_into_sight_and_marked(window):
    window.show_page("node:sqlite_sink", "config.valid_from")

    (mark,) = window.text.extraSelections()
    assert mark.cursor.selectedText() == "Valid from valid_from"
    assert window.text.viewport().rect().contains(window.text.cursorRect(mark.cursor))
    assert window.text.verticalScrollBar().value() > 0


def test_typing_lists_what_matches_and_shows_the_best(window):
    QTest.keyClicks(window.field, "delimiter")

    assert entries(window)[0] == "CSV file: Delimiter"
    assert window.address == "node:csv_source"
    (mark,) = window.text.extraSelections()
    assert mark.cursor.selectedText() == "Delimiter delimiter"


def test_what_is_not_there_is_said_and_clearing_brings_all_pages_back(window):
    QTest.keyClicks(window.field, "xylophone")
    assert entries(window) == ["Nothing is said about “xylophone”."]

    window.field.clear()
    assert entries(window)[0] == "Topics"


def test_arrow_keys_go_from_the_field_to_the_pages_and_on(window):
    QTest.keyClicks(window.field, "key")
    QTest.keyClick(window.field, Qt.Key.Key_Down)
    first = window.address
    QTest.keyClick(window.pages, Qt.Key.Key_Down)

    assert window.pages.hasFocus()
    assert window.address != first
    assert window.address == window.pages.currentItem().data(0, ADDRESS)


def test_a_link_leads_to_its_page_and_back_again(window, qtbot):
    anchor = window.text.document().find("Polic", 0, QTextDocument.FindFlag.FindCaseSensitively)
    window.text.setTextCursor(anchor)
    window.text.ensureCursorVisible()
    place = window.text.cursorRect(anchor).center()
    QTest.mouseClick(window.text.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.address == "topic:policies"

    QTest.mouseClick(window.back, Qt.MouseButton.LeftButton)
    assert window.address == "topic:overview"
    assert not window.back.isEnabled()
    QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert window.address == "topic:policies"


def test_an_unknown_page_shows_the_overview(window):
    window.show_page("node:from_a_plugin_that_is_gone", "config.x")

    assert window.address == "topic:overview"


def test_it_does_not_hold_the_main_window_up_and_remembers_its_size(window, library, theme, settings, qtbot):
    assert not window.isModal()
    window.resize(800, 500)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()

    again = HelpWindow(library, theme, settings)
    qtbot.addWidget(again)
    assert (again.width(), again.height()) == (800, 500)
