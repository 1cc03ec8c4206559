"""Drops on the canvas: nodes of the palette, files of the desktop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from etl_studio.app.catalogue import full_registry
from etl_studio.pipeline.model import Wire
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.palette import Palette

pytestmark = pytest.mark.window


@pytest.fixture
def palette(registry, theme, qtbot):
    palette = Palette(registry, theme)
    qtbot.addWidget(palette)
    return palette


def dragged(palette, node_type):
    """What the palette's own drag of a row carries."""
    return palette.nodes.mimeData([palette.nodes.item(palette.nodes.row_of(node_type))])


def test_a_node_of_the_palette_lands_under_the_pointer(document, view, palette, hand):
    assert hand.drop(view, dragged(palette, "filter"), QPoint(400, 300))

    item = view.pipeline_scene.nodes["filter"]
    assert item.card().translated(item.pos()).contains(view.mapToScene(400, 300))
    assert view.pipeline_scene.chosen_nodes() == ["filter"]
    assert document.undo_stack.undoText() == "Add filter"


def test_a_node_dropped_on_a_wire_is_put_into_it_as_one_edit(document, view, palette, hand):
    document.add_node("csv_source", 0, 80)
    document.add_node("sqlite_sink", 608, 80)
    wire = Wire("csv", "out", "sqlite", "input")
    document.connect_ports(wire)
    before = hand.snapshot(document)
    middle = view.mapFromScene(view.pipeline_scene.wires[wire].path().pointAtPercent(0.5))

    hand.drop(view, dragged(palette, "filter"), middle)

    assert document.pipeline.wires == [Wire("csv", "out", "filter", "input"), Wire("filter", "out", "sqlite", "input")]
    document.undo_stack.undo()
    assert hand.snapshot(document) == before


def test_a_node_without_input_dropped_on_a_wire_is_only_added(document, view, palette, hand):
    document.add_node("csv_source", 0, 80)
    document.add_node("sqlite_sink", 608, 80)
    wire = Wire("csv", "out", "sqlite", "input")
    document.connect_ports(wire)

    hand.drop(view, dragged(palette, "web_page_source"), view.mapFromScene(416, 112))

    assert document.pipeline.wires == [wire]
    assert "web_page" in document.pipeline.nodes


def test_a_node_never_hides_another_one(document, view, palette, hand):
    hand.drop(view, dragged(palette, "filter"), QPoint(400, 300))
    hand.drop(view, dragged(palette, "filter"), QPoint(400, 300))

    assert len(set(document.pipeline.layout.values())) == 2


def test_something_unknown_is_refused(view, hand):
    unknown, text = QMimeData(), QMimeData()
    unknown.setData("application/x-etl-studio-node", b"no_such_type")
    text.setText("hello")

    assert not hand.drop(view, unknown, QPoint(10, 10))
    assert not hand.drop(view, text, QPoint(10, 10))


def files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def test_a_csv_file_becomes_its_source_with_the_path_set(document, view, hand, tmp_path):
    document.path = tmp_path / "job.etl.yaml"
    (tmp_path / "data").mkdir()
    inside, outside = tmp_path / "data" / "a.csv", tmp_path.parent / "b.CSV"

    assert hand.drop(view, files(inside, outside), QPoint(400, 300))

    assert document.pipeline.nodes["csv"].config == {"path": "data/a.csv"}
    assert document.pipeline.nodes["csv_2"].config == {"path": outside.as_posix()}


def test_a_pipeline_file_is_offered_to_the_window(document, view, hand, tmp_path, qtbot):
    path = tmp_path / "job.etl.yaml"
    path.write_text("etl_studio: 1\nname: job\n")

    with qtbot.waitSignal(view.file_dropped) as told:
        hand.drop(view, files(path), QPoint(400, 300))

    assert Path(told.args[0]) == path
    assert document.pipeline.nodes == {}


def test_a_file_that_no_node_reads_is_refused_with_the_reason(document, view, hand, tmp_path):
    hand.drop(view, files(tmp_path / "song.mp3"), QPoint(400, 300))

    assert "No node reads song.mp3" in view.tip.text()
    assert document.pipeline.nodes == {}


