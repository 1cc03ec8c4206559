"""A document over real files, and the panel that shows its rows."""

from __future__ import annotations

import pytest

from etl_studio.app.catalogue import full_registry
from etl_studio.app.previews import Previews
from etl_studio.app.studio import Studio
from etl_studio.pipeline.model import Wire
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.previews.panel import PreviewPanel
from etl_studio.ui.previews.runner import PreviewRunner


@pytest.fixture
def studio():
    with Studio() as studio:
        yield studio


@pytest.fixture
def orders(qapp, tmp_path):
    """A pipeline that reads a file and keeps some of its rows."""
    (tmp_path / "orders.csv").write_text("id,qty\n1,5\n2,7\n3,9\n", encoding="utf-8")
    document = PipelineDocument(full_registry())
    document.add_node("csv_source", 0, 0, {"path": str(tmp_path / "orders.csv")})
    document.add_node("filter", 300, 0, {"where": "qty > 5"})
    document.connect_ports(Wire("csv", "out", "filter", "input"))
    return document


@pytest.fixture
def make_panel(qtbot, theme):
    """Shows the panel for a document, with what gives it its previews."""
    panels = []

    def make(document, previews, *, visible=True) -> PreviewPanel:
        panel = PreviewPanel(PreviewRunner(previews, document), document, theme)
        panels.append(panel)
        qtbot.addWidget(panel)
        panel.resize(1000, 300)
        if visible:
            with qtbot.waitExposed(panel):
                panel.show()
        return panel

    yield make
    for panel in panels:
        panel.close_threads()


@pytest.fixture
def panel(make_panel, orders, studio):
    return make_panel(orders, Previews(studio))
