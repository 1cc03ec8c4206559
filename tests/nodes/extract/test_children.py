"""Requests for each item over real sockets: right addresses, order kept, nothing lost where one fails."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.engine.http import HttpService
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._children import Children
from etl_studio.nodes.extract.rest_source import RestSource
from tests.nodes.conftest import NodeContext, rows_of


class Shop:
    """Products on pages of three, with reviews; ``broken`` products answer 500, ``slow`` are seconds by product.

    Attributes:
        seen: path and headers of each request.
        most: requests that were answered at once.
    """

    def __init__(self, products):
        self.products = products
        self.reviews = {one["id"]: [{"stars": n, "text": f"{one['id']}/{n}"} for n in range(2)] for one in products}
        self.broken = set()
        self.slow = {}
        self.seen = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with outer._lock:
                    outer._now += 1
                    outer.most = max(outer.most, outer._now)
                    outer.seen.append((self.path, dict(self.headers.items())))
                status, found = outer.answer(self.path)
                content = json.dumps(found).encode()
                with outer._lock:
                    outer._now -= 1
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def answer(self, path):
        """Status and JSON for a path."""
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        page = int(query.get("page", 1))
        if parts.path == "/products":
            return 200, self.products[(page - 1) * 3 : page * 3]
        name = query.get("product") or unquote(parts.path.split("/")[2])
        number = int(name) if name.isdecimal() else name
        time.sleep(self.slow.get(number, 0))
        if number in self.broken:
            return 500, {}
        if number not in self.reviews:
            return 404, {}
        return 200, {
            "list": self.reviews[number][(page - 1) * 2 : page * 2] if "page" in query else self.reviews[number]
        }

    def asked(self, beginning):
        """Paths of requests."""
        return [path for path, _ in self.seen if path.startswith(beginning)]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Client:
    """Sends each request once, several at once where asked to."""

    def __init__(self):
        self.service = HttpService()
        self.requests = []

    def read(self, request, parse):
        self.requests.append(request)
        response = self.service.fetch(request, timeout=10, stopping=threading.Event(), retry_on={500})
        return response, parse(response)

    def read_many(self, requests, parse, *, concurrency):
        from concurrent.futures import ThreadPoolExecutor
        from itertools import islice

        def outcome(request):
            try:
                return self.read(request, parse)
            except (TransientError, PermanentError) as error:
                return error

        left, waiting = iter(requests), []
        with ThreadPoolExecutor(concurrency) as pool:
            while True:
                waiting += [pool.submit(outcome, one) for one in islice(left, concurrency - len(waiting))]
                if not waiting:
                    return
                yield waiting.pop(0).result()


@pytest.fixture
def shop():
    with Shop([{"id": number, "name": f"n{number}", "maker": {"code": f"m{number}"}} for number in range(7)]) as shop:
        yield shop


@pytest.fixture
def context(tmp_path):
    client = Client()
    yield NodeContext(tmp_path, http=client)
    client.service.close()


def source(shop, **children):
    facts = {"url": "/products/{id}/reviews", "items": "list", "include": {"product": "id", "maker": "maker.code"}}
    return RestSource(
        RestSource.Config(
            url=f"{shop.url}/products",
            pagination={"kind": "page"},
            headers={"X-Shop": "mine"},
            columns={"stars": "integer", "text": "text", "product": "integer", "maker": "text"},
            children=facts | children,
        )
    )


def read(node, context):
    emissions = list(rows_of(node, context))
    rows = [row for each in emissions if isinstance(each, pa.RecordBatch) for row in each.to_pylist()]
    return rows, [each for each in emissions if isinstance(each, sdk.Rejected)]


def all_reviews(products):
    return [
        {"stars": n, "text": f"{number}/{n}", "product": number, "maker": f"m{number}"}
        for number in products
        for n in range(2)
    ]


def test_the_children_of_each_item_come_in_its_order_with_what_it_gives_them(shop, context):
    shop.slow = {0: 0.2, 3: 0.1}
    rows, rejected = read(source(shop), context)
    assert rows == all_reviews(range(7))
    assert not rejected
    assert 1 < shop.most <= 4
    assert all(headers["X-Shop"] == "mine" for _, headers in shop.seen)


def test_no_more_are_asked_for_at_once_than_is_wanted(shop, context):
    shop.slow = dict.fromkeys(range(7), 0.02)
    read(source(shop, concurrency=1), context)
    assert shop.most == 1


def test_fields_can_be_parameters(shop, context):
    rows, _ = read(source(shop, url="/reviews", params={"product": "{id}", "sort": "new"}), context)
    assert rows == all_reviews(range(7))
    assert shop.asked("/reviews")[0] == "/reviews?product=0&sort=new"


def test_what_is_in_a_field_cannot_leave_its_place_in_the_address(shop, context):
    names = ["a/b", "c?d=e", "f#g", "ü %", "..", "", None, {"x": 1}, True]
    shop.products[:] = [{"id": name} for name in names]
    shop.reviews = {"a/b": [{"stars": 1}], "c?d=e": [], "f#g": [], "ü %": [{"stars": 2}], "true": []}
    rows, rejected = read(source(shop, include={}), context)
    assert [row["stars"] for row in rows] == [1, 2]
    assert shop.asked("/products/") == [
        "/products/a%2Fb/reviews",
        "/products/c%3Fd%3De/reviews",
        "/products/f%23g/reviews",
        "/products/%C3%BC%20%25/reviews",
        "/products/true/reviews",
    ]
    assert [one.problems[0].message.partition(",")[0] for one in rejected] == [
        'The field "id" is no part of an address',
        'The field "id" is no part of an address',
        'The field "id" is missing',
        'The field "id" is no text or number (it is of type object)',
    ]


def test_an_item_that_fails_is_rejected_and_a_replay_gives_its_children(shop, context):
    shop.broken = {2, 5}
    del shop.reviews[4]
    rows, rejected = read(source(shop), context)
    assert rows == all_reviews([0, 1, 3, 6])
    problems = [one.problems[0] for one in rejected]
    assert [one.value for one in problems] == [500, 404, 500]
    operations = json.loads(json.dumps([one.operation for one in problems]))
    assert operations[0] == {"children": {"fields": {"id": 2}, "include": {"product": 2, "maker": "m2"}}}
    shop.broken = {5}
    again = list(source(shop).read_again(operations, None, context))
    found = [row for each in again if isinstance(each, pa.RecordBatch) for row in each.to_pylist()]
    assert found == all_reviews([2])
    refused = [each.problems[0].operation for each in again if isinstance(each, sdk.Rejected)]
    assert refused == operations[1:]


def test_children_have_pages_of_their_own_and_come_whole_or_not_at_all(shop, context):
    shop.reviews[1] = [{"stars": n, "text": f"1/{n}"} for n in range(5)]
    node = source(shop, pagination={"kind": "page"})
    rows, _ = read(node, context)
    assert [row["text"] for row in rows if row["product"] == 1] == [f"1/{n}" for n in range(5)]
    answer = shop.answer
    shop.answer = lambda path: (500, {}) if path.startswith("/products/1/reviews?page=2") else answer(path)
    rows, (rejected,) = read(node, context)
    assert rows == all_reviews([0, 2, 3, 4, 5, 6])
    assert rejected.problems[0].operation["children"]["fields"] == {"id": 1}


def test_an_address_in_the_item_is_asked_as_it_is(shop, context):
    for product in shop.products:
        product["more"] = f"{shop.url}/products/{product['id']}/reviews?from=item"
    node = source(shop, url="{more}")
    assert [request.from_data for request in _requests(node, context)] == [True] * 7
    assert all(request.headers == {"X-Shop": "mine"} for request in _requests(node, context))


def test_a_host_in_the_settings_is_no_data_and_one_in_the_item_is(shop, context):
    assert not any(request.from_data for request in _requests(source(shop), context))
    shop.products[:] = [{"id": 1, "host": "other.example"}]
    node = source(shop, url="http://{host}/products/{id}")
    (request,) = _requests(node, context)
    assert (request.url, request.from_data, dict(request.headers)) == ("http://other.example/products/1", True, {})


def _requests(node, context):
    """What would be asked for the items of the first page ... of all pages."""
    reader = node._children(context)
    items = list(_all_products(node, context))
    return [reader._request(reader._parent(item)).request(node.config.children.pagination.first()) for item in items]


def _all_products(node, context):
    plain = RestSource(node.config.model_copy(update={"children": None}))
    asker = plain._asker(context, "", {})
    from etl_studio.nodes.extract._rest_pages import PageReader

    for turn in PageReader(asker, plain.config.pagination, context.log, 1).read():
        yield from turn.page.items


def test_an_address_from_data_never_leads_to_this_computer(shop, context):
    for product in shop.products:
        product["more"] = f"{shop.url}/products/{product['id']}/reviews"
    rows, rejected = read(source(shop, url="{more}"), context)
    assert not rows
    assert len(rejected) == 7
    assert not shop.asked("/products/")


def test_items_that_are_no_objects_are_rejected(shop, context):
    shop.products[:] = [{"id": 0}, "what", {"id": 1}]
    shop.reviews[0] = [{"stars": 1, "text": "a"}, 7]
    rows, rejected = read(source(shop), context)
    assert len(rows) == 3
    assert [one.problems[0].type for one in rejected] == ["not_an_object", "not_an_object"]


def test_a_run_goes_on_behind_the_items_whose_children_are_loaded(shop, context):
    node = source(shop)
    node.wanted = 1  # rows are given at once
    emissions = list(node.read(context))
    cursors = [one.value for one in emissions if isinstance(one, sdk.Cursor)]
    context.resume = json.loads(json.dumps(cursors[0]))
    rows, _ = read(source(shop), context)
    assert rows == all_reviews(range(3, 7))


@pytest.mark.parametrize("wrong", ["reviews/{id}", "ftp://x/{id}", ""])
def test_an_address_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        Children(url=wrong)
