"""A person looks at a recorded run again, by keys and mouse; nothing runs for it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog

from tests.ui.e2e.test_debugging_in_window import PIPELINE, WAIT, WIRE

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def person(qtbot, open_window, tmp_path):
    file = tmp_path / "small.etl.yaml"
    file.write_text(PIPELINE)
    person = open_window(file)
    person.bench.canvas.navigation.fit()
    return person


def run(qtbot, person):
    with qtbot.waitSignal(person.bench.controller.ended, timeout=WAIT):
        person.click_run()


def open_last(qtbot, person):
    """Choose the first entry of the question for a recorded run."""
    seen = []

    def answer():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QInputDialog):
            QTimer.singleShot(10, answer)
            return
        seen.extend(dialog.comboBoxItems())
        dialog.accept()

    QTimer.singleShot(0, answer)
    person.click_menu("Debug", "Look at a recorded run")
    playback = person.bench.debugging.playback
    qtbot.waitUntil(lambda: playback.recorded is not None, timeout=WAIT)
    return playback, seen


def rows(person):
    model = person.bench.debugging.panel.model
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_a_recorded_run_is_gone_through_by_keys_and_left_by_escape(qtbot, person):
    person.click_menu("Debug", "Record runs")
    assert person.bench.controller.records
    run(qtbot, person)
    ran = [person.card(name) for name in ("make", "small", "save")]

    playback, seen = open_last(qtbot, person)

    assert len(seen) == 1
    assert person.card("make") == ""
    assert playback.bar.words.text().endswith("before the run")
    QTest.keyClick(playback.bar, Qt.Key.Key_End)
    assert [person.card(name) for name in ("make", "small", "save")] == ran
    before = playback.bar.slider.value()
    QTest.keyClick(playback.bar, Qt.Key.Key_Left)
    assert playback.bar.slider.value() == before - 1
    QTest.keyClick(playback.bar, Qt.Key.Key_Home)
    assert person.card("small") == ""
    QTest.keyClick(playback.bar, Qt.Key.Key_Escape)
    assert not playback.bar.isVisible()
    assert person.card("small") == ""
    assert not person.bench.controller.is_running


def test_the_rows_on_the_selected_wire_are_those_of_the_moment(qtbot, person):
    person.click_menu("Debug", "Record runs")
    run(qtbot, person)
    playback, _ = open_last(qtbot, person)
    scene = person.bench.canvas.pipeline_scene
    wire = next(wire for wire in scene.wires if str(wire) == WIRE)

    scene.choose(wires=[wire])
    assert rows(person) == []
    QTest.keyClick(playback.bar, Qt.Key.Key_End)

    assert rows(person) == [str(number) for number in range(20)]
    model = person.bench.debugging.panel.model
    assert not model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsEditable


def test_it_plays_to_its_end_and_pauses_there(qtbot, person):
    person.click_menu("Debug", "Record runs")
    run(qtbot, person)
    playback, _ = open_last(qtbot, person)
    playback.bar.speed.setCurrentIndex(playback.bar.speed.count() - 1)

    QTest.keyClick(playback.bar, Qt.Key.Key_Space)

    qtbot.waitUntil(lambda: playback.bar.slider.value() == playback.bar.slider.maximum(), timeout=WAIT)
    assert not playback._timer.isActive()


def test_a_run_that_begins_ends_it(qtbot, person):
    person.click_menu("Debug", "Record runs")
    run(qtbot, person)
    playback, _ = open_last(qtbot, person)

    run(qtbot, person)

    assert playback.recorded is None
    assert person.card("small") == "20 → 10"


def test_without_a_recording_it_says_how_to_make_one(qtbot, person):
    person.click_menu("Debug", "Look at a recorded run")

    qtbot.waitUntil(person.bench.banner.isVisible, timeout=WAIT)
    assert person.bench.banner.text.startswith("No run was recorded here.")


def test_a_debugged_run_is_always_recorded(qtbot, person):
    with qtbot.waitSignal(person.bench.controller.rehearsed, timeout=WAIT):
        person.click_menu("Debug", "Debug")
        qtbot.waitUntil(lambda: person.bench.debugging.halt is not None, timeout=WAIT)
        QTest.mouseClick(person.bench.debugging.strip.buttons["debug_to_end"], LEFT)

    playback, _ = open_last(qtbot, person)

    assert playback.recorded.facts["kind"] == "dry_run"
    assert len(playback.recorded.moments) > 5
