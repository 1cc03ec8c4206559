"""Forms complete the columns that previews have shown."""

from __future__ import annotations

from etl_studio.app.previews import Previews
from etl_studio.pipeline.model import Wire
from etl_studio.ui.panels.known_columns import KnownColumns
from etl_studio.ui.previews.runner import PreviewRunner


def test_columns_seen_in_a_preview_are_known_further_down(qtbot, studio, orders):
    runner = PreviewRunner(Previews(studio), orders)
    known = KnownColumns(orders, runner)
    last = orders.add_node("sort", 600, 0)
    orders.connect_ports(Wire("filter", "out", last, "input"))
    assert known.arriving(last) == []
    with qtbot.waitSignal(runner.ready):
        runner.request("csv")
    assert known.arriving(last) == ["id", "qty"]

    orders.rename_node("csv", "orders")
    assert known.arriving_types("filter") == {"id": "integer", "qty": "integer"}
    orders.set_setting("orders", "path", "other.csv")
    assert known.arriving("filter") == []
    runner.close()


def test_the_rows_that_arrive_at_a_node_are_known_until_something_before_them_changes(qtbot, studio, orders):
    runner = PreviewRunner(Previews(studio), orders)
    known = KnownColumns(orders, runner)
    assert known.sample_arriving("filter") is None
    with qtbot.waitSignal(runner.ready):
        runner.request("filter")
    assert known.sample_arriving("filter").column("qty").to_pylist() == [5, 7, 9]
    assert known.sample_arriving("csv") is None

    orders.set_setting("filter", "where", "true")
    assert known.sample_arriving("filter") is not None
    orders.set_setting("csv", "delimiter", ";")
    assert known.sample_arriving("filter") is None
    runner.close()


def test_the_columns_of_the_rejects_port_are_known_as_its_own(qtbot, studio, orders):
    runner = PreviewRunner(Previews(studio), orders)
    known = KnownColumns(orders, runner)
    last = orders.add_node("sort", 600, 0)
    orders.connect_ports(Wire("filter", "rejects", last, "input"))
    with qtbot.waitSignal(runner.ready):
        runner.request("filter")
    assert known.arriving(last) == ["id", "qty", "_error", "_error_type", "_node"]
    assert known.sample_arriving(last).num_rows == 0
    runner.close()
