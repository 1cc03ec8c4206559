"""Requests under a policy on an event loop: many at once for a thread, and the loop of a node's own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from etl_studio.demo import DemoSite
from etl_studio.demo.faults import Fault
from etl_studio.engine.cassette import Cassette
from etl_studio.engine.cassette_tapes import CassettePlayer
from etl_studio.engine.context import NodeContext, Places
from etl_studio.engine.events import BreakerChanged, BreakerState, LogWritten, RetryScheduled
from etl_studio.engine.http import HttpService
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import Cancelled, CircuitOpenError, DeadlineError, PermanentError, TransientError, UsageError
from etl_studio.sdk import Breaker, HttpRequest, Policy, RateLimit, Retry
from tests.engine.test_http import ScriptedServer, answering

TWICE = Policy(retry=Retry(attempts=2, delay=0), breaker=Breaker(enabled=False))


class Node:
    """One node's HTTP with a policy."""

    def __init__(self, folder, policy=TWICE):
        self.events, self.meter, self.stopping = [], Meter(), threading.Event()
        self._service = HttpService()
        self._caller = caller = PolicyCaller(
            "run", "node", policy, SharedPolicies(), self.meter, self.events.append, self.stopping
        )
        places = Places(folder, folder / "data.db", folder / "scratch")
        self.context = NodeContext(
            "run", "node", policy, caller, places, None, lambda: self._service, self.stopping, self.events.append
        )

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def close(self):
        self._service.close()


@pytest.fixture
def node(tmp_path):
    nodes = []

    def make(policy=TWICE):
        nodes.append(Node(tmp_path, policy))
        return nodes[-1]

    yield make
    for one in nodes:
        one.close()


@pytest.fixture
def site():
    with DemoSite(products=40) as site:
        yield site


def pages(site, numbers, **params):
    return [HttpRequest(site.url + "/api/products", params={"page": number, **params}) for number in numbers]


def number(response):
    return response.json()["page"]


def asked(site):
    return [int(parse_qs(urlsplit(one.path).query)["page"][0]) for one in site.requests]


def test_answers_come_in_the_order_of_the_requests(node, site):
    requests = [HttpRequest(site.url + f"/api/products?page={n}&latency={0.2 - n / 20}") for n in (1, 2, 3)]
    client = node().context.http()
    assert [found for _, found in client.read_many(requests, lambda answer: answer.url, concurrency=3)] == [
        request.url for request in requests
    ]


def test_no_more_is_asked_ahead_than_said_and_requests_are_taken_as_late_as_possible(node, site):
    taken = []

    def requests():
        for request in pages(site, range(1, 30), per_page=1):
            taken.append(request)
            yield request

    answers = node().context.http().read_many(requests(), number, concurrency=3)
    assert next(answers)[1] == 1
    assert len(taken) == 3
    assert next(answers)[1] == 2
    assert len(taken) == 4
    answers.close()


def test_they_are_asked_at_the_same_time(node, site):
    before = time.monotonic()
    answers = node().context.http().read_many(pages(site, [1] * 8, latency=0.2), number, concurrency=8)
    assert len(list(answers)) == 8
    assert time.monotonic() - before < 1.2  # one after the other takes 1.6 s


def test_an_error_stands_in_the_place_of_its_answer_and_only_it_is_asked_again(node, site):
    def choose(target, address):
        return 0.0, Fault("status", 503) if "page=2" in target else Fault("status", 404) if "page=3" in target else None

    site.choose_fault = choose
    one = node()
    first, second, third, fourth = one.context.http().read_many(
        pages(site, [1, 2, 3, 4], per_page=5), number, concurrency=4
    )
    assert (first[1], fourth[1]) == (1, 4)
    assert (type(second), second.status, second.attempts) == (TransientError, 503, 2)
    assert (type(third), third.status) == (PermanentError, 404)
    assert sorted(asked(site)) == [1, 2, 2, 3, 4]
    assert len(one.of(RetryScheduled)) == 1
    assert (one.meter.calls, one.meter.errors, one.meter.retries, one.meter.calling) == (5, 3, 1, 0)


def test_an_answer_that_cannot_be_parsed_is_asked_for_again(node, site):
    tried = []

    def parse(answer):
        tried.append(answer)
        if len(tried) == 1:
            raise TransientError("Damaged.")
        return "whole"

    assert [found for _, found in node().context.http().read_many(pages(site, [1]), parse, concurrency=1)] == ["whole"]
    assert len(tried) == 2


def test_whoever_needs_no_more_ends_what_is_under_way(node, site):
    requests = [HttpRequest(site.url + "/api/products?page=1"), HttpRequest(site.url + "/shop?fault=hang")]
    one = node()
    answers = one.context.http().read_many(requests, lambda answer: answer.status, concurrency=2)
    assert next(answers)[1] == 200
    answers.close()
    wait_for(lambda: one.meter.calling == 0)


