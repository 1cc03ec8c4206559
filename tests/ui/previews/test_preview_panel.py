"""The rows at what is selected come by themselves, and say when they are old."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest
from PySide6.QtCore import QModelIndex, Qt, QThread
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest

from etl_studio.app.previews import Preview, Previews
from etl_studio.demo import DemoSite
from etl_studio.engine.samples import Sample
from etl_studio.errors import PermanentError
from etl_studio.pipeline.model import Wire
from etl_studio.ui.previews.following import QUIET

LEFT = Qt.MouseButton.LeftButton
PALE = Qt.ItemDataRole.ForegroundRole
SLOW = 30_000
"""Milliseconds: the first request loads the HTTP client."""


def texts(panel, column: int) -> list[str]:
    return [panel.model.index(row, column).data() for row in range(panel.model.rowCount())]


class Held:
    """Stands where the previews are, so that a test decides when and how they end."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.release.set()
        self.stopped = threading.Event()
        self.threads: set[bool] = set()

    def look(self, pipeline, node, *, rows, on_run, **rest):
        self.threads.add(QThread.currentThread() is QGuiApplication.instance().thread())
        on_run(self)
        self.release.wait(10)
        if node == "bad":
            raise PermanentError('There is no column "quantity".', hint='Did you mean "qty"?', node=node)
        table = pa.table({"n": range(rows if node == "many" else 2)})
        return Preview(node, {node: Sample({"out": table}, frozenset({"many"} if node == "many" else ()))})

    def stop(self, *, hard):
        self.stopped.set()
        self.release.set()


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def busy(make_panel, document, held):
    """A panel whose rows come when the test lets them."""
    return make_panel(document, held)


def test_rows_are_computed_outside_of_the_windows_thread(qtbot, busy, held):
    busy.load("some")
    qtbot.waitUntil(lambda: busy.model.rowCount() == 2)

    assert held.threads == {False}
    assert busy.bar.state.text() == "2 rows, 1 column"
    assert busy.table.isVisible()
    assert not busy.bar.busy.isVisible()


def test_a_full_sample_says_that_these_are_the_first_rows(qtbot, busy):
    busy.load("many")
    qtbot.waitUntil(lambda: busy.model.rowCount() == 200)

    assert busy.bar.state.text() == "first 200 rows, 1 column"


def test_an_error_is_shown_with_its_text(qtbot, busy):
    busy.load("bad")
    qtbot.waitUntil(lambda: "could not" in busy.notice.headline.text())

    assert busy.notice.text.text() == 'bad: There is no column "quantity". Did you mean "qty"?'
    assert busy.bar.refresh.isEnabled()


def test_refresh_computes_again_and_is_busy_meanwhile(qtbot, busy, held):
    busy.show_node("some")
    held.release.clear()
    QTest.mouseClick(busy.bar.refresh, LEFT)

    assert busy.bar.busy.isVisible()
    held.release.set()
    qtbot.waitUntil(lambda: busy.model.rowCount() == 2)


def test_turning_to_another_node_stops_the_run_and_drops_its_rows(qtbot, busy, held):
    held.release.clear()
    busy.load("many")
    qtbot.waitUntil(lambda: held.threads == {False})
    busy.show_node("other")

    assert held.stopped.wait(5)
    busy.load("some")
    qtbot.waitUntil(lambda: busy.model.rowCount() == 2)
    assert busy.bar.title.text() == "some"


def test_the_rows_of_a_selected_node_come_by_themselves(qtbot, panel):
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)

    assert texts(panel, 1) == ["7", "9"]
    assert panel.model.headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole) == "qty\ninteger"
    assert panel.bar.title.text() == "Filter"


def test_a_change_makes_the_shown_rows_stale_until_the_new_ones_are_there(qtbot, panel, orders, theme):
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    orders.set_setting("filter", "where", "qty > 7")

    assert texts(panel, 1) == ["7", "9"]
    assert panel.bar.state.text().startswith("stale")
    assert panel.model.index(0, 0).data(PALE) == QColor(theme.tokens.text_muted)
    qtbot.waitUntil(lambda: texts(panel, 1) == ["9"])
    assert panel.bar.state.text() == "1 row, 2 columns"
    assert panel.model.index(0, 0).data(PALE) is None


def test_a_change_elsewhere_leaves_the_rows_as_they_are(qtbot, panel, orders):
    last = orders.add_node("sort", 600, 0)
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    orders.connect_ports(Wire("filter", "out", last, "input"))
    orders.set_title(last, "By quantity")

    assert panel.bar.state.text() == "2 rows, 2 columns"
    assert not panel.follower._timer.isActive()


def test_many_quick_changes_are_one_computation(qtbot, panel, orders):
    asked = []
    panel.follower.computing.connect(lambda: asked.append(1))
    panel.show_node("filter")
    for least in range(5):
        orders.set_setting("filter", "where", f"qty > {least}")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 3)

    assert asked == [1]


