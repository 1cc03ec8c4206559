"""A site that fails in every way at once, with an outage and poison rows: nothing is lost, little is asked twice."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import pytest

from etl_studio.app.studio import Studio
from etl_studio.demo import DemoSite, Faults
from etl_studio.engine.events import BreakerChanged, DeadLettered, RunStatus

PRODUCTS, PER_PAGE = 1_000, 10
POISON_EVERY = 100
"""One row of a hundred."""
QUICK = ("rate_503", "rate_429", "rate_reset", "rate_truncate", "rate_damage")
SLOW = ("rate_hang", "rate_drip")
"""Each costs the whole timeout; a tenth of the faults are of these two."""
OUTAGE_AT, OUTAGE = 60, 0.6
"""The outage begins with this request and lasts so many seconds."""

PIPELINE = """\
etl_studio: 1
name: chaos
nodes:
  api:
    type: rest_source
    config:
      url: {url}/api/products
      params: {{per_page: {per_page}}}
      items: data.items
      columns: {{stock: integer}}
      pagination: {{kind: page, has_more: has_more}}
    policy:
      timeout: 1
      retry: {{attempts: 60, delay: 0.005, max_delay: 0.02}}
      breaker: {{open_for: 0.1, half_open_calls: 1}}
  save: {{type: sqlite_sink, config: {{table: products, write_disposition: append}}}}
wires: [api -> save]
"""


class PoisonedSite(DemoSite):
    """Each hundredth product says in words how many there are: no number, so no row of the table."""

    def answer(self, method, address, body):
        answer = super().answer(method, address, body)
        page = json.loads(answer.body)
        for item in page["data"]["items"]:
            if is_poison(item["id"]):
                item["stock"] = "plenty"
        return dataclasses.replace(answer, body=json.dumps(page).encode())


def is_poison(product):
    return product % POISON_EVERY == 0


@pytest.mark.parametrize(("share", "amplification"), [(0.2, 1.4), (0.4, 2.0)])
def test_nothing_is_lost_and_only_poison_rows_are_dead_letters(tmp_path, ask, share, amplification):
    quick, slow = dict.fromkeys(QUICK, share * 0.9 / len(QUICK)), dict.fromkeys(SLOW, share * 0.1 / len(SLOW))
    faults = Faults(retry_after=0.01, **quick, **slow)
    events = []

    def watch(request):
        if len(site.requests) == OUTAGE_AT:
            site.begin_outage(OUTAGE)

    file = tmp_path / "chaos.yaml"
    with PoisonedSite(products=PRODUCTS, faults=faults, on_request=watch) as site, Studio() as studio:
        file.write_text(PIPELINE.format(url=site.url, per_page=PER_PAGE))
        run = studio.prepare(
            studio.load(file), file=file, parameters={}, workspace=tmp_path / "ws", listeners=[events.append]
        )
        ended = run.execute()
        requests = site.requests

    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS, ended.error
    loaded = [row for (row,) in ask(tmp_path / "ws" / "data.db", "SELECT id FROM products ORDER BY rowid")]
    assert loaded == [product for product in range(1, PRODUCTS + 1) if not is_poison(product)]
    letters = [json.loads(event.payload["record"])["id"] for event in events if isinstance(event, DeadLettered)]
    assert letters == [product for product in range(1, PRODUCTS + 1) if is_poison(product)]

    pages = PRODUCTS // PER_PAGE
    met = Counter(request.status for request in requests)
    assert len(requests) <= ended.nodes["api"].calls, "an attempt may end before the site has seen it"
    assert ended.nodes["api"].calls / pages <= amplification, met
    assert {0, 200, 429, 503} <= met.keys()
    assert any(isinstance(event, BreakerChanged) for event in events), "the outage opens the breaker"
