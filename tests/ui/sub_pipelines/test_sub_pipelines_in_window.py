"""A sub-pipeline in the window: its ports, its file in a tab, the way back, and what a run shows of it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.engine.events import NodeCounts, NodeState
from etl_studio.pipeline.flat import Interface
from etl_studio.ui.canvas.live import LiveNode
from etl_studio.ui.canvas.live_parts import summed
from tests.ui.conftest import card_pixel, drag, port_pixel
from tests.ui.sub_pipelines.conftest import CLEAN, SHOP, WAIT

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


def double_click(bench, node):
    QTest.mouseDClick(bench.canvas.viewport(), LEFT, pos=card_pixel(bench.canvas, node))


def names(bench, node):
    return [(port.name, port.is_input, port.known) for port in bench.canvas.pipeline_scene.nodes[node].ports]


def live(bench, node):
    return bench.canvas.pipeline_scene.live.nodes.get(node)


def inner_bench(window):
    return next(bench for bench in window.benches if bench.document.path.name == "clean.etl.yaml")


def test_the_card_has_the_ports_and_the_name_of_its_file(known):
    assert names(known, "tidy") == [("orders", True, True), ("clean", False, True)]
    assert known.document.titles()["tidy"] == "clean orders"
    known.document.check_now()
    assert known.document.problems == []


def test_a_wire_is_drawn_to_the_port_of_the_file(known):
    known.canvas.pipeline_scene.choose(wires=[known.document.pipeline.wires[0]])
    QTest.keyClick(known.canvas, Qt.Key.Key_Delete)
    canvas = known.canvas
    drag(canvas, port_pixel(canvas, "read", "out"), port_pixel(canvas, "tidy", "orders"))

    assert "read.out -> tidy.orders" in map(str, known.document.pipeline.wires)


def test_a_problem_in_the_file_is_told_at_the_node(qtbot, window, known, shop):
    inner = shop.parent / "parts" / "clean.etl.yaml"
    inner.write_text(CLEAN.replace("{where:", "{were:"))
    window.opener.new()
    window.tabs.show_page(known)  # another tab, or another program, may have written it
    qtbot.waitUntil(lambda: any("has a problem" in one.message for one in known.document.problems), timeout=WAIT)

    (problem,) = [one for one in known.document.problems if "has a problem" in one.message]
    assert (problem.node, problem.field) == ("tidy", "config.file")
    assert "line 6" in problem.message
    assert names(known, "tidy")[0] == ("orders", True, True)


def test_a_file_that_is_missing_is_told_and_any_port_is_kept(qtbot, known):
    known.document.set_setting("tidy", "file", "gone.etl.yaml")
    qtbot.waitUntil(lambda: any("There is no file" in one.message for one in known.document.problems), timeout=WAIT)

    assert [port for port, *_ in names(known, "tidy")] == ["orders", "+", "clean"]


def test_a_double_click_opens_the_file_in_a_tab_with_the_way_back(qtbot, window, known):
    double_click(known, "tidy")

    inner = window.workbench
    assert inner is not known
    assert inner.document.path.name == "clean.etl.yaml"
    assert inner.inner.trail.isVisible()
    assert inner.inner.trail.text == "shop.etl.yaml ▸ clean orders"

    QTest.mouseClick(inner.inner.trail.buttons[0], LEFT)
    assert window.workbench is known
    assert not known.inner.trail.isVisible()


def test_keys_alone_open_it_and_lead_back(window, known):
    known.canvas.pipeline_scene.choose(["tidy"])
    known.canvas.setFocus()
    QTest.keyClick(known.canvas, Qt.Key.Key_Return)
    assert window.workbench is not known
    assert window.actions_by_name["go_back"].isEnabled()

    QTest.keyClick(window, Qt.Key.Key_Up, ALT | CONTROL)
    assert window.workbench is known
    assert not window.actions_by_name["go_back"].isEnabled()


def test_enter_on_another_node_shows_its_settings(window, known):
    known.canvas.pipeline_scene.choose(["read"])
    QTest.keyClick(known.canvas, Qt.Key.Key_Return)

    assert window.workbench is known
    assert known.inspector.selected == ("read",)


def test_the_way_back_opens_an_outer_pipeline_again_whose_tab_is_closed(window, known, shop):
    double_click(known, "tidy")
    inner = window.workbench
    window.opener.close(known)
    QTest.mouseClick(inner.inner.trail.buttons[0], LEFT)

    assert window.workbench.document.path == shop


def test_the_menu_of_the_node_opens_the_file_or_its_settings(window, known):
    from etl_studio.ui.canvas.scene import Hit

    menu = known.canvas.menu_for(Hit("tidy"), known.canvas.pointer_position())
    texts = {action.text().partition("\t")[0]: action for action in menu.actions()}
    texts["Settings"].trigger()
    assert window.workbench is known
    assert known.inspector.selected == ("tidy",)

    texts["Open"].trigger()
    assert window.workbench is not known
    menu.close()


def test_a_run_shows_the_rows_at_the_ports_on_the_card(qtbot, known):
    with qtbot.waitSignal(known.controller.ended, timeout=WAIT):
        known.run()

    node = live(known, "tidy")
    assert node.state is NodeState.DONE
    assert (node.counts.rows_in, node.counts.rows_out) == (3, 2)
    scene = known.canvas.pipeline_scene
    assert [item._sample.passed for item in scene.wires.values()] == [3, 2]


def test_the_file_shows_what_an_outer_run_does_in_it(qtbot, window, known):
    double_click(known, "tidy")
    inner = window.workbench
    with qtbot.waitSignal(known.controller.ended, timeout=WAIT):
        known.run()

    assert live(inner, "keep").counts.filtered == 1
    assert live(inner, "keep").state is NodeState.DONE
    assert [item._sample.passed for item in inner.canvas.pipeline_scene.wires.values()] == [3, 2]
    assert not inner.controller.is_running


def test_a_file_that_is_opened_after_the_run_shows_how_it_went(qtbot, window, known):
    with qtbot.waitSignal(known.controller.ended, timeout=WAIT):
        known.run()
    double_click(known, "tidy")

    assert live(window.workbench, "keep").counts.filtered == 1


def test_a_failure_inside_leads_to_the_card(qtbot, known):
    known.document.set_setting("read", "path", "orders.csv")
    with qtbot.waitSignal(known.controller.ended, timeout=WAIT):
        known.document.set_setting("tidy", "parameters", {"minimum": 5})
        (known.document.path.parent / "orders.csv").write_text("id,price\n1,3\n")
        known.run()

    assert live(known, "tidy").state is NodeState.FAILED
    assert live(known, "tidy").detail.startswith("keep: ")
    assert known.banner.isVisible()
    assert known.banner.go.text() == "Show tidy"

    QTest.mouseClick(known.banner.go, LEFT)
    assert known.canvas.pipeline_scene.chosen_nodes() == ["tidy"]


def test_a_node_inside_is_shown_by_its_sub_pipeline(known):
    known.show_node("tidy/keep", "config.where")

    assert known.canvas.pipeline_scene.chosen_nodes() == ["tidy"]


def test_a_saved_change_of_the_file_is_known_when_the_outer_tab_is_shown_again(qtbot, window, known):
    double_click(known, "tidy")
    inner = window.workbench
    inner.document.set_setting("done", "port", "good")
    assert inner.files.save()
    window.tabs.show_page(known)

    qtbot.waitUntil(lambda: ("good", False, True) in names(known, "tidy"), timeout=WAIT)
    qtbot.waitUntil(lambda: any('no output "clean"' in one.message for one in known.document.problems), timeout=WAIT)


def test_files_in_files_show_the_whole_way(qtbot, window, known, shop):
    (shop.parent / "parts" / "clean.etl.yaml").write_text(
        SHOP.replace("parts/clean.etl.yaml", "deep.etl.yaml")
        .replace("{type: csv_source, config: {path: orders.csv}}", "{type: pipeline_input, config: {port: orders}}")
        .replace("{type: csv_sink, config: {path: out.csv}}", "{type: pipeline_output, config: {port: clean}}")
    )
    (shop.parent / "parts" / "deep.etl.yaml").write_text(CLEAN)
    known.document.set_setting("tidy", "parameters", None)
    double_click(known, "tidy")
    middle = window.workbench
    qtbot.waitUntil(lambda: middle.document.interface_of("tidy") is not None, timeout=WAIT)
    double_click(middle, "tidy")
    deep = window.workbench
    assert deep.inner.trail.text == "shop.etl.yaml ▸ clean.etl.yaml ▸ clean orders"

    with qtbot.waitSignal(known.controller.ended, timeout=WAIT):
        known.run()
    assert live(deep, "keep").counts.filtered == 1
    assert (live(middle, "tidy").counts.rows_in, live(middle, "tidy").counts.rows_out) == (3, 2)


INTERFACE = Interface("n", {"a": "in"}, {"b": "out"})


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        (("done", "running", "waiting"), "running"),
        (("done", "waiting", "waiting"), "running"),
        (("waiting", "waiting", "waiting"), "waiting"),
        (("done", "failed", "stopped"), "failed"),
        (("running", "retrying", "open"), "open"),
        (("done", "stopped", "stopped"), "stopped"),
        (("done", "done", "done"), "done"),
    ],
)
def test_a_sub_pipeline_is_in_the_worst_state_of_its_nodes(states, shown):
    parts = {name: LiveNode(NodeState(state)) for name, state in zip(("in", "x", "out"), states, strict=True)}

    assert summed(parts, INTERFACE).state == shown


def test_a_sub_pipeline_without_an_output_counts_what_its_sinks_have_loaded():
    parts = {
        "in": LiveNode(counts=NodeCounts(rows_in=5, rows_out=5)),
        "save": LiveNode(counts=NodeCounts(rows_in=5, rows_out=4, inserted=3, updated=1, dead_letters=1)),
    }
    node = summed(parts, Interface("n", {"a": "in"}))

    assert (node.counts.rows_in, node.counts.rows_out, node.counts.dead_letters) == (5, 4, 1)