def test_a_mistake_while_typing_keeps_the_old_rows_and_tells_the_reason(qtbot, panel, orders):
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    orders.set_setting("filter", "where", "quantity > 5")
    qtbot.waitUntil(lambda: "quantity" in panel.bar.state.text())

    assert panel.bar.state.property("role") == "danger"
    assert texts(panel, 1) == ["7", "9"]


def test_a_node_that_fails_at_once_tells_node_and_reason(qtbot, panel, orders):
    orders.set_setting("filter", "where", "quantity > 5")
    panel.show_node("filter")
    qtbot.waitUntil(lambda: "could not" in panel.notice.headline.text())

    assert "quantity" in panel.notice.text.text()
    assert "Traceback" not in panel.notice.text.text()


def test_rows_that_nobody_sees_are_not_computed(qtbot, make_panel, orders, studio):
    panel = make_panel(orders, Previews(studio), visible=False)
    with qtbot.waitSignal(panel._runner.ready) as told:
        panel.show_node("filter")
    assert told.args[0].samples == {}

    panel.show()
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)


def test_refused_rows_are_on_a_port_of_their_own_with_the_reason_first(qtbot, panel, orders):
    orders.set_setting("filter", "where", "qty > 5 AND 10 // (id - 2) <> 0")
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 1)
    assert panel.bar.ports.button("out").text() == "Rows 1"
    assert panel.bar.ports.button("rejects").text() == "Rejects 1"
    QTest.mouseClick(panel.bar.ports.button("rejects"), LEFT)

    assert panel.model.headerData(0, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole) == "_error\ntext"
    assert texts(panel, 1) == ["2"]
    assert "zero" in texts(panel, 0)[0]


def test_a_selected_wire_shows_the_rows_on_it(qtbot, panel, orders):
    last = orders.add_node("sort", 600, 0)
    wire = Wire("filter", "rejects", last, "input")
    orders.connect_ports(wire)
    panel.show_wire(wire)
    qtbot.waitUntil(lambda: panel.model.columnCount() == 5)

    assert panel.bar.title.text() == "Filter (rejects) → Sort"
    assert panel.bar.state.text() == "0 rows, 5 columns"
    orders.remove(wires=[wire])
    assert panel.notice.headline.text() == "Nothing selected"


def test_the_size_of_the_sample_is_chosen_in_the_bar(qtbot, panel, orders, tmp_path):
    (tmp_path / "orders.csv").write_text("id,qty\n" + "1,9\n" * 1_500)
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.bar.state.text() == '200 rows, 2 columns, from the first 200 of "CSV file"')
    panel.bar.size.setFocus()
    QTest.keyClick(panel.bar.size, Qt.Key.Key_Down)

    qtbot.waitUntil(lambda: panel.bar.state.text() == '1,000 rows, 2 columns, from the first 1,000 of "CSV file"')


def test_a_renamed_node_stays_in_sight(qtbot, panel, orders):
    panel.show_node("filter")
    qtbot.waitUntil(lambda: panel.model.rowCount() == 2)
    orders.rename_node("filter", "keep")
    assert panel.node == "keep"
    qtbot.waitUntil(lambda: panel.bar.state.text() == "2 rows, 2 columns")


def test_another_machine_is_asked_only_by_the_button(qtbot, make_panel, orders, studio):
    with DemoSite(products=5) as site:
        orders.add_node("rest_source", 0, 200, {"url": f"{site.url}/api/products", "items": "data.items"})
        after = orders.add_node("filter", 300, 200, {"where": "true"})
        orders.connect_ports(Wire("rest", "out", after, "input"))
        panel = make_panel(orders, Previews(studio))
        panel.show_node(after)
        qtbot.waitUntil(lambda: "another machine" in panel.notice.headline.text(), timeout=SLOW)
        assert panel.notice.headline.text() == '"REST API" asks another machine'
        assert not site.requests

        QTest.mouseClick(panel.bar.refresh, LEFT)
        qtbot.waitUntil(lambda: panel.model.rowCount() == 5, timeout=SLOW)
        asked = len(site.requests)
        orders.set_setting(after, "where", "false")
        qtbot.waitUntil(lambda: panel.bar.state.text().startswith("0 rows"), timeout=SLOW)
        assert len(site.requests) == asked

        orders.set_setting("rest", "params", {"x": "1"})
        qtbot.waitUntil(lambda: panel.bar.state.text().endswith("press Refresh"), timeout=SLOW)
        assert len(site.requests) == asked


def test_nothing_is_asked_while_a_person_still_types(qtbot, panel):
    assert panel.follower._timer.interval() == QUIET
    panel.show_node("filter")
    assert panel.model.rowCount(QModelIndex()) == 0
    assert panel.follower._timer.isActive()
