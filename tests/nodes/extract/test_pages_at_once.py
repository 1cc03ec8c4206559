"""Several pages at once: the same rows in the same order, and no request too many."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.engine.context import NodeContext, Places
from etl_studio.engine.http import HttpService
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import Cancelled, PermanentError, TransientError
from etl_studio.nodes.extract.rest_source import RestSource
from etl_studio.sdk import Policy, Retry
from tests.nodes.extract.paged_api import STYLES, URL, PagedApi

COUNTED = sorted(style for style in STYLES if STYLES[style].settings["kind"] in ("page", "offset"))
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class PagesSite:
    """Gives 10 items on each page, and knows how many requests were there at once.

    Args:
        pages: that hold items; behind them comes 404 when ``ends`` is set.
        total: whether answers tell the number of all items.
    """

    def __init__(self, pages, *, total=True, ends=False):
        self.pages, self.total, self.ends = pages, total, ends
        self.asked = []
        self.most = self._now = 0
        self.fails = {}
        self.hangs = threading.Event()
        self.hanging = None
        self._lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                page = int(dict(parse_qsl(urlsplit(self.path).query)).get("page", 1))
                with site._lock:
                    site.asked.append(page)
                    site._now += 1
                    site.most = max(site.most, site._now)
                    failing = site.fails.get(page, 0) > 0
                    site.fails[page] = site.fails.get(page, 0) - 1
                time.sleep(0.02 if page % 3 == 0 else 0.002)  # later pages come first
                if site.hanging == page:
                    site.hangs.wait(10)
                with site._lock:
                    site._now -= 1
                status = 503 if failing else 404 if site.ends and page > site.pages else 200
                content = json.dumps(site.page(page)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # some clients hang up

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def page(self, page):
        first = (page - 1) * 10
        items = [{"id": number} for number in range(first, first + 10)] if page <= self.pages else []
        return {"items": items, **({"total": self.pages * 10} if self.total else {})}

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}/things"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.hangs.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def running():
    """A context as a run makes it: real policies over real HTTP."""
    stopping, service, events = threading.Event(), HttpService(), []
    policy = Policy(retry=Retry(attempts=3, delay=0, jitter=False))
    shared = SharedPolicies(time.monotonic)
    caller = PolicyCaller("run", "api", policy, shared, Meter(), events.append, stopping)
    places = Places(Path(), Path(), Path())
    yield NodeContext("run", "api", policy, caller, places, None, lambda: service, stopping, events.append)
    service.close()


def source_of(url, **settings):
    pagination = {"kind": "page", **settings.pop("pagination", {})}
    return RestSource(RestSource.Config(url=url, items="items", pagination=pagination, **settings))


def ids(emissions):
    return [row["id"] for each in emissions if isinstance(each, pa.RecordBatch) for row in each.to_pylist() if row]


def test_a_known_number_of_pages_is_asked_for_four_at_once(running):
    with PagesSite(20) as site:
        assert ids(source_of(site.url, pagination={"total": "total"}).read(running)) == list(range(200))
    assert sorted(site.asked) == list(range(1, 21)), "each once, and none behind the last"
    assert site.most == 4


def test_one_after_the_other_where_the_number_is_not_known(running):
    with PagesSite(6, total=False) as site:
        assert ids(source_of(site.url).read(running)) == list(range(60))
    assert site.asked == [1, 2, 3, 4, 5, 6, 7]
    assert site.most == 1


def test_pages_behind_the_last_one_that_were_asked_for_early_do_no_harm(running):
    with PagesSite(10, total=False, ends=True) as site:
        actions = [{"status": "404", "action": "stop"}]
        assert ids(source_of(site.url, concurrency=6, response_actions=actions).read(running)) == list(range(100))
    assert site.most <= 6
    assert max(site.asked) <= 16
    assert len(site.asked) == len(set(site.asked))


def test_only_a_failing_page_is_asked_for_again(running):
    with PagesSite(20) as site:
        site.fails = {7: 2}
        assert ids(source_of(site.url, pagination={"total": "total"}).read(running)) == list(range(200))
    assert sorted(site.asked) == sorted([*range(1, 21), 7, 7])


def test_a_page_that_never_comes_is_rejected_and_the_others_are_not_asked_for_again(running):
    with PagesSite(20) as site:
        site.fails = {7: 99}
        found = list(source_of(site.url, pagination={"total": "total"}).read(running))
    assert ids(found) == [number for number in range(200) if not 60 <= number < 70]
    ((problem,),) = [each.problems for each in found if isinstance(each, sdk.Rejected)]
    assert (problem.operation["page"], problem.attempts) == (7, 3)
    assert sorted(site.asked) == sorted([*range(1, 21), 7, 7])


def test_two_pages_in_a_row_that_never_come_end_the_run(running):
    with PagesSite(20) as site:
        site.fails = {7: 99, 8: 99}
        with pytest.raises(TransientError):
            list(source_of(site.url, pagination={"total": "total"}).read(running))
    assert max(site.asked) <= 12


def test_stopping_ends_all_requests_under_way(running):
    with PagesSite(20) as site:
        site.hanging = 5
        threading.Timer(0.3, running.stopping.set).start()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            list(source_of(site.url, pagination={"total": "total"}).read(running))
        assert time.monotonic() - begun < 5, "the site would have kept it waiting for ten seconds"


def test_who_wants_a_few_rows_asks_for_one_page(running):
    with PagesSite(20) as site:
        source = source_of(site.url, pagination={"total": "total"})
        source.wanted = 5
        rows = source.read(running)
        assert next(rows).num_rows >= 5
        rows.close()
    assert site.asked == [1]


def test_a_closed_reading_asks_for_nothing_more(running, monkeypatch):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_ROWS", 1)
    monkeypatch.setattr("etl_studio.sdk.records.BATCH_ROWS", 1)
    with PagesSite(20) as site:
        rows = source_of(site.url, pagination={"total": "total"}).read(running)
        while not next((row["id"] for row in next_batch(rows)), 0) >= 25:
            pass
        rows.close()
        asked = len(site.asked)
        assert asked <= 8
        list(source_of(site.url, pagination={"max_pages": 1}).read(running))
        assert len(site.asked) == asked + 1


def next_batch(rows):
    found = next(rows)
    return found.to_pylist() if isinstance(found, pa.RecordBatch) else []


def test_a_permanent_error_stands_where_its_page_would(running, monkeypatch):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_ROWS", 10)
    monkeypatch.setattr("etl_studio.sdk.records.BATCH_ROWS", 10)
    with PagesSite(5, total=False, ends=True) as site:
        rows = source_of(site.url, concurrency=4).read(running)
        assert ids(islice(rows, 10)) == list(range(50)), "a batch and a cursor for each page"
        with pytest.raises(PermanentError):
            next(rows)


@QUICK
@given(
    style=st.sampled_from(COUNTED),
    count=st.integers(0, 60),
    size=st.integers(1, 12),
    fails=st.dictionaries(st.integers(1, 8), st.integers(1, 3), max_size=3),
    concurrency=st.integers(1, 9) | st.none(),
)
def test_rows_do_not_depend_on_how_many_pages_are_asked_for_at_once(
    tmp_path_factory, node_context, style, count, size, fails, concurrency
):
    if style == "offset until empty":
        fails = {}  # the empty page and those behind it would share the failures
    api = PagedApi(count, size, style, fails=dict(fails))
    context = node_context(tmp_path_factory.getbasetemp(), http=api)
    config = RestSource.Config(
        url=URL, concurrency=concurrency, **STYLES[style].node, pagination=STYLES[style].settings
    )
    assert ids(RestSource(config).read(context)) == list(range(count))
    pages = max(1, -(-count // size)) + (STYLES[style].extra and count > 0)
    last = count if style == "offset until empty" else (pages - 1) * size
    early = [start for start in api.starts if start > last]
    needed = sum(1 + fails.get(page, 0) for page in range(1, pages + 1))
    assert len(api.starts) - len(early) == needed, "what is there was asked for once, and again where it failed"
    assert concurrency or not early
    assert len(set(early)) < (concurrency or 1) or not early


def test_an_api_that_gives_fewer_items_than_expected_is_read_to_its_end(node_context, tmp_path):
    api = PagedApi(50, 5, "offset with total")
    whole, sizes = api.answer, {10: 3, 13: 1}

    def answer(request):
        api.size = sizes.get(int(request.params.get("offset", 0)), 5)
        return whole(request)

    api.answer = answer
    context = node_context(tmp_path, http=api)
    config = RestSource.Config(url=URL, items="items", concurrency=4, pagination={"kind": "offset", "total": "total"})
    assert ids(RestSource(config).read(context)) == list(range(50))
