"""A site fails in the middle of a run: a person sees what the node waits for, can stop it, is told why it failed."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest

from etl_studio.demo import DemoSite, Faults
from etl_studio.engine.events import NodeState, RunStatus
from etl_studio.ui.canvas.scene import Hit
from tests.ui.e2e.person import LEFT

pytestmark = pytest.mark.window

PRODUCTS, PAGES = 400, 20
CALM = Faults(latency=0.01)

PIPELINE = """\
etl_studio: 1
name: shop
nodes:
  pages:
    type: web_page_source
    config:
      urls: [{url}/shop]
      item: .card
      fields: {{sku: ./@data-sku, name: h2 a::text}}
      next: a.next
    policy: {policy}
  table:
    type: sqlite_sink
    config: {{table: goods, write_disposition: merge, key: [sku]}}
wires: [pages -> table]
layout:
  pages: [0, 0]
  table: [280, 0]
"""


class Seen:
    """What the card of a node said at each event of the run, each text once in a row."""

    def __init__(self, person, node):
        self.texts = []
        self.states = []
        self._person, self._node = person, node
        person.bench.controller.event.connect(self.look)

    def look(self):
        self._note(self.texts, self._person.card(self._node).partition(" | ")[2])
        live = self._person.bench.canvas.pipeline_scene.live.nodes.get(self._node)
        self._note(self.states, live.state if live else None)

    @staticmethod
    def _note(told, new):
        if not told or told[-1] != new:
            told.append(new)


@pytest.fixture
def open_shop(open_window, tmp_path):
    """``open_shop(url, policy)``: the window with the shop's pipeline."""

    def open_it(url, policy):
        file = tmp_path / "shop.etl.yaml"
        file.write_text(PIPELINE.format(url=url, policy=policy))
        return open_window(file)

    return open_it


def outage_after(requests, seconds):
    """A site that begins an outage by itself at its n-th request."""

    def watch(_request):
        if len(site.requests) == requests:
            site.begin_outage(seconds)

    site = DemoSite(products=PRODUCTS, faults=CALM, on_request=watch)
    return site


def test_the_card_shows_the_open_breaker_and_then_that_it_runs_again(qtbot, open_shop, run_to_its_end):
    with outage_after(5, 1.2) as site:
        person = open_shop(
            site.url,
            "{retry: {attempts: 100, delay: 0.05, max_delay: 0.1}, "
            "breaker: {window_size: 4, minimum_calls: 2, open_for: 1, half_open_calls: 1}}",
        )
        seen = Seen(person, "pages")
        report = run_to_its_end(person)

    assert report.status is RunStatus.DONE, report.error
    assert report.rows_out == PRODUCTS
    assert "breaker open, trial in 1 s" in seen.texts
    assert any(text.startswith("retry 2/100") for text in seen.texts)
    assert seen.texts[-1] == ""
    opened = seen.states.index(NodeState.OPEN)
    assert NodeState.RUNNING in seen.states[opened:]
    assert seen.states[-1] is NodeState.DONE
    assert person.card("pages") == f"{PRODUCTS} rows"
    assert not person.bench.banner.isVisible()
    samples = person.bench.monitor.samples
    assert samples.column("errors", "pages")[-1] == report.nodes["pages"].errors > 0
    qtbot.waitUntil(lambda: not person.bench.log._waiting)
    log = person.words()
    assert re.search(r"Attempt 1 of 100 failed: .*503", log)
    assert re.search(r"The breaker of 127.0.0.1:\d+ is open; trial calls follow in 1.0 s.", log)
    assert re.search(r"The breaker of 127.0.0.1:\d+ is closed.", log)
    assert "Traceback" not in log


def test_the_card_counts_down_to_the_next_attempt(qtbot, open_shop):
    with outage_after(3, 60) as site:
        person = open_shop(site.url, "{retry: {attempts: 9, delay: 2, backoff: fixed, jitter: 0}}")
        person.click_run()
        qtbot.waitUntil(lambda: "retry 2/9 in" in person.card("pages"), timeout=20_000)
        assert "waiting to try again" in wait_for_text(qtbot, person, "waiting to try again")
        told = set()
        qtbot.waitUntil(lambda: told.add(seconds_left(person)) or len(told) > 3, timeout=20_000)
        with qtbot.waitSignal(person.bench.controller.ended, timeout=20_000):
            person.click_run()

    assert 0 < min(told) < max(told) <= 2


