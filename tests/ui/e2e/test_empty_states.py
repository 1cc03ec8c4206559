"""Whatever is empty says what to do."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel

from etl_studio.ui.panels.notice import Notice

pytestmark = pytest.mark.window

DO = ("Run ", "Select ", "Press ", "Add ", "Clear ", "Drag ", "A dry run ", "Find ", "Save ", "Set ")


def told(widget):
    """The texts of the notices that are seen in a widget."""
    return [notice.text.text() for notice in widget.findChildren(Notice) if notice.isVisible()]


def test_every_empty_panel_says_what_to_do(open_window, qtbot):
    bench = open_window().bench
    bench.document.check_now()
    silent = {}
    for index in range(bench.tabs.count()):
        panel = bench.tabs.widget(index)
        bench.tabs.show_panel(bench.tabs.widget(index))
        if panel is bench.problems:
            assert "Add a source and a sink." in str(bench.document.problems[0])
            continue
        qtbot.waitUntil(lambda shown=panel: bool(told(shown)), timeout=10_000)
        if not all(text.startswith(DO) for text in told(panel)):
            silent[bench.tabs.tabText(index)] = told(panel)
    assert silent == {}


def test_canvas_inspector_outline_and_palette_say_what_to_do(open_window):
    bench = open_window().bench

    assert "Drag a node here" in bench.canvas.hint._text.text()
    assert any("Select a node on the canvas" in label.text() for label in bench.inspector.findChildren(QLabel))
    bench.side.show_outline()
    (text,) = told(bench.outline)
    assert text.startswith(DO)
    bench.side.setCurrentIndex(0)
    bench.palette_panel.search_field.setText("xylophone")
    assert "No node matches" in bench.palette_panel._nothing.text()