def text(words):
    mime = QMimeData()
    mime.setText(words)
    return mime


def test_an_address_out_of_a_browser_becomes_a_web_page(document, view, hand):
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/shop?page=2")])

    assert hand.drop(view, mime, QPoint(400, 300))

    assert document.pipeline.nodes["web_page"].config == {"urls": ["https://example.org/shop?page=2"]}
    assert document.undo_stack.undoText() == "Add web_page"
    assert view.tip.isHidden()


def test_a_csv_file_of_the_web_is_refused_with_the_reason(document, view, hand):
    assert hand.drop(view, text("https://example.org/orders.csv"), QPoint(400, 300))

    assert document.pipeline.nodes == {}
    assert "No node reads CSV files from the web" in view.tip.text()


def test_other_texts_are_not_taken(document, view, hand):
    assert not hand.drop(view, text("some words"), QPoint(400, 300))


CURL = "curl 'https://example.org/api?page=2' -H 'Authorization: Bearer s3cr3t' -H 'Accept: application/json'"


def test_a_pasted_curl_command_becomes_a_rest_source_and_its_secret_is_nowhere(make_view, qtbot, tmp_path):
    document = PipelineDocument(full_registry())
    view = make_view(document)
    QGuiApplication.clipboard().setText(CURL)

    QTest.keyClick(view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    assert document.pipeline.nodes["rest"].config == {
        "url": "https://example.org/api",
        "pagination": {"kind": "auto"},
        "params": {"page": "2"},
        "headers": {"Accept": "application/json"},
        "auth": {"kind": "bearer", "token": "${secret:example_org_token}"},
    }
    assert "Set ETL_STUDIO_SECRET_EXAMPLE_ORG_TOKEN" in view.tip.text()
    document.save(tmp_path / "a.etl.yaml")
    assert "s3cr3t" not in (tmp_path / "a.etl.yaml").read_text()
    document.check_now()
    assert [problem for problem in document.problems if problem.severity == "error"] == []
    document.undo_stack.undo()
    assert document.pipeline.nodes == {}


REAL_DRAG = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget

spec = spec_from_file_location("window_conftest", sys.argv[1])
catalogue = module_from_spec(spec)
spec.loader.exec_module(catalogue)
from etl_studio.sdk import Registry
from etl_studio.ui.canvas.view import CanvasView
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.palette import Palette
from etl_studio.ui.theme.theme import Theme

app = QApplication([])
registry, theme = Registry(catalogue.TYPES), Theme("light")
document = PipelineDocument(registry)
window = QWidget()
row = QHBoxLayout(window)
palette, view = Palette(registry, theme), CanvasView(document, theme)
row.addWidget(palette)
row.addWidget(view, 1)
window.resize(1000, 600)
window.show()
QTest.qWaitForWindowExposed(window)
handle, rows = window.windowHandle(), palette.nodes
box = rows.visualItemRect(rows.item(rows.row_of("filter")))
start = rows.viewport().mapTo(window, box.center())
end = view.viewport().mapTo(window, QPoint(300, 250))
left = Qt.MouseButton.LeftButton
acts = [lambda: QTest.mousePress(handle, left, pos=start)]
acts += [lambda at=start + (end - start) * step / 12: QTest.mouseMove(handle, at) for step in range(13)]
acts += [lambda: QTest.mouseRelease(handle, left, pos=end)]


def act():
    now = acts.pop(0)
    if acts:
        QTimer.singleShot(40, act)  # before acting: the drag has an event loop of its own
    now()


QTimer.singleShot(20, act)
document.node_added.connect(app.quit)
QTimer.singleShot(8000, app.quit)
app.exec()
print([spec.type for spec in document.pipeline.nodes.values()])
"""


def test_a_real_drag_from_the_palette_adds_a_node():
    conftest = Path(__file__).parent.parent / "conftest.py"
    done = subprocess.run(
        [sys.executable, "-c", REAL_DRAG, str(conftest)],
        env=os.environ | {"QT_QPA_PLATFORM": "minimal:enable_fonts"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['filter']"
