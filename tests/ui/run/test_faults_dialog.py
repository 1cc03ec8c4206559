"""A run with faults in the window: what is asked before, and what is told after."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.engine.events import RunStatus
from etl_studio.engine.inject import FaultReport, Injection, NodeFaults
from etl_studio.ui.run.faults_dialog import FaultReportDialog, FaultsDialog

pytestmark = pytest.mark.window


@pytest.fixture
def dialog(qtbot):
    dialog = FaultsDialog(["read", "save"], Injection(seed=3, rate=0.25))
    qtbot.addWidget(dialog)
    return dialog


def test_it_begins_with_what_was_injected_last(dialog):
    assert dialog.injection == Injection(seed=3, rate=0.25)
    assert not dialog.kinds["disk_full"].isChecked(), "it ends every run"


def test_nodes_and_faults_are_chosen_by_their_boxes(dialog):
    dialog.nodes.item(0).setCheckState(Qt.CheckState.Unchecked)
    for kind, box in dialog.kinds.items():
        if kind not in ("busy", "disk_full"):
            QTest.keyClick(box, Qt.Key.Key_Space)
    QTest.keyClick(dialog.kinds["disk_full"], Qt.Key.Key_Space)

    assert dialog.injection == Injection(3, 0.25, ("save",), ("busy", "disk_full"))


def test_nothing_to_fail_cannot_be_run(dialog):
    for row in range(2):
        assert dialog.run_button.isEnabled()
        dialog.nodes.item(row).setCheckState(Qt.CheckState.Unchecked)

    assert not dialog.run_button.isEnabled()


def shown(model):
    return [
        [model.index(row, column).data() for column in range(model.columnCount())] for row in range(model.rowCount())
    ]


def test_the_report_shows_a_line_for_each_node(qtbot, theme):
    done = NodeFaults({"busy": 2, "timeout": 1}, 1200, 3, 1, 4, 5, 6, 7, 0)
    report = FaultReport(Injection(3), RunStatus.DONE, {"save": done})
    dialog = FaultReportDialog(report, theme)
    qtbot.addWidget(dialog)

    assert shown(dialog.model) == [["save", "3", "1,200", "3", "1", "4", "5", "6", "7", "0", "1.00"]]
    assert dialog.model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole) == "Database locked: 2\nTimeout: 1"
    assert dialog.words.text().startswith("3 faults injected (seed 3): 0 rows lost")


def test_rows_of_a_run_that_failed_count_as_neither_lost_nor_kept(qtbot, theme):
    failed = NodeFaults({"disk_full": 1}, 1, 0, 0, 0, 0, 0, 0, None)
    dialog = FaultReportDialog(FaultReport(Injection(3), RunStatus.FAILED, {"save": failed}), theme)
    qtbot.addWidget(dialog)

    assert shown(dialog.model)[0][9] == "–"  # noqa: RUF001 - a dash
    assert "did not end well" in dialog.words.text()
