"""A selection becomes a sub-pipeline and back by menus, keys and file dialogs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from etl_studio.pipeline.file_format import dumps, load
from tests.ui.conftest import card_pixel
from tests.ui.e2e.person import Person
from tests.ui.sub_pipelines.conftest import WAIT

pytestmark = pytest.mark.window

LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
PLAIN = """\
etl_studio: 1
name: plain
parameters: {least: {type: integer, default: 5}}
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  keep: {type: filter, config: {where: "quantity >= ${least}"}}
  twice: {type: derive, config: {columns: {quantity: quantity * 2}}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [read -> keep, keep -> twice, twice -> save]
layout: {read: [0, 0], keep: [280, 0], twice: [560, 0], save: [840, 0]}
"""


@pytest.fixture
def plain(window, shop):
    """The workbench of a pipeline without sub-pipelines."""
    file = shop.with_name("plain.etl.yaml")
    file.write_text(PLAIN)
    window.opener.open(file)
    window.workbench.canvas.navigation.fit()
    return window.workbench


def click_both(bench):
    """Select keep and twice by clicks."""
    QTest.mouseClick(bench.canvas.viewport(), LEFT, pos=card_pixel(bench.canvas, "keep"))
    QTest.mouseClick(bench.canvas.viewport(), LEFT, CONTROL, pos=card_pixel(bench.canvas, "twice"))
    assert bench.canvas.pipeline_scene.chosen_nodes() == ["keep", "twice"]


def extracted(qtbot, window, bench, path):
    """Extract keep and twice into a file by the Edit menu; gives the title of the file dialog."""
    click_both(bench)
    person = Person(window)
    titles = person.answer_file_dialog(path)
    with qtbot.waitSignal(bench.inner.restructuring.done, timeout=WAIT):
        person.click_menu("Edit", "Extract into a sub-pipeline")
    return titles


def text(bench):
    return dumps(bench.document.pipeline, bench.document.registry)


def out(bench):
    return (bench.document.path.parent / "out.csv").read_text().splitlines()


def run(qtbot, bench):
    with qtbot.waitSignal(bench.controller.ended, timeout=WAIT):
        bench.run()
    return out(bench)


def test_a_selection_becomes_a_file_and_a_node_and_gives_the_same_rows(qtbot, window, plain, shop):
    before = run(qtbot, plain)
    path = shop.parent / "parts" / "double.etl.yaml"
    titles = extracted(qtbot, window, plain, path)

    assert titles == ["Extract into a sub-pipeline"]
    assert list(plain.document.pipeline.nodes) == ["read", "double", "save"]
    assert plain.document.pipeline.nodes["double"].config == {
        "file": "parts/double.etl.yaml",
        "parameters": {"least": "${least}"},
    }
    assert list(load(path, plain.document.registry).nodes) == ["keep", "twice", "input", "out"]
    assert plain.canvas.pipeline_scene.chosen_nodes() == ["double"]
    plain.document.check_now()
    assert plain.document.problems == []
    assert run(qtbot, plain) == before == ["id,quantity", "2,14", "3,18"]


def test_one_undo_brings_all_back_and_the_file_stays(qtbot, window, plain, shop):
    before = text(plain)
    path = shop.parent / "double.etl.yaml"
    extracted(qtbot, window, plain, path)
    assert text(plain) != before

    Person(window).click_menu("Edit", "Undo")
    assert text(plain) == before
    assert path.exists()
    assert not plain.document.undo_stack.canUndo()

    Person(window).click_menu("Edit", "Redo")
    assert list(plain.document.pipeline.nodes) == ["read", "double", "save"]


def test_inline_is_one_step_and_gives_the_pipeline_back(qtbot, window, plain, shop):
    before = plain.document.pipeline
    nodes, wires = dict(before.nodes), set(before.wires)
    extracted(qtbot, window, plain, shop.parent / "parts" / "double.etl.yaml")
    with qtbot.waitSignal(plain.inner.restructuring.done, timeout=WAIT):
        Person(window).click_menu("Edit", "Inline the sub-pipeline")

    assert plain.document.pipeline.nodes == nodes
    assert set(plain.document.pipeline.wires) == wires
    assert plain.canvas.pipeline_scene.chosen_nodes() == ["keep", "twice"]
    plain.document.undo_stack.undo()
    assert list(plain.document.pipeline.nodes) == ["read", "double", "save"]


def test_the_menu_of_the_canvas_offers_both(qtbot, window, plain, shop):
    extracted(qtbot, window, plain, shop.parent / "double.etl.yaml")
    canvas = plain.canvas
    hit = canvas.pipeline_scene.hit(canvas.mapToScene(card_pixel(canvas, "double")))
    menu = canvas.menu_for(hit, canvas.pointer_position())
    texts = {action.text().partition("\t")[0]: action for action in menu.actions()}
    assert "Extract into a sub-pipeline…" in texts

    with qtbot.waitSignal(plain.inner.restructuring.done, timeout=WAIT):
        texts["Inline the sub-pipeline"].trigger()
    menu.close()
    assert "twice" in plain.document.pipeline.nodes


def test_a_selection_with_a_gap_is_refused_with_the_node_between(qtbot, window, plain):
    plain.canvas.pipeline_scene.choose(["read", "twice"])
    Person(window).click_menu("Edit", "Extract into a sub-pipeline")

    assert plain.banner.text == (
        "keep lies between the selected nodes: rows would leave the sub-pipeline and come back. Select it, too."
    )
    assert plain.banner.go.text() == "Show keep"


def test_the_file_of_the_pipeline_itself_is_refused(qtbot, window, plain):
    click_both(plain)
    person = Person(window)
    person.answer_file_dialog(plain.document.path)
    QTimer.singleShot(0, _agree)  # that there is such a file already
    person.click_menu("Edit", "Extract into a sub-pipeline")

    assert "this is the pipeline itself" in plain.banner.text
    assert "keep" in plain.document.pipeline.nodes


def _agree():
    box = QApplication.activeModalWidget()
    if isinstance(box, QMessageBox):
        QTest.mouseClick(box.button(QMessageBox.StandardButton.Yes), LEFT)
    else:
        QTimer.singleShot(10, _agree)


def test_a_pipeline_without_a_file_is_saved_first(qtbot, window, plain, shop):
    bench = window.opener.new()
    document = bench.document
    document.add_node("filter", 0, 0)
    bench.canvas.pipeline_scene.choose(["filter"])
    asked = []

    def save_first():
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(10, save_first)
            return
        asked.append(box.text())
        person.answer_file_dialog(shop.with_name("new.etl.yaml"))
        QTest.mouseClick(box.button(QMessageBox.StandardButton.Save), LEFT)
        # the next dialog asks for the file of the sub-pipeline

    person = Person(window)
    QTimer.singleShot(0, save_first)
    document.path_changed.connect(lambda: person.answer_file_dialog(shop.with_name("part.etl.yaml")))
    with qtbot.waitSignal(bench.inner.restructuring.done, timeout=WAIT):
        person.click_menu("Edit", "Extract into a sub-pipeline")

    assert asked[0].startswith("Save the pipeline first")
    assert document.path == shop.with_name("new.etl.yaml")
    assert list(document.pipeline.nodes) == ["part"]


def test_the_keys_extract_too(qtbot, window, plain, shop):
    click_both(plain)
    person = Person(window)
    person.answer_file_dialog(shop.parent / "double.etl.yaml")
    with qtbot.waitSignal(plain.inner.restructuring.done, timeout=WAIT):
        QTest.keyClick(plain.canvas, Qt.Key.Key_E, CONTROL | Qt.KeyboardModifier.AltModifier)

    assert "double" in plain.document.pipeline.nodes
