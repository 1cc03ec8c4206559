"""Texts can be made larger; what holds them grows along, and nothing is cut off."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.text_size import kept_scale
from etl_studio.ui.theme.theme import SCALES, Theme
from etl_studio.ui.theme.tokens import FONT_BODY, FONT_SMALL


@pytest.fixture
def theme(qapp):
    """A theme that the application wears, and takes off again."""
    font, palette, sheet = QFont(qapp.font()), qapp.palette(), qapp.styleSheet()
    theme = Theme("light")
    theme.apply(qapp)
    yield theme
    qapp.setStyleSheet(sheet)
    qapp.setPalette(palette)
    qapp.setFont(font)


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


def test_fonts_and_what_holds_them_grow_together(theme):
    assert theme.font().pixelSize() == FONT_BODY
    theme.set_scale(1.5)

    assert QApplication.font().pixelSize() == round(FONT_BODY * 1.5)
    assert theme.font(FONT_SMALL, QFont.Weight.Bold).pixelSize() == round(FONT_SMALL * 1.5)
    assert theme.px(40) == 60


@pytest.mark.parametrize("scale", SCALES)
def test_controls_hold_their_texts_at_every_size(theme, qtbot, scale):
    theme.set_scale(scale)
    frame = QWidget()
    qtbot.addWidget(frame)
    column = QVBoxLayout(frame)
    heading = QLabel("Shop pages")
    heading.setProperty("role", "title")
    controls = [heading, QLineEdit("quantity"), QPushButton("Take the tour")]
    for control in controls:
        column.addWidget(control)
    frame.show()

    for control in controls:
        assert control.height() >= control.fontMetrics().height()
    assert controls[2].width() >= controls[2].fontMetrics().horizontalAdvance("Take the tour")


def test_the_size_stays_within_what_is_offered_and_is_told_once(theme, qtbot):
    with qtbot.waitSignal(theme.changed):
        theme.set_scale(9)
    assert theme.scale == SCALES[-1]
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_scale(2)


def test_it_is_chosen_in_the_menu_or_by_keys_and_remembered(theme, qtbot, settings, tmp_path):
    window = MainWindow(theme, settings, tmp_path)
    qtbot.addWidget(window)
    window._fill_text_sizes()
    entries = {action.text(): action for action in window._menus["text_size"].actions()}
    assert list(entries) == ["90%", "100%", "110%", "125%", "150%", "175%", "200%"]
    assert [text for text, action in entries.items() if action.isChecked()] == ["100%"]

    entries["150%"].trigger()
    assert (theme.scale, kept_scale(settings)) == (1.5, 1.5)
    window.actions_by_name["text_larger"].trigger()
    assert (theme.scale, kept_scale(settings)) == (1.75, 1.75)
    window.actions_by_name["text_smaller"].trigger()
    window.actions_by_name["text_smaller"].trigger()
    assert kept_scale(settings) == 1.25


def test_a_spoilt_setting_is_the_size_of_the_design(settings):
    settings.setValue("text_size", "huge")

    assert kept_scale(settings) == 1.0


def test_the_canvas_grows_along(theme, document, qtbot):
    from etl_studio.ui.canvas.view import CanvasView

    document.add_node("filter", 0, 0)
    view = CanvasView(document, theme)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    assert view.navigation.zoom == 1.0

    theme.set_scale(1.5)
    assert view.navigation.zoom == pytest.approx(1.5)
    view.navigation.zoom_out()
    view.navigation.zoom_reset()
    assert view.navigation.zoom == pytest.approx(1.5)
    theme.set_scale(1.0)
    assert view.navigation.zoom == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_rows_of_the_palette_hold_two_lines(theme, registry, qtbot, scale):
    from etl_studio.ui.palette import Palette

    theme.set_scale(scale)
    palette = Palette(registry, theme)
    qtbot.addWidget(palette)
    palette.resize(260, 500)
    palette.show()
    row = palette.nodes.row_of("filter")
    height = palette.nodes.visualItemRect(palette.nodes.item(row)).height()

    lines = theme.font(FONT_BODY), theme.font(FONT_SMALL)
    assert height >= sum(font.pixelSize() for font in lines) + 8


def test_rows_of_tables_grow_when_the_size_changes(theme, qtbot):
    from etl_studio.ui.tables.view import DataTable

    table = DataTable()
    qtbot.addWidget(table)
    table.show()
    before = table.verticalHeader().defaultSectionSize()

    theme.set_scale(2.0)

    assert table.verticalHeader().defaultSectionSize() > before
    assert table.verticalHeader().defaultSectionSize() >= table.fontMetrics().height()
