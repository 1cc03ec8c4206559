"""One click makes a test of the rows that are shown."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.app.pipeline_tests import run_case

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def shown(qtbot, panel, orders, tmp_path):
    """The rows of the filter of a saved pipeline."""
    orders.save(tmp_path / "shop.etl.yaml")
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    return panel


def test_one_click_makes_a_test_that_passes(qtbot, shown, orders, studio, tmp_path):
    QTest.mouseClick(shown.bar.test, LEFT)
    qtbot.waitUntil(lambda: shown.bar.state.text() == 'The test "filter" is kept in shop.tests')
    folder = tmp_path / "shop.tests" / "filter"
    assert run_case(studio, orders.pipeline, folder, file=orders.path).status == "passed"


def test_why_no_test_was_made_is_told(qtbot, shown, orders, tmp_path):
    (tmp_path / "shop.tests").write_text("in the way")
    QTest.mouseClick(shown.bar.test, LEFT)
    qtbot.waitUntil(lambda: shown.bar.state.property("role") == "danger")
    assert "cannot be written" in shown.bar.state.text()


def test_rows_that_are_only_read_make_no_test(qtbot, shown):
    assert shown.bar.test.isVisible()
    shown.show_node("csv")
    qtbot.waitUntil(lambda: shown.model.rowCount() == 3)
    assert not shown.bar.test.isVisible()