def test_a_stop_ends_requests_that_were_asked_ahead(node, site):
    one = node()
    answers = one.context.http().read_many([HttpRequest(site.url + "/?fault=hang")] * 3, number, concurrency=3)
    threading.Timer(0.2, one.stopping.set).start()
    with pytest.raises(Cancelled):
        next(answers)


def wait_for(true, seconds=5):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_a_web_runs_coroutines_on_the_nodes_own_thread(node, site):
    async def status(web, page):
        return threading.current_thread(), (await web.send(pages(site, [page])[0])).json()["page"]

    async def both(web):
        return await asyncio.gather(status(web, 1), status(web, 2))

    with node().context.web() as web:
        found = web.run(both(web))
    assert found == [(threading.current_thread(), 1), (threading.current_thread(), 2)]


def test_tasks_of_a_web_stand_still_between_two_runs(node):
    passed = []

    async def tick():
        while True:
            passed.append(time.monotonic())
            await asyncio.sleep(0.001)

    async def start():
        tasks.add(asyncio.create_task(tick()))
        await asyncio.sleep(0.02)

    tasks = set()
    with node().context.web() as web:
        web.run(start())
        seen = len(passed)
        threading.Event().wait(0.05)
        assert len(passed) == seen
        web.run(asyncio.sleep(0.02))
        assert len(passed) > seen
    assert all(task.cancelled() for task in tasks)


def test_a_stop_ends_a_web_within_50_ms_even_while_it_waits_to_try_again(node, site):
    site.choose_fault = lambda target, address: (0.0, Fault("status", 503))
    one = node(Policy(retry=Retry(delay=60, max_delay=60, jitter=False)))
    asked_at = []

    def stop():
        wait_for(lambda: one.of(RetryScheduled))
        asked_at.append(time.monotonic())
        one.stopping.set()

    thread = threading.Thread(target=stop)
    thread.start()
    with one.context.web() as web, pytest.raises(Cancelled):
        web.run(web.send(HttpRequest(site.url + "/")))
    thread.join()
    assert time.monotonic() - asked_at[0] < 1.0  # far less than the 60 s of the wait
    assert one.meter.calling == 0
    with one.context.web() as web, pytest.raises(Cancelled):
        web.run(web.send(HttpRequest(site.url + "/")))


def test_requests_of_a_web_count_tell_and_open_breakers_as_those_of_threads_do(tmp_path, node, site):
    site.choose_fault = lambda target, address: (0.0, Fault("status", 503))
    policy = Policy(
        retry=Retry(attempts=3, delay=0), breaker=Breaker(minimum_calls=3, window_size=3, when_open="fail", open_for=60)
    )
    by_thread, by_web = node(policy), node(policy)
    request = HttpRequest(site.url + "/")
    for _ in range(2):
        with pytest.raises(TransientError):
            by_thread.context.http().send(request)
    with by_web.context.web() as web:
        for _ in range(2):
            with pytest.raises(TransientError):
                web.run(web.send(request))

    def facts(one):
        return (
            [
                (type(event).__name__, getattr(event, "attempt", None), getattr(event, "state", None))
                for event in one.events
            ],
            one.meter.counts(),
        )

    assert facts(by_thread) == facts(by_web)
    assert [change.state for change in by_web.of(BreakerChanged)] == [BreakerState.OPEN]
    with by_web.context.web() as web, pytest.raises(CircuitOpenError):
        web.run(web.send(request))


def test_a_rate_limit_holds_for_all_tasks_together(node, site):
    one = node(Policy(rate_limit=RateLimit(calls=20)))

    async def all_at_once(web):
        await asyncio.gather(*(web.send(request) for request in pages(site, [1] * 5)))

    before = time.monotonic()
    with one.context.web() as web:
        web.run(all_at_once(web))
    assert time.monotonic() - before >= 0.2


def test_before_each_attempt_its_turn_is_waited_for(node, site):
    site.choose_fault = lambda target, address: (0.0, Fault("status", 503) if len(site.requests) == 0 else None)
    turns = []

    async def turn():
        turns.append(len(site.requests))
        await asyncio.sleep(0.1)

    one = node()
    with one.context.web() as web:
        answer = web.run(web.send(HttpRequest(site.url + "/"), before=turn))
    assert turns == [0, 1]
    assert answer.elapsed > 0
    assert one.meter.sample().p50 < 0.1  # the wait is not the attempt's


def test_a_web_keeps_cookies_only_when_asked_to(node):
    answers = {"/set": answering(Set_Cookie="basket=7; Path=/"), "/": answering()}
    with ScriptedServer(answers) as server:
        for cookies in (False, True):
            with node().context.web(cookies=cookies) as web:
                web.run(web.send(HttpRequest(server.url + "/set")))
                web.run(web.send(HttpRequest(server.url + "/")))
        assert [seen[2].get("cookie") for seen in server.seen] == [None, None, None, "basket=7"]


