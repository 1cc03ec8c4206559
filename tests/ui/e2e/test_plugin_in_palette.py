"""A node of another package stands in the palette as if it were one of ours."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtTest import QTest

from etl_studio.engine.events import RunStatus
from tests.app.plugin import install_plugin

pytestmark = pytest.mark.window


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the import path; plug-ins are installed into it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "loud"]:
        del sys.modules[name]


def test_an_installed_node_is_found_dropped_set_and_run(qtbot, open_window, run_to_its_end, site, tmp_path):
    install_plugin(site)
    (tmp_path / "names.csv").write_text("name,age\nAda,36\nGrace,85\n")
    person = open_window()
    palette = person.bench.palette_panel
    QTest.keyClicks(palette.search_field, "capitals")
    assert [palette.nodes.item(row).text() for row in range(palette.nodes.count())] == ["Shout"]

    shout = person.drop("shout", 390, 120)
    palette.search_field.clear()
    read, save = person.drop("csv_source", 130, 120), person.drop("sqlite_sink", 650, 120)
    person.wire(read, shout)
    person.wire(shout, save)
    person.click_node(read)
    person.type_text("path", str(tmp_path / "names.csv"))
    person.click_node(shout)
    person.type_text("column", "name")
    person.click_node(save)
    person.type_text("table", "loud_names")
    report = run_to_its_end(person)

    assert report.status is RunStatus.DONE, report.error
    qtbot.waitUntil(lambda: person.bench.results.shown is not None, timeout=10_000)
    person.rows()
    qtbot.waitUntil(lambda: not person.bench.results.model.is_loading, timeout=10_000)
    assert person.rows() == [("ADA", "36"), ("GRACE", "85")]


def test_a_plugin_that_cannot_be_loaded_is_told_and_the_others_work(open_window, site):
    install_plugin(site, broken=True)

    person = open_window()

    palette = person.bench.palette_panel
    assert palette._failed.isVisible()
    assert "shout" in palette._failed.text()
    assert "no_such_module" in palette._failed.text()
    assert "Traceback" not in palette._failed.text()
    assert palette.nodes.row_of("shout") == -1
    assert person.drop("filter", 390, 120) == "filter"