def wait_for_text(qtbot, person, text):
    qtbot.waitUntil(lambda: text in person.window.workbench.status.text, timeout=5_000)
    return person.window.workbench.status.text


def seconds_left(person):
    """What the countdown on the card says."""
    found = re.search(r"in ([\d.]+) s", person.card("pages"))
    return float(found[1]) if found else 0.0


def test_stop_during_an_outage_does_not_wait_for_its_end(qtbot, open_shop):
    with outage_after(3, 600) as site:
        person = open_shop(
            site.url,
            "{retry: {attempts: 100, delay: 0.05, max_delay: 0.1}, "
            "breaker: {window_size: 4, minimum_calls: 2, open_for: 300}}",
        )
        person.click_run()
        qtbot.waitUntil(lambda: "breaker open, trial in" in person.card("pages"), timeout=20_000)
        assert person.window._run_button.text() == "Stop"
        with qtbot.waitSignal(person.bench.controller.ended, timeout=5_000) as ended:
            person.click_run()

    report = ended.args[0]
    assert report.status is RunStatus.STOPPED
    assert report.rows_in == report.rows_out, "what had come is loaded"
    assert person.window.workbench.status.text.startswith("Stopped")
    assert person.window._run_button.text() == "Run"
    assert "breaker" not in person.card("pages")
    assert "Traceback" not in person.words()


def breaker_menu(person, node):
    """The entries of the node's breaker in its context menu, by their first word; None where there are none."""
    menu = person.bench.canvas.menu_for(Hit(node), QPointF())
    found = [action.menu() for action in menu.actions() if action.text() == "Circuit breaker"]
    return {action.text().partition(":")[0]: action for action in found[0].actions()} if found else None


def test_a_person_opens_the_breaker_of_a_node_and_closes_it_again(qtbot, open_shop):
    with DemoSite(products=PRODUCTS, faults=Faults(latency=0.05)) as site:
        person = open_shop(site.url, "{}")
        assert breaker_menu(person, "pages") is None, "no run, no breaker"
        person.click_run()
        qtbot.waitUntil(lambda: breaker_menu(person, "pages") is not None, timeout=20_000)
        assert breaker_menu(person, "table") is None, "the sink calls no host"
        entries = breaker_menu(person, "pages")
        assert not entries["Close"].isEnabled(), "it is closed"

        entries["Keep open"].trigger()
        qtbot.waitUntil(lambda: person.card("pages").endswith("breaker opened by hand"), timeout=5_000)
        qtbot.waitUntil(lambda: person.bench.canvas.pipeline_scene.live.nodes["pages"].state is NodeState.OPEN)
        held = len(site.requests)
        assert 0 < held < PAGES
        assert not breaker_menu(person, "pages")["Keep open"].isEnabled()

        with qtbot.waitSignal(person.bench.controller.ended, timeout=20_000) as ended:
            breaker_menu(person, "pages")["Close"].trigger()

    assert ended.args[0].status is RunStatus.DONE
    assert ended.args[0].rows_out == PRODUCTS
    assert ended.args[0].nodes["pages"].refused == 1
    assert breaker_menu(person, "pages") is None, "the run is over"
    log = person.words()
    assert re.search(r"The breaker of 127.0.0.1:\d+ is forced open by hand.", log)
    assert re.search(r"The breaker of 127.0.0.1:\d+ is closed by hand.", log)


def test_a_site_that_is_down_for_good_is_told_in_the_banner_that_leads_to_the_node(open_shop, run_to_its_end):
    with DemoSite() as site:
        address = site.url
    person = open_shop(address, "{retry: {attempts: 2, delay: 0.05}}")
    seen = Seen(person, "pages")

    report = run_to_its_end(person)

    assert report.status is RunStatus.FAILED
    assert report.nodes["pages"].retries == 1
    banner = person.bench.banner
    assert banner.isVisible()
    assert "refused the connection" in banner.text
    assert address.removeprefix("http://") in banner.text
    assert person.window.workbench.status.text.startswith("Failed")
    assert seen.states[-1] is NodeState.FAILED
    assert "refused the connection" in person.card("pages")
    assert person.bench.canvas.pipeline_scene.chosen_nodes() == []
    QTest.mouseClick(banner.go, LEFT)
    assert person.bench.canvas.pipeline_scene.chosen_nodes() == ["pages"]
    assert person.bench.inspector.selected == ("pages",)
    assert "Traceback" not in person.words()
    assert not re.search(r'File ".*", line \d+', person.words())
