"""The scenes of the gallery: each is a function that plays something on a stage and takes pictures of it."""

from __future__ import annotations

import json
import shutil
import time
from random import Random
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt, QTimer

from etl_studio.app.resources import resource
from etl_studio.engine.events import (
    BreakerChanged,
    BreakerState,
    NodeChanged,
    NodeCounts,
    NodeSample,
    NodeState,
    RetryScheduled,
    Sampled,
    WireSample,
)
from etl_studio.pipeline.model import NodeSpec, Wire
from etl_studio.ui.run.trial_dialog import TrialDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from gallery_stage import Stage

SCENES: dict[str, Callable[[Stage], None]] = {}

GOODS = """\
etl_studio: 1
name: goods
description: Reads goods, cleans them and keeps them in a table.
parameters:
  least: {type: integer, default: 2}
nodes:
  read: {type: csv_source, config: {path: goods.csv}, title: Goods}
  clean:
    type: derive
    config: {columns: {total: price * quantity, name: trim(name)}}
    title: Clean
  check:
    type: validate
    config: {rules: [{column: price, rule: range, min: 0}]}
    title: Has a price
  keep: {type: filter, config: {where: "quantity >= ${least}"}, title: Enough of it}
  save: {type: sqlite_sink, config: {table: goods, write_disposition: merge, key: [id]}, title: Goods}
  file: {type: csv_sink, config: {path: out.csv}, title: As CSV}
wires: [read -> clean, clean -> check, check -> keep, keep -> save, keep -> file]
layout:
  read: [0, 80]
  clean: [288, 80]
  check: [576, 80]
  keep: [864, 80]
  save: [1152, 16]
  file: [1152, 144]
"""
SUMS = ["total", "price", "quantity"]


