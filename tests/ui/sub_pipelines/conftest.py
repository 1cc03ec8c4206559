"""A pipeline that uses another one, open in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication

from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme

WAIT = 30_000
CLEAN = """\
etl_studio: 1
name: clean orders
parameters: {minimum: {type: integer, default: 1}}
nodes:
  rows: {type: pipeline_input, config: {port: orders, rows: [{id: 1, quantity: 9}]}}
  keep: {type: filter, config: {where: "quantity >= ${minimum}"}}
  done: {type: pipeline_output, config: {port: clean}}
wires: [rows -> keep, keep -> done]
"""
SHOP = """\
etl_studio: 1
name: shop
nodes:
  read: {type: csv_source, config: {path: orders.csv}}
  tidy: {type: sub_pipeline, config: {file: parts/clean.etl.yaml, parameters: {minimum: 5}}}
  save: {type: csv_sink, config: {path: out.csv}}
wires: [read -> tidy.orders, tidy.clean -> save]
layout: {read: [0, 0], tidy: [320, 0], save: [640, 0]}
"""


@pytest.fixture
def shop(tmp_path):
    """The file of the outer pipeline; the inner one is ``parts/clean.etl.yaml`` beside it."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "clean.etl.yaml").write_text(CLEAN)
    (tmp_path / "orders.csv").write_text("id,quantity\n1,3\n2,7\n3,9\n")
    file = tmp_path / "shop.etl.yaml"
    file.write_text(SHOP)
    return file


@pytest.fixture
def window(qtbot, tmp_path, shop):
    """The window with it."""
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(Theme("light"), settings, tmp_path / "data")
    opening = Opening(window, shop)
    with qtbot.waitSignal(opening.finished, timeout=WAIT):
        window.show()
    qtbot.waitUntil(lambda: window.workbench is not None and window.workbench.isVisible(), timeout=WAIT)
    yield window
    for bench in window.benches:
        bench.controller.shut_down()
        QApplication.processEvents()
        bench.document.undo_stack.setClean()
    window.close()
    opening.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def known(qtbot, window):
    """The workbench of the outer pipeline once the inner file is known."""
    bench = window.workbench
    qtbot.waitUntil(lambda: bench.document.interface_of("tidy") is not None, timeout=WAIT)
    return bench
