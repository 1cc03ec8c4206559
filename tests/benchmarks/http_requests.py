"""CPU microseconds of one request: ``python -m tests.benchmarks.http_requests [--requests N] [--repeat N]``.

A local server answers with 10 KB of HTML. They are asked for, 64 at a time, by

- aiohttp alone, and httpx2 alone, with nothing around them,
- http.client alone, one after the other,
- the session of the engine: redirects, caps, deadlines, errors by their meaning,
- what nodes see: ``context.web().send`` in coroutines, ``context.http().read_many`` and ``send`` in threads, under the
  policy of a new node.

Each is a process of its own, and only its own time counts. Machines differ by the hour: compare the lines of one call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

AT_ONCE = 64
WARM_UP = 200
PAGE = b"<p>" + b"x" * 10_200 + b"</p>"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s" % (
    len(PAGE),
    PAGE,
)


class _Site(asyncio.Protocol):
    def connection_made(self, transport):
        self._transport, self._came = transport, b""

    def data_received(self, data):
        *asked, self._came = (self._came + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(asked))


async def _serve():
    server = await asyncio.get_running_loop().create_server(_Site, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/page\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _many(number, send):
    """Send so many requests, as many at once as a crawler does."""
    left = iter(range(number))

    async def worker():
        for _ in left:
            await send()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(worker())


async def _aiohttp(url, measured):
    import aiohttp

    async with aiohttp.ClientSession() as session:

        async def send():
            async with session.get(url) as answer:
                assert len(await answer.read()) == len(PAGE)

        await measured(lambda number: _many(number, send))


async def _httpx2(url, measured):
    import httpx2

    async with httpx2.AsyncClient() as client:

        async def send():
            assert len((await client.get(url)).content) == len(PAGE)

        await measured(lambda number: _many(number, send))


async def _http_client(url, measured):
    from http.client import HTTPConnection

    connection = HTTPConnection(urlsplit(url).netloc)

    async def one_by_one(number):
        for _ in range(number):
            connection.request("GET", "/page")
            assert len(connection.getresponse().read()) == len(PAGE)

    await measured(one_by_one)
    connection.close()


async def _session(url, measured):
    from etl_studio.engine.http_session import HttpSession
    from etl_studio.sdk import HttpRequest

    session = HttpSession(cookies=False)

    async def send():
        assert len((await session.fetch(HttpRequest(url), 30, ())).content) == len(PAGE)

    await measured(lambda number: _many(number, send))
    await session.close()


def _context(folder, emit=lambda event: None):
    from etl_studio.engine.context import NodeContext, Places
    from etl_studio.engine.http import HttpService
    from etl_studio.engine.meter import Meter
    from etl_studio.engine.policies import PolicyCaller
    from etl_studio.engine.shared_policies import SharedPolicies
    from etl_studio.sdk import Policy

    service, stopping, policy = HttpService(), threading.Event(), Policy()
    caller = PolicyCaller("run", "node", policy, SharedPolicies(), Meter(), emit, stopping)
    places = Places(folder, folder / "data.db", folder)
    return NodeContext("run", "node", policy, caller, places, None, lambda: service, stopping, emit), service


def _web(url, measured, folder):
    from etl_studio.sdk import HttpRequest

    context, service = _context(folder)
    with context.web() as web:

        async def send():
            assert len((await web.send(HttpRequest(url))).content) == len(PAGE)

        measured(lambda number: web.run(_many(number, send)))
    service.close()


def _read_many(url, measured, folder):
    from etl_studio.sdk import HttpRequest

    context, service = _context(folder)

    def ask(number):
        answers = context.http().read_many((HttpRequest(url) for _ in range(number)), len_of, concurrency=AT_ONCE)
        assert sum(one[1] for one in answers) == number * len(PAGE)

    def len_of(response):
        return len(response.content)

    measured(ask)
    service.close()


def _send(url, measured, folder):
    from etl_studio.sdk import HttpRequest

    context, service = _context(folder)

    def ask(number):
        client = context.http()
        for _ in range(number):
            assert len(client.send(HttpRequest(url)).content) == len(PAGE)

    measured(ask)
    service.close()


ALONE = {"aiohttp": _aiohttp, "httpx2": _httpx2, "http.client, one by one": _http_client, "session": _session}
IN_NODES = {
    "context.web().send": _web,
    "context.http().read_many": _read_many,
    "context.http().send, one by one": _send,
}


def _spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _one(name, url, requests):
    """Measure one of them in this process."""
    spent = []

    def measured(ask):
        ask(WARM_UP)
        begun = _spent()
        ask(requests)
        spent.append(_spent() - begun)

    async def awaited(ask):
        await ask(WARM_UP)
        begun = _spent()
        await ask(requests)
        spent.append(_spent() - begun)

    if name in ALONE:
        asyncio.run(ALONE[name](url, awaited))
    else:
        with tempfile.TemporaryDirectory() as folder:
            IN_NODES[name](url, measured, Path(folder))
    sys.stdout.write(json.dumps(spent[0] / requests * 1e6))


def main():
    """Measure each, several times, and print the least and the median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve())
    if given.one:
        _one(*given.one, given.requests)
        return
    command = [sys.executable, "-m", "tests.benchmarks.http_requests", "--requests", str(given.requests)]
    site = subprocess.Popen([*command, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        url = site.stdout.readline().strip()
        found = {name: [] for name in (*ALONE, *IN_NODES)}
        for _ in range(given.repeat):
            for name, values in found.items():
                done = subprocess.run([*command, "--one", name, url], capture_output=True, text=True, check=True)
                values.append(json.loads(done.stdout))
        for name, values in found.items():
            least, middle = min(values), sorted(values)[len(values) // 2]
            sys.stdout.write(f"{name:34} {least:6.0f} CPU microseconds a request (median {middle:.0f})\n")
    finally:
        site.terminate()
        site.wait()


if __name__ == "__main__":
    main()