def scene(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
    """Enter a function among the scenes, under its name."""
    SCENES[play.__name__] = play
    return play


def goods(stage: Stage) -> None:
    """Open the pipeline of goods: 300 rows, of which three have no good price."""
    draw = Random(5)  # noqa: S311 - the same each time
    names = ["Lamp", "Chair", "Desk", "Shelf", "Rug", "Vase", "Clock", "Mirror"]
    lines = ["id,name,price,quantity,added"]
    for number in range(300):
        price = -1 if number in (7, 90, 201) else round(draw.uniform(3, 250), 2)
        day = f"2026-0{number % 9 + 1}-1{number % 9}"
        lines.append(f"{number},{draw.choice(names)} {number % 40},{price},{draw.randint(0, 12)},{day}")
    stage.write("goods.csv", "\n".join(lines) + "\n")
    stage.open(stage.write("goods.etl.yaml", GOODS))


@scene
def start(stage: Stage) -> None:
    """The start page with files that were open before, one of them gone; then the tour on a pipeline that runs."""
    stage.open()
    for name in ("monthly_report", "orders"):
        stage.window.recent.add(stage.write(f"reports/{name}.etl.yaml", "etl_studio: 1\n"))
    (stage.place / "reports" / "orders.etl.yaml").unlink()
    stage.do("start_page")
    stage.take("page")
    stage.do("tour")
    for step in range(1, 6):
        stage.spin(0.5)
        stage.take(f"tour-{step}")
        stage.window.tour.go_on()
        stage.wait(lambda: not stage.bench.controller.is_running)


@scene
def finding(stage: Stage) -> None:
    """Help, search and outline."""
    goods(stage)
    stage.choose("save")
    stage.do("outline")
    stage.take("outline")
    stage.do("find")
    stage.type("price")
    stage.take("places")
    stage.press(Qt.Key.Key_Escape)
    stage.bench.inspector.show_field("save", "config.key")
    stage.do("help")
    stage.take("help")


@scene
def empty(stage: Stage) -> None:
    """Nothing yet: each panel says what to do."""
    stage.open()
    stage.take()
    stage.do("new")
    bench = stage.bench
    stage.take("canvas")
    for index in range(bench.tabs.count()):
        bench.tabs.show_panel(bench.tabs.widget(index))
        stage.take(f"panel-{bench.tabs.tabText(index).lower().replace(' ', '-')}", bench.tabs)


@scene
def states(stage: Stage) -> None:
    """Every state that a node can be in, on one canvas."""
    goods(stage)
    bench = stage.bench
    shown, names = bench.canvas.pipeline_scene, list(bench.document.pipeline.nodes)
    at = time.time()
    for name, state in zip(names, NodeState, strict=False):
        shown.show_state(NodeChanged("r", at, name, state, "The file is not there." if state == "failed" else ""))
    counts = NodeCounts(rows_in=12_345_678, rows_out=12_000_001, rejected=42)
    samples = {name: NodeSample(state, counts) for name, state in zip(names, NodeState, strict=False)}
    wires = {
        str(wire): WireSample(1_200_000 * (n + 1), 500, n / 4) for n, wire in enumerate(bench.document.pipeline.wires)
    }
    shown.show_sample(Sampled("r", at, samples, wires))
    shown.show_retry(RetryScheduled("r", at, "check", 2, 5, 120.0, "The site did not answer.", "shop.example"))
    shown.show_breaker(
        BreakerChanged("r", at, "keep", "shop.example", BreakerState.CLOSED, BreakerState.OPEN, 62.0, None, at + 30)
    )
    stage.take()
    stage.take("canvas", bench.canvas)


DECORATED = (
    GOODS
    + """\
notes:
  why:
    text: |
      ## Why two targets
      The table is for **reports**, the file for the *warehouse*:
      - each morning
      - with [the rules](https://example.com)
    color: yellow
groups:
  prepare: {title: Prepare, nodes: [clean, check], color: blue}
  out: {title: Targets, nodes: [save, file], color: green, collapsed: true}
bends:
  read -> clean: [[230, 20]]
"""
)


@scene
def decorated(stage: Stage) -> None:
    """Notes, groups, bends, and disabled nodes."""
    stage.write("goods.csv", "id,name,price,quantity\n1,Lamp,3,4\n")
    text = DECORATED.replace("file: [1152, 144]", "file: [1152, 144]\n  why: [0, 240, 360, 170]")
    text = text.replace("title: Enough of it}", "title: Enough of it, disabled: true}")
    stage.open(stage.write("goods.etl.yaml", text))
    stage.take()
    stage.choose("clean", "check")
    stage.take("canvas", stage.bench.canvas)


@scene
def large(stage: Stage) -> None:
    """A thousand nodes, from afar to near."""
    stage.open(stage.write("goods.etl.yaml", GOODS))
    draw = Random(1)  # noqa: S311 - the same each time
    document = stage.bench.document
    pipeline = document.pipeline
    kinds = ["derive", "filter", "validate", "csv_source", "sqlite_sink", "join"]
    for number in range(1000):
        pipeline.nodes[f"n{number}"] = NodeSpec(f"n{number}", draw.choice(kinds), title=f"Step {number}")
        pipeline.layout[f"n{number}"] = (number % 40 * 304.0, 300 + number // 40 * 112.0)
    for number in range(999):
        if (number + 1) % 40:
            pipeline.wires.append(Wire(f"n{number}", "out", f"n{number + 1}", "input"))
    document.reset.emit()
    navigation = stage.bench.canvas.navigation
    for zoom in (0.1, 0.25, 0.45, 0.65):
        navigation.zoom_to(zoom)
        stage.bench.canvas.centerOn(2400, 1400)
        stage.take(f"{int(zoom * 100)}", stage.bench.canvas)


@scene
def forms(stage: Stage) -> None:
    """The form of every node type."""
    stage.open(stage.write("goods.etl.yaml", GOODS))
    document = stage.bench.document
    for node_type in stage.window.studio.registry:
        name = document.add_node(node_type.type, 0, 300, node_type.example)
        stage.choose(name)
        stage.take(node_type.type, stage.bench.inspector)
        document.remove([name])


@scene
def after_a_run(stage: Stage) -> None:
    """Each panel after a run with dead letters."""
    goods(stage)
    bench = stage.bench
    stage.wait(lambda: bench.monitor.is_ready)
    stage.run()
    stage.choose("keep")
    bench.preview_selection()
    stage.spin(2)
    for index in range(bench.tabs.count()):
        bench.tabs.show_panel(bench.tabs.widget(index))
        stage.spin(0.5)
        stage.take(bench.tabs.tabText(index).lower().replace(" ", "-"))


@scene
def running(stage: Stage) -> None:
    """In the middle of a run."""
    goods(stage)
    bench = stage.bench
    rows = {"rows": 100_000_000, "rows_per_second": 5000}
    name = bench.document.add_node("generate_source", 0, 300, rows)
    sink = bench.document.add_node("csv_sink", 288, 300, {"path": "all.csv"})
    bench.document.connect_ports(Wire(name, "out", sink, "input"))
    stage.wait(lambda: bench.monitor.is_ready)
    bench.canvas.navigation.fit()
    bench.run()
    stage.spin(3)
    stage.take()
    bench.controller.switch_pause()
    stage.spin(1)
    stage.take("paused")


@scene
def dry_run(stage: Stage) -> None:
    """What a run would change."""
    goods(stage)
    stage.run()
    text = (stage.place / "goods.csv").read_text(encoding="utf-8").replace("Lamp", "Light")
    stage.write("goods.csv", text)
    reported: list[object] = []
    stage.bench.controller.rehearsed.connect(reported.append)
    stage.do("dry_run")
    stage.wait(lambda: bool(reported))
    stage.take()


@scene
def trials(stage: Stage) -> None:
    """A run from a node on: the question, and what is shown of it."""
    goods(stage)
    bench = stage.bench
    pinned = {"rows": [{"id": n, "name": f"Lamp {n}", "price": 9.5, "quantity": n, "total": 9.5 * n} for n in range(6)]}
    stage.write("goods.pins/clean.json", json.dumps(pinned))
    bench.document.reset.emit()
    stage.wait(lambda: "clean" in bench.preview.pinning.nodes)
    stage.choose("check")

    def answer() -> None:
        dialog = bench.findChild(TrialDialog)
        stage.take("question", dialog)
        dialog.load.setChecked(True)
        stage.take("load", dialog)
        dialog.dry.setChecked(True)
        dialog.accept()

    reported: list[object] = []
    bench.controller.rehearsed.connect(reported.append)
    QTimer.singleShot(500, answer)
    stage.do("run_from")
    stage.wait(lambda: bool(reported))
    stage.take()


@scene
def tests(stage: Stage) -> None:
    """Tests of a pipeline: not run; one that passes, one with differences, and one that cannot run."""
    goods(stage)
    bench = stage.bench
    stage.write("goods.csv", "".join((stage.place / "goods.csv").read_text(encoding="utf-8").splitlines(True)[:40]))
    stage.choose("keep")
    bench.preview_selection()
    stage.wait(lambda: bench.preview.model.table is not None)
    bench.preview.bar.test.click()
    made = stage.place / "goods.tests" / "keep"
    stage.wait(lambda: bool(bench.tests.runner.cases))
    shutil.copytree(made, made.with_name("without a source"))
    (made.parent / "without a source" / "given" / "read.json").unlink()
    shutil.copytree(made, made.with_name("totals"))
    expected = made.parent / "totals" / "expected" / "keep.json"
    golden = json.loads(expected.read_text(encoding="utf-8"))
    golden["rows"][2] |= {"name": "A lamp with a very long name", "total": 1.5}
    del golden["rows"][6]
    expected.write_text(json.dumps(golden), encoding="utf-8")
    bench.tabs.show_panel(bench.tests)
    stage.wait(lambda: bool(bench.tests.model.rows))
    stage.take("not-run")
    stage.do("run_tests")
    stage.wait(lambda: all(case.outcome for case in bench.tests.runner.cases))
    for row in range(len(bench.tests.runner.cases)):
        bench.tests.table.selectRow(row)
        stage.take(bench.tests.chosen.state)
    bench.tests.table.selectRow(1)
    bench.tests.ask_to_update()
    stage.take("asked")


@scene
def problems(stage: Stage) -> None:
    """Mistakes on the canvas, in the form and in the panel."""
    goods(stage)
    document = stage.bench.document
    document.set_setting("keep", "where", "quantity >=")
    document.set_setting("save", "table", None)
    document.check_now()
    stage.choose("keep")
    stage.bench.tabs.show_panel(stage.bench.problems)
    stage.take()


@scene
def adding(stage: Stage) -> None:
    """The search for a node, alone and from a wire."""
    goods(stage)
    stage.choose("clean")
    stage.do("add_node")
    stage.take()
    stage.type("so")
    stage.take("typed")


@scene
def dialogs(stage: Stage) -> None:
    """Dialogs that the menus open."""
    goods(stage)
    for action in ("shortcuts", "about", "find_action"):
        stage.do(action)
        stage.take(action)
        for widget in stage.window.findChildren(object):
            if getattr(widget, "isWindow", bool)() and widget is not stage.window and widget.isVisible():
                widget.close()
        stage.spin()


@scene
def workshop(stage: Stage) -> None:
    """Selectors of a web page: the lists that are found, fields, proposals, and the views of the page."""
    from etl_studio.demo import DemoSite
    from etl_studio.ui.workshop.page_view import SOURCE, TEXT
    from etl_studio.ui.workshop.selectors_panel import ListButton

    with DemoSite() as site:
        file = stage.place / "scrape.etl.yaml"
        config = f'{{urls: ["{site.url}/shop"], fields: {{}}}}'
        file.write_text(
            f"etl_studio: 1\nnodes:\n  read: {{type: web_page_source, config: {config}}}\n", encoding="utf-8"
        )
        stage.open(file)
        stage.choose("read")
        stage.take()
        stage.do("workshop")
        dialog = stage.bench.workshops.dialog
        dialog.resize(stage.window.size())
        stage.wait(lambda: dialog.selectors.findChildren(ListButton) != [])
        stage.take("found", dialog)
        dialog.selectors.findChildren(ListButton)[0].click()
        stage.wait(lambda: dialog.rows.table_model.rowCount() > 0)
        dialog.marks.choose(dialog.session.page.dom.number_of(dialog.session.page.root.findall(".//h2/a")[2]))
        stage.wait(lambda: dialog.proposals.tree.topLevelItemCount() > 0)
        stage.take("fields", dialog)
        for tab, name in ((SOURCE, "source"), (TEXT, "text")):
            dialog.page.tabs.setCurrentIndex(tab)
            stage.spin()
            stage.take(name, dialog)
        stage.bench.workshops.close()


@scene
def shop(stage: Stage) -> None:
    """The shop example, selected node and wire."""
    folder = stage.place / "shop"
    shutil.copytree(resource("examples", "shop"), folder)
    stage.open(folder / "shop.etl.yaml")
    stage.choose("clean")
    stage.take()
    stage.bench.canvas.pipeline_scene.choose(wires=[stage.bench.document.pipeline.wires[1]])
    stage.take("wire")


@scene
def columns(stage: Stage) -> None:
    """SQL while it is typed; the way of a column over the canvas, its uses, and what a new name changes."""
    from etl_studio.ui.columns.place import ColumnPlace
    from etl_studio.ui.columns.rename_dialog import RenameDialog

    goods(stage)
    bench = stage.bench
    stage.choose("keep")
    bench.preview_selection()
    stage.wait(lambda: bench.preview.model.table is not None)
    text = bench.inspector.node_page.form.content.fields["where"].editor.inner.text
    text.setFocus()
    text.selectAll()
    text.insertPlainText("quantity >= ${least} AND pri")
    stage.spin(1.0)
    stage.take("typing")
    text.insertPlainText("ce < 100")
    bench.inspector.node_page.form.content.fields["where"].editor.inner.completion.hide()
    bench.inspector.flush()
    bench.column_work.follow(ColumnPlace("read", "quantity"))
    stage.wait(lambda: bench.column_work.uses.trace is not None)
    stage.take("uses")
    bench.column_work.ask_for_name(ColumnPlace("read", "quantity"))
    dialog = stage.window.findChild(RenameDialog)
    dialog.name.setText("pieces")
    dialog.name.textEdited.emit("pieces")
    stage.wait(lambda: dialog.renaming is not None)
    stage.take("rename", dialog)
    dialog.reject()
    stage.write("goods.tests/dear/expected/keep.json", '{"rows": []}')
    stage.write("goods.tests/dear/case.yaml", "# Rows come as they like.\nany_order: [keep]\n")
    bench.document.add_note((0, 240, 200, 80), "What `keep` keeps.")
    stage.choose("keep")
    stage.do("rename_node")
    dialog = stage.window.findChild(RenameDialog)
    dialog.name.setText("enough")
    dialog.name.textEdited.emit("enough")
    stage.wait(lambda: dialog.renaming is not None)
    stage.take("rename-node", dialog)
    dialog.reject()


@scene
def requests(stage: Stage) -> None:
    """What a recording tells of, and the first pages of an API: its form, its pages, its columns, an error."""
    from etl_studio.demo import DemoSite

    body = json.dumps({"data": [{"id": number} for number in range(24)]})
    content = {"mimeType": "application/json", "size": 48_211, "text": body}
    entries = [
        {
            "request": {"method": method, "url": f"https://shop.example/{path}", "headers": []},
            "response": {"status": 200, "content": content},
        }
        for method, path in (("GET", "api/products?page=1"), ("GET", "api/products?page=2"), ("POST", "graphql"))
    ]
    recording = stage.write("visit.har", json.dumps({"log": {"version": "1.2", "entries": entries}}))
    with DemoSite(products=45) as site:
        node = f'{{type: rest_source, title: Products, config: {{url: "{site.url}/api/products"}}}}'
        stage.open(stage.write("shop.etl.yaml", f"etl_studio: 1\nname: shop\nnodes:\n  read: {node}\n"))
        reading = stage.bench.canvas.requests
        reading.read(recording, QPointF(400, 300))
        stage.wait(lambda: reading.picker is not None)
        stage.take("choice", reading.picker)
        reading.picker.reject()
        stage.choose("read")
        stage.wait(lambda: stage.bench.inspector.node_page is not None)
        card = stage.bench.inspector.node_page.above
        stage.take("form")
        card.toggle()
        stage.wait(lambda: card.seen is not None)
        stage.take("probed")
        card.open_window()
        stage.take("pages", card.pages_window)
        card.pages_window.list.setCurrentRow(card.pages_window.list.count() - 1)
        stage.take("columns", card.pages_window)
    stage.bench.document.set_setting("read", "url", "http://127.0.0.1:9/gone")
    stage.bench.document.set_policy("read", {"retry": {"attempts": 1}})
    card.toggle()
    stage.wait(lambda: card.seen is not None)
    stage.take("error", card.pages_window)
    card.pages_window.close()
