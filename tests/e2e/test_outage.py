"""The demo site fails for two seconds in the middle of a run: the breaker, what is told of it, and every row."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from etl_studio.app.studio import Studio
from etl_studio.demo import DemoSite
from etl_studio.engine.events import (
    BreakerChanged,
    BreakerState,
    NodeChanged,
    NodeState,
    RetryScheduled,
    RunEnded,
    RunStatus,
    Sampled,
)

PRODUCTS, PER_PAGE = 300, 10
BEGIN = 12
"""The request after which the outage begins."""
OUTAGE, OPEN_FOR = 2.0, 0.5
TRIALS = 2
EARLY = 0.05
"""Seconds by which the log of the site and the clock of the run may differ."""


@dataclass
class Told:
    """Everything that one run told and the site has seen."""

    events: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    ended: RunEnded | None = None

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def outage(tmp_path_factory):
    """One run over 30 pages with an outage after the twelfth request."""
    folder = tmp_path_factory.mktemp("outage")
    told = Told()

    def watch(request):
        if len(site.requests) == BEGIN:
            site.begin_outage(OUTAGE)

    with DemoSite(products=PRODUCTS, on_request=watch) as site, Studio() as studio:
        file = folder / "outage.yaml"
        file.write_text(
            f"""\
etl_studio: 1
nodes:
  api:
    type: rest_source
    config:
      url: {site.url}/api/products
      params: {{per_page: {PER_PAGE}}}
      items: data.items
      pagination: {{kind: page, has_more: has_more}}
    policy:
      retry: {{attempts: 100, delay: 0.02, max_delay: 0.05}}
      breaker: {{window_size: 6, minimum_calls: 4, open_for: {OPEN_FOR}, half_open_calls: {TRIALS}}}
  save: {{type: sqlite_sink, config: {{table: products, write_disposition: append}}}}
wires: [api -> save]
"""
        )
        run = studio.prepare(
            studio.load(file), file=file, parameters={}, workspace=folder / "ws", listeners=[told.events.append]
        )
        told.ended = run.execute()
        told.requests = site.requests
    told.database = folder / "ws" / "data.db"
    return told


def openings(told):
    """Each time that the breaker was open: from when until when."""
    changes = told.of(BreakerChanged)
    return [(change.at, following.at) for change, following in pairwise(changes) if change.state is BreakerState.OPEN]


def test_every_row_arrives_exactly_once(outage, ask):
    assert outage.ended.status is RunStatus.DONE, outage.ended.error
    assert (outage.ended.rows_in, outage.ended.rows_out) == (PRODUCTS, PRODUCTS)
    assert ask(outage.database, "SELECT id FROM products ORDER BY rowid") == [(n,) for n in range(1, PRODUCTS + 1)]


def test_pages_that_had_come_are_not_asked_for_again(outage):
    answered = [path for _, _, path, status in outage.requests if status == 200]
    assert len(answered) == len(set(answered)) == PRODUCTS // PER_PAGE


def test_the_breaker_opens_and_closes_again_and_tells_each_step(outage):
    states = [change.state for change in outage.of(BreakerChanged)]
    rounds = (len(states) - 1) // 2
    assert rounds >= OUTAGE / OPEN_FOR - 1, "an outage of two seconds outlasts several trials"
    assert states == [BreakerState.OPEN, BreakerState.HALF_OPEN] * rounds + [BreakerState.CLOSED]
    assert {change.node for change in outage.of(BreakerChanged)} == {"api"}
    assert all(change.target.startswith("127.0.0.1:") for change in outage.of(BreakerChanged))
    opened = [change for change in outage.of(BreakerChanged) if change.state is BreakerState.OPEN]
    assert all(change.failure_rate >= 50 for change in opened)
    assert all(change.until == pytest.approx(change.at + OPEN_FOR, abs=0.3) for change in opened)


def test_no_request_is_sent_while_the_breaker_is_open(outage):
    for opened, until in openings(outage):
        assert until - opened >= OPEN_FOR - EARLY
        sent = [request for request in outage.requests if opened + EARLY < request.time < until - EARLY]
        assert sent == []


def test_half_open_lets_only_the_trial_calls_through(outage):
    changes = outage.of(BreakerChanged)
    for change, following in pairwise(changes):
        if change.state is BreakerState.HALF_OPEN:
            trials = [one for one in outage.requests if change.at - EARLY < one.time < following.at + EARLY]
            failed = [one for one in trials if one.status == 503]
            if following.state is BreakerState.OPEN:
                assert 0 < len(trials) <= TRIALS
            else:
                assert len(failed) == 0


def test_few_requests_are_wasted(outage):
    """Without the breaker a hundred attempts would go out in two seconds."""
    wasted = [request for request in outage.requests if request.status == 503]
    assert 0 < len(wasted) <= 4 + TRIALS * len(openings(outage))
    assert outage.ended.nodes["api"].errors == len(wasted)
    assert outage.ended.nodes["api"].refused > 0


def test_the_node_shows_what_it_waits_for(outage):
    states = [event.state for event in outage.of(NodeChanged) if event.node == "api"]
    assert states[0] is NodeState.RUNNING
    assert states[-1] is NodeState.DONE
    assert NodeState.RETRYING in states
    assert states.count(NodeState.OPEN) >= len(openings(outage))
    waiting = [event for event in outage.of(NodeChanged) if event.state is NodeState.OPEN]
    assert all("breaker" in event.detail and "open" in event.detail for event in waiting)
    assert states[len(states) - 1 - states[::-1].index(NodeState.OPEN) + 1] is NodeState.RUNNING
    retries = outage.of(RetryScheduled)
    assert all("503" in retry.error and retry.attempts == 100 for retry in retries)


def test_the_samples_show_the_open_breaker_and_no_rows_meanwhile(outage):
    for opened, until in openings(outage):
        during = [sample.nodes["api"] for sample in outage.of(Sampled) if opened + EARLY < sample.at < until - EARLY]
        assert {sample.breaker for sample in during} <= {BreakerState.OPEN}
        # It waits for the next attempt first, and meets the open breaker then.
        assert {sample.state for sample in during} <= {NodeState.RETRYING, NodeState.OPEN}
        assert len({sample.counts.rows_out for sample in during}) <= 1
    assert NodeState.OPEN in {sample.nodes["api"].state for sample in outage.of(Sampled)}
    assert outage.of(Sampled)[-1].nodes["api"].breaker is BreakerState.CLOSED
