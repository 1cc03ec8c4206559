"""A small catalogue, a document and the hands of a person for all tests of the window."""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, qVersion
from PySide6.QtGui import QAction, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from etl_studio import sdk
from etl_studio.sdk import Port, Registry
from etl_studio.ui.actions import default_keys
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.theme.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etl_studio.pipeline.model import Pipeline


@pytest.fixture(scope="session", autouse=True)
def _garbage_is_collected_on_the_windows_thread_only() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _nothing_old_is_left_for_the_next_module() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _no_window_is_left_open(qapp) -> Iterator[None]:
    yield
    gc.collect(1)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    for widget in left:
        widget.close()
    assert not left, f"windows left open: {left}"


LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
TAKES_QPOINTF = tuple(map(int, qVersion().split(".")[:2])) >= (6, 12)


class CsvSource(sdk.Source):
    """Read rows from a CSV file."""

    type, title, icon, group = "csv_source", "CSV file", "file-csv", "extract"
    keywords = ("table", "spreadsheet")

    class Config(sdk.Config):
        """Settings."""

        path: str = sdk.setting(title="File", description="The file.", editor="file")

    def read(self, context):
        return ()


class WebPageSource(sdk.Source):
    """Read rows from the pages of a site."""

    type, title, icon, group = "web_page_source", "Web page", "globe", "extract"
    keywords = ("scrape", "html")

    class Config(sdk.Config):
        """Settings."""

        urls: list[str] = sdk.setting(title="Pages", description="The pages.")

    def read(self, context):
        return ()


class Filter(sdk.SqlTransform):
    """Keep the rows for which a condition holds."""

    type, title, icon, group = "filter", "Filter", "filter", "transform"
    keywords = ("where",)

    class Config(sdk.Config):
        """Settings."""

        where: str = sdk.setting("true", title="Condition", description="An SQL expression.", editor="sql")

    def query(self, inputs):
        return f"SELECT * FROM input WHERE {self.config.where}"


class Join(sdk.SqlTransform):
    """Put the columns of two inputs side by side."""

    type, title, icon, group = "join", "Join", "merge", "transform"
    inputs, outputs = (Port("left", "Left"), Port("right", "Right")), (sdk.OUT,)
    blocking = True

    def query(self, inputs):
        return "SELECT * FROM left POSITIONAL JOIN right"


class Sql(sdk.SqlTransform):
    """Any query over named inputs."""

    type, title, icon, group = "sql", "SQL", "code", "transform"
    inputs, outputs, open_inputs = (), (sdk.OUT,), True
    blocking = True

    def query(self, inputs):
        return "SELECT 1"


class Validate(sdk.SqlTransform):
    """Reject rows that break a rule."""

    type, title, icon, group = "validate", "Validate", "shield-check", "quality"

    def query(self, inputs):
        return "SELECT * FROM input"


class SqliteSink(sdk.Sink):
    """Load rows into a table of an SQLite file."""

    type, title, icon, group = "sqlite_sink", "SQLite table", "database", "load"
    keywords = ("database",)

    class Config(sdk.Config):
        """Settings."""

        table: str = sdk.setting(title="Table", description="The table.")

    def open(self, schema, context):
        """Nothing to open."""

    def write(self, batch, context):
        return ()

    def commit(self, context, mark=None):
        return sdk.Loaded()

    def abort(self, context):
        """Nothing to undo."""


TYPES = (CsvSource, WebPageSource, Filter, Join, Sql, Validate, SqliteSink)


@pytest.fixture
def registry() -> Registry:
    return Registry(TYPES)


@pytest.fixture
def theme(qapp) -> Theme:
    return Theme("light")


@pytest.fixture
def document(qapp, registry) -> PipelineDocument:
    return PipelineDocument(registry)


@pytest.fixture
def make_view(qtbot, theme) -> Callable[[PipelineDocument], Any]:
    """Shows a canvas for a document, 1000 by 700 pixels, with (0, 0) near its upper left corner.

    The keys of actions do there what they do in a window.
    """
    from etl_studio.ui.canvas.view import CanvasView

    def make(document: PipelineDocument) -> CanvasView:
        view = CanvasView(document, theme)
        qtbot.addWidget(view)
        view.resize(1000, 700)
        with qtbot.waitExposed(view):
            view.show()
        view.centerOn(450, 300)
        for name, act in view.acts.items():
            action = QAction(view)
            action.setShortcuts(default_keys(name))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.triggered.connect(partial(_act, act))
            view.addAction(action)
        view.setFocus()
        return view

    return make


def _act(act: Callable[[], object], *_: object) -> None:
    act()


@pytest.fixture
def view(document, make_view):
    return make_view(document)


def snapshot(document: PipelineDocument) -> Pipeline:
    """A copy of the data that later edits do not change, the order of nodes included."""
    pipeline = document.pipeline
    nodes = {
        name: replace(spec, config=dict(spec.config), policy=dict(spec.policy)) for name, spec in pipeline.nodes.items()
    }
    return replace(
        pipeline, nodes=nodes, wires=list(pipeline.wires), layout=dict(pipeline.layout),
        notes=dict(pipeline.notes), groups=dict(pipeline.groups), bends=dict(pipeline.bends),
        parameters=dict(pipeline.parameters), extra={"order": list(nodes)},
    )  # fmt: skip


def port_pixel(view, node: str, port: str) -> QPoint:
    """Where a port is, in pixels of the viewport."""
    item = view.pipeline_scene.nodes[node]
    is_input = any(p.is_input and p.name == port for p in item.ports)
    return view.mapFromScene(item.anchor(port, is_input=is_input))


def card_pixel(view, node: str) -> QPoint:
    """The middle of a card, in pixels of the viewport."""
    item = view.pipeline_scene.nodes[node]
    return view.mapFromScene(item.pos() + item.card().center())


def press_and_move(view, start: QPoint, end: QPoint, *, button=LEFT, keys=NO_KEY) -> None:
    """Press and move in ten steps; the button stays down."""
    QTest.mousePress(view.viewport(), button, keys, start)
    for step in range(1, 11):
        QTest.mouseMove(view.viewport(), start + (end - start) * step / 10)


def drag(view, start: QPoint, end: QPoint, *, button=LEFT, keys=NO_KEY) -> None:
    """Press, move, release, as a hand does."""
    press_and_move(view, start, end, button=button, keys=keys)
    QTest.mouseRelease(view.viewport(), button, keys, end)


def synth_drop(view, mime: QMimeData, pixel: QPoint) -> bool:
    """The three events of a drop; False when the canvas refuses it."""
    for kind in (QDragEnterEvent, QDragMoveEvent, QDropEvent):
        at = QPointF(pixel) if TAKES_QPOINTF or kind is QDropEvent else pixel
        event = kind(at, Qt.DropAction.CopyAction, mime, LEFT, NO_KEY)
        QApplication.sendEvent(view.viewport(), event)
        if not event.isAccepted():
            return False
    return True


@pytest.fixture
def hand() -> SimpleNamespace:
    """What a person does with mouse and keys."""
    return SimpleNamespace(
        drag=drag, press_and_move=press_and_move, port=port_pixel, card=card_pixel, drop=synth_drop, snapshot=snapshot
    )
