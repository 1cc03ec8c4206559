"""The first thing that a stranger does: drag three nodes, wire them, fill them in, run, look, export, save, return."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl_studio.cli.main import main
from etl_studio.demo import DemoSite
from etl_studio.engine.events import NodeState, RunStatus
from etl_studio.pipeline.model import Wire

pytestmark = pytest.mark.window

PRODUCTS = 95
FIELDS = {"sku": "./@data-sku", "name": "h2 a::text", "price": ".price::text", "stock": ".stock::text"}
WHERE = "price IS NOT NULL AND stock <> 'Out of stock'"


@pytest.fixture
def site():
    with DemoSite(products=PRODUCTS) as site:
        yield site


@pytest.fixture
def expected(site):
    """What the table must hold, from what the shop sells."""
    return sorted(
        (one.sku, one.name, one.price_text, one.stock_text)
        for one in site.goods.products
        if one.price is not None and one.stock
    )


def build(person, site):
    """Drag, wire and fill in; gives the ids of source, filter and sink."""
    page, keep = person.drop("web_page_source", 130, 120), person.drop("filter", 390, 120)
    table = person.drop("sqlite_sink", 650, 120)
    person.wire(page, keep)
    person.wire(keep, table)

    person.click_node(page)
    person.type_rows("urls", f"{site.url}/shop")
    person.type_text("item", ".card")
    person.type_map("fields", FIELDS)
    person.type_text("next", "a.next")
    person.click_node(keep)
    person.type_text("where", WHERE)
    person.click_node(table)
    person.type_text("table", "goods")
    person.choose("write_disposition", "merge")
    person.type_chips("key", "sku")
    return page, keep, table


def records(path):
    """The rows of a CSV file by Python's own reader, in the order of the key."""
    with path.open(encoding="utf-8", newline="") as file:
        return sorted((row["sku"], row["name"], row["price"], row["stock"]) for row in csv.DictReader(file))


def test_what_is_built_by_hand_runs_shows_and_exports_what_the_shop_sells(
    qtbot, open_window, run_to_its_end, site, expected, tmp_path, capsys
):
    person = open_window()
    bench = person.bench
    page, keep, table = build(person, site)
    nodes = bench.document.pipeline.nodes
    assert bench.document.pipeline.wires == [
        Wire(page, "out", keep, "input"),
        Wire(keep, "out", table, "input"),
    ]
    qtbot.waitUntil(lambda: bench.monitor.is_ready, timeout=20_000)

    report = run_to_its_end(person)

    assert nodes[page].config == {"urls": [f"{site.url}/shop"], "item": ".card", "fields": FIELDS, "next": "a.next"}
    assert nodes[keep].config == {"where": WHERE}
    assert nodes[table].config == {"table": "goods", "write_disposition": "merge", "key": ["sku"]}
    assert report.status is RunStatus.DONE, report.error
    assert (report.rows_in, report.rows_out) == (PRODUCTS, len(expected))

    # The cards, the charts and the foot of the window tell the same numbers as the report.
    assert person.card(page) == f"{PRODUCTS} rows"
    assert person.card(keep) == f"{PRODUCTS} → {len(expected)}"
    assert person.card(table) == f"{len(expected)} → {len(expected)} loaded"
    live = bench.canvas.pipeline_scene.live.nodes
    assert {live[name].state for name in (page, keep, table)} == {NodeState.DONE}
    assert not any(wire._flows for wire in bench.canvas.pipeline_scene.wires.values()), "nothing flows after the end"
    samples = bench.monitor.samples
    assert samples.nodes == [page, keep, table]
    assert samples.wires == [f"{page}.out -> {keep}.input", f"{keep}.out -> {table}.input"]
    assert [samples.column("rows", name)[-1] for name in samples.nodes] == [PRODUCTS, PRODUCTS, len(expected)]
    assert samples.column("errors", page)[-1] == 0
    assert samples.column("p50", page)[-1] > 0
    assert samples.latest.nodes[table].counts == report.nodes[table]
    assert f"Done · {PRODUCTS} rows read  ·  {len(expected)} loaded" in person.window.workbench.status.text

    # Results, export, and the file.
    qtbot.waitUntil(lambda: bench.results.shown is not None, timeout=10_000)
    target = tmp_path / "out" / "goods.csv"
    target.parent.mkdir()
    titles = person.answer_file_dialog(target)
    with qtbot.waitSignal(bench.results.exported, timeout=10_000):
        person.click_menu("File", "Export results")
    assert titles == ["Export the table"]
    assert bench.tabs.currentWidget() is bench.results
    person.rows()
    qtbot.waitUntil(lambda: not bench.results.model.is_loading, timeout=10_000)
    assert bench.results.model.columns[:4] == list(FIELDS)
    assert sorted(row[:4] for row in person.rows()) == expected
    assert records(target) == expected
    assert f"{len(expected)} rows written to {target}" in bench.results.facts.text()

    # Saved, closed and opened again it is the same, and the next save writes the same bytes.
    file = tmp_path / "out" / "goods.etl.yaml"
    person.answer_file_dialog(file)
    person.click_menu("File", "Save")
    assert not person.window.isWindowModified()
    before, written = bench.document.pipeline, file.read_bytes()
    person.window.close()
    assert not person.window.isVisible()
    again = open_window(file)
    assert again.bench.document.pipeline == before
    assert not again.window.isWindowModified()
    again.click_menu("File", "Save")
    assert file.read_bytes() == written

    # The terminal makes the same table of the same file.
    workspace = tmp_path / "terminal"
    capsys.readouterr()
    assert main(["run", str(file), "--workspace", str(workspace), "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["rows_in"], told["rows_out"]) == (PRODUCTS, len(expected))
    from_terminal = tmp_path / "terminal.csv"
    assert main(["export", "goods", "--to", str(from_terminal), "--workspace", str(workspace)]) == 0
    assert records(from_terminal) == expected


REAL_DRAGS = Path(__file__).with_name("real_drags.py")


def test_three_real_drags_from_the_palette_build_the_pipeline():
    """QDrag with its own event loop: pressed, moved and released as the window system tells it."""
    done = subprocess.run(
        [sys.executable, str(REAL_DRAGS)],
        env=os.environ | {"QT_QPA_PLATFORM": "minimal:enable_fonts"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["web_page_source", "filter", "sqlite_sink"]
