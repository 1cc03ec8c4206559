"""A person runs a pipeline with faults and reads the report."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox

from etl_studio.engine.events import RunStatus
from etl_studio.ui.run.faults_dialog import FaultReportDialog, FaultsDialog

pytestmark = pytest.mark.window

PIPELINE = """\
etl_studio: 1
name: numbers
nodes:
  make: {type: generate_source, config: {rows: 2000, columns: {id: i}}}
  save:
    type: sqlite_sink
    config: {table: numbers, write_disposition: append}
    policy: {retry: {attempts: 100, delay: 0.001, max_delay: 0.001}}
wires: [make -> save]
"""


def answer_dialog(rate):
    """Give a rate to the dialog as soon as it is there, and press Run."""

    def answer():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, FaultsDialog):
            QTimer.singleShot(10, answer)
            return
        dialog.rate.setValue(rate)
        QTest.mouseClick(dialog.run_button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, answer)


def test_a_run_with_faults_ends_with_its_report(qtbot, open_window, tmp_path):
    file = tmp_path / "numbers.yaml"
    file.write_text(PIPELINE)
    person = open_window(file)
    answer_dialog(60)
    with qtbot.waitSignal(person.bench.controller.faults_reported, timeout=30_000) as told:
        person.click_menu("Run", "Run with faults")

    report = told.args[0]
    assert report.status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert report.lost == 0
    assert report.nodes["save"].injected == {"busy": report.nodes["save"].retries}
    malformed = report.nodes["make"].injected["malformed_rows"]
    assert malformed == report.nodes["make"].dead_letters > 0
    dialog = person.window.findChild(FaultReportDialog)
    qtbot.waitUntil(dialog.isVisible)
    assert "0 rows lost" in dialog.words.text()
    assert [dialog.model.index(row, 0).data() for row in range(dialog.model.rowCount())] == ["make", "save"]
    close = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close)
    QTest.mouseClick(close, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: person.window.findChild(FaultReportDialog) is None)

    answer_dialog(0)
    with qtbot.waitSignal(person.bench.controller.faults_reported, timeout=30_000) as told:
        person.click_menu("Run", "Run with faults")
    assert told.args[0].injected == 0
    person.window.findChild(FaultReportDialog).close()