def test_a_web_falls_back_to_the_last_good_answer(node, site):
    one = node(Policy(retry=Retry(attempts=1), fallback="last_good"))
    request = HttpRequest(site.url + "/shop")
    with one.context.web() as web:
        fresh = web.run(web.send(request))
        site.choose_fault = lambda target, address: (0.0, Fault("status", 503))
        assert web.run(web.send(request)).content == fresh.content
    assert one.context.stale
    assert "is used instead" in one.of(LogWritten)[0].message


async def lines_of(web, request, **how):
    async with web.stream(request, **how) as stream:
        return stream.status, [line async for line in stream.lines()]


def test_a_cassette_lets_no_other_program_to_the_web(tmp_path):
    service = HttpService(tape=CassettePlayer(Cassette(), "shop.cassette.jsonl"))
    one = Node(tmp_path)
    context = NodeContext(
        "run",
        "node",
        TWICE,
        one._caller,
        Places(tmp_path, tmp_path, tmp_path),
        None,
        lambda: service,
        one.stopping,
        print,
    )
    with pytest.raises(UsageError, match="no cassette answers it"), context.gate([]):
        pass
    one.close()


def test_a_chunk_that_is_no_http_ends_the_wait_for_the_body(node):
    """Aiohttp leaves whoever waits for the body waiting when the wrong chunk comes by itself."""
    came = threading.Event()

    def serve(listener):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            assert came.wait(20)
            connection.sendall(b"no chunk\r\n")
            connection.recv(65_536)

    async def read(web, url):
        async with web.stream(HttpRequest(url)) as stream:
            async for chunk in stream.chunks():
                assert chunk == b"abc"
                came.set()

    with socket.create_server(("127.0.0.1", 0)) as listener, node().context.web() as web:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        with pytest.raises(TransientError, match="before the answer was complete"):
            web.run(read(web, f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        thread.join()


def test_a_stream_in_another_charset_than_it_says_is_refused(node):
    content = answering(content=b"ab", Content_Type="text/plain; charset=utf-16")
    with (
        ScriptedServer({"/": content}) as server,
        node().context.web() as web,
        pytest.raises(PermanentError, match="is not written in utf-16, as it says"),
    ):
        web.run(lines_of(web, HttpRequest(server.url + "/")))


def test_a_stream_gives_lines_as_they_come_whatever_ends_them(node):
    body = 'a\r\nb\rc\n\n{"d": "x\u2028y"}\nlast'.encode()
    with ScriptedServer({"/": answering(content=body)}) as server, node().context.web() as web:
        assert web.run(lines_of(web, HttpRequest(server.url + "/"))) == (
            200,
            ["a", "b", "c", "", '{"d": "x\u2028y"}', "last"],
        )


def test_the_way_to_a_stream_is_tried_again_under_the_policy(node, site):
    site.choose_fault = lambda target, address: (0.0, Fault("status", 503) if len(site.requests) == 0 else None)
    one = node()
    with one.context.web() as web:
        status, lines = web.run(lines_of(web, HttpRequest(site.url + "/shop")))
    assert status == 200
    assert lines
    assert one.meter.retries == 1


def test_a_quiet_stream_fails_after_the_time_that_was_said(node, site):
    with node().context.web() as web, pytest.raises(DeadlineError):
        web.run(lines_of(web, HttpRequest(site.url + "/api/products?fault=drip"), idle=0.05))


def test_a_stream_is_cut_at_the_bytes_that_the_request_allows(node):
    with (
        ScriptedServer({"/": answering(content=b"x" * 5000)}) as server,
        node().context.web() as web,
        pytest.raises(PermanentError, match="larger than 4,000 bytes"),
    ):
        web.run(lines_of(web, HttpRequest(server.url + "/", max_bytes=4000)))


def test_a_stream_that_breaks_off_is_transient(node, site):
    with node().context.web() as web, pytest.raises(TransientError, match="broke off"):
        web.run(lines_of(web, HttpRequest(site.url + "/api/products?fault=truncate")))


def test_another_program_may_answer_in_place_of_the_client_under_the_same_policy(node):
    from etl_studio.sdk import HttpResponse

    asked, statuses = [], iter([503, 404, 200])

    async def by(request, seconds):
        asked.append((request.url, seconds))
        return HttpResponse(request.url, next(statuses), {}, b"made")

    one = node(Policy(timeout=7, retry=Retry(attempts=2, delay=0), breaker=Breaker(enabled=False)))
    with one.context.web() as web:
        with pytest.raises(PermanentError) as error:
            web.run(web.send(HttpRequest("http://site.invalid/a"), by=by))
        assert web.run(web.send(HttpRequest("http://site.invalid/b"), by=by)).content == b"made"
    assert error.value.status == 404
    assert asked == [("http://site.invalid/a", 7), ("http://site.invalid/a", 7), ("http://site.invalid/b", 7)]
    assert len(one.of(RetryScheduled)) == 1


def test_a_gate_and_a_folder_last_as_long_as_they_are_needed(node):
    one = node()
    with one.context.gate(["127.0.0.1"]) as gate:
        assert gate.url.startswith("socks5://127.0.0.1:")
    folder = one.context.scratch()
    assert folder.is_dir()
    assert folder.parent.name == "scratch"
