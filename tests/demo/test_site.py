"""The demo site: the same goods for the same seed, honest HTTP, and faults when they are asked for."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from urllib.request import urlopen

import pytest
from lxml import etree, html

from etl_studio.demo import DemoSite, Faults


@pytest.fixture
def site():
    with DemoSite(products=45) as site:
        yield site


@contextmanager
def connected(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=5)
    try:
        yield connection
    finally:
        connection.close()


def get(site, path, *, method="GET", body=None):
    """Status, headers and body of one request over a connection of its own."""
    with connected(site) as connection:
        connection.request(method, path, body=None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def get_json(site, path, **how):
    return json.loads(get(site, path, **how)[2])


def test_the_same_seed_gives_the_same_shop():
    with DemoSite(seed=3, products=30) as one, DemoSite(seed=3, products=30) as other, DemoSite(seed=4) as third:
        pages = [get(each, "/shop?page=2")[2] for each in (one, other, third)]
    assert pages[0] == pages[1] != pages[2]


def test_every_product_can_be_read_from_the_list_pages_in_spite_of_their_broken_html(site):
    found = []
    for page in (1, 2, 3):
        document = html.fromstring(get(site, f"/shop?page={page}")[2])
        for card in document.cssselect(".card"):
            prices = [each.text for each in card.cssselect(".price")]
            stock = card.cssselect(".stock")[0].text.strip()
            link = card.cssselect("h2 a")[0]
            found.append((link.text, prices, stock, link.get("href")))
    wanted = [
        (each.name, [each.price_text] if each.price_text else [], each.stock_text, f"/product/{each.id}")
        for each in site.goods.products
    ]
    assert found == wanted
    assert [each.id for each in site.goods.products if each.price is None] == [41]


def test_next_links_lead_through_all_pages_and_end(site):
    path, pages = "/shop?latency=0", []
    while path:
        document = html.fromstring(get(site, path)[2])
        pages.append(len(document.cssselect(".card")))
        path = next(iter(document.xpath('//a[@class="next"]/@href')), None)
        assert path is None or "latency=0" in path
    assert pages == [20, 20, 5]


def test_a_detail_page_tells_sku_description_and_facts(site):
    product = site.goods.products[4]
    document = html.fromstring(get(site, "/product/5")[2])
    facts = {row[0].text: row[1].text.strip() for row in document.cssselect("table.facts tr")}
    assert document.cssselect(".sku")[0].text.strip() == product.sku
    assert document.cssselect(".description")[0].text.strip() == product.description
    assert (facts["Supplier"], facts["Category"]) == (product.supplier, product.category)


def test_the_home_page_tells_where_the_items_are(site):
    page = urlopen(site.url).read().decode()
    assert "/api/cursor" in page
    assert "data.items" in page


@pytest.mark.parametrize("path", ["/nothing", "/product/46", "/product/0", "/shop?page=9", "/api/nothing"])
def test_what_is_not_there_is_404(site, path):
    assert get(site, path)[0] == 404


def test_each_pagination_gives_every_product_once(site):
    wanted = list(range(1, 46))
    by_page = [
        item["id"]
        for page in (1, 2, 3)
        for item in get_json(site, f"/api/products?page={page}&per_page=20")["data"]["items"]
    ]
    by_offset = [item["id"] for at in (0, 20, 40) for item in get_json(site, f"/api/offset?offset={at}")["items"]]
    by_cursor, cursor = [], ""
    while cursor is not None:
        answer = get_json(site, f"/api/cursor?cursor={cursor}")
        by_cursor += [item["id"] for item in answer["items"]]
        cursor = answer["next_cursor"]
    by_link, path = [], "/api/link?per_page=20"
    while path:
        _, headers, body = get(site, path)
        by_link += [item["id"] for item in json.loads(body)]
        links = {
            part.split('rel="')[1].rstrip('"'): part.split(">")[0].strip(" <") for part in headers["Link"].split(",")
        }
        path = links.get("next")
    assert by_page == by_offset == by_cursor == by_link == wanted


def test_pages_tell_total_and_whether_more_follows(site):
    first, last = get_json(site, "/api/products?page=1"), get_json(site, "/api/products?page=3")
    assert (first["total"], first["has_more"], last["has_more"]) == (45, True, False)
    assert get_json(site, "/api/orders?per_page=500")["total"] == 90


def test_search_takes_a_body(site):
    wanted = [each.name for each in site.goods.products if "lamp" in each.name.lower()]
    answer = get_json(site, "/api/search", method="POST", body={"query": "lamp", "per_page": 50})
    assert [item["name"] for item in answer["data"]["items"]] == wanted != []
    assert get(site, "/api/search")[0] == 405


@pytest.mark.parametrize("path", ["/api/products?page=x", "/api/cursor?cursor=abc", "/api/products?per_page=501"])
def test_a_wrong_parameter_is_refused(site, path):
    status, _, body = get(site, path)
    assert status == 400
    assert json.loads(body)["error"]["message"]


def test_connections_are_kept_alive(site):
    with connected(site) as connection:
        sockets = set()
        for _ in range(3):
            connection.request("GET", "/api/products")
            connection.getresponse().read()
            sockets.add(connection.sock)
    assert len(sockets) == 1


def test_a_status_can_be_asked_for(site):
    status, headers, _ = get(site, "/api/products?fault=429&retry_after=3")
    assert (status, headers["Retry-After"]) == (429, "3")
    assert get(site, "/shop?fault=503")[0] == 503
    assert get(site, "/shop?fault=nonsense")[0] == 400


def test_a_reset_is_a_real_reset(site):
    with socket.create_connection(("127.0.0.1", site.port), timeout=5) as raw:
        raw.sendall(b"GET /api/products?fault=reset HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            raw.recv(1000)


def test_a_truncated_body_is_shorter_than_its_content_length(site):
    whole = get(site, "/api/products")[2]
    with pytest.raises(http.client.IncompleteRead) as caught:
        get(site, "/api/products?fault=truncate")
    assert len(caught.value.partial) == len(whole) // 2


def test_the_first_requests_of_an_address_fail_and_then_it_works(site):
    statuses = [get(site, "/api/products?fail_first=2&fault=503")[0] for _ in range(4)]
    assert statuses == [503, 503, 200, 200]
    assert get(site, "/api/products?fail_first=1")[0] == 500


def test_latency_delays_the_answer(site):
    before = time.monotonic()
    get(site, "/api/products?latency=0.15")
    assert time.monotonic() - before >= 0.15


def test_rates_are_drawn_by_seed():
    def statuses(seed):
        with DemoSite(seed=seed, products=20, faults=Faults(rate_500=0.3, rate_429=0.2)) as site:
            with connected(site) as connection:
                for _ in range(100):
                    connection.request("GET", "/api/products?per_page=1")
                    connection.getresponse().read()
            return [request.status for request in site.requests]

    one = statuses(1)
    assert one == statuses(1) != statuses(2)
    assert 15 <= one.count(500) <= 45
    assert 8 <= one.count(429) <= 32


def test_faults_refuse_impossible_numbers():
    with pytest.raises(ValueError, match="more than 1"):
        Faults(rate_500=0.7, rate_reset=0.4)
    with pytest.raises(ValueError, match="negative"):
        Faults(latency=-1)


def test_an_outage_answers_503_until_it_is_over(site):
    site.begin_outage(60)
    assert [get(site, "/shop")[0] for _ in range(2)] == [503, 503]
    site.begin_outage(0)
    assert get(site, "/shop")[0] == 200


def test_a_planned_outage_begins_and_ends_by_itself():
    with DemoSite(products=5, faults=Faults(outage_after=0.0, outage_for=0.2)) as site:
        deadline = time.monotonic() + 5
        statuses = [get(site, "/shop")[0]]
        while statuses[-1] == 503 and time.monotonic() < deadline:
            statuses.append(get(site, "/shop")[0])
    assert (statuses[0], statuses[-1]) == (503, 200)


def test_faults_can_be_set_over_http(site):
    told = get_json(site, "/_faults", method="POST", body={"rate_500": 1.0})
    assert told["rate_500"] == 1.0
    assert get(site, "/shop")[0] == 500
    assert get(site, "/_faults", method="POST", body={"rate_500": 0, "outage": 60})[0] == 200
    assert get(site, "/shop")[0] == 503
    assert get(site, "/_faults", method="POST", body={"no_such_fault": 1})[0] == 400
    assert get(site, "/_faults", method="POST", body=[1])[0] == 400


def test_the_log_tells_time_method_path_and_status(site):
    before = time.time()
    get(site, "/shop?page=2")
    get(site, "/api/search", method="POST", body={"query": "x"})
    get(site, "/_faults")
    assert [request[1:] for request in site.requests] == [("GET", "/shop?page=2", 200), ("POST", "/api/search", 200)]
    assert before - 1 <= site.requests[0].time <= time.time()


def test_stop_ends_hanging_and_idle_connections_at_once():
    site = DemoSite(products=5).start()
    with connected(site) as idle, socket.create_connection(("127.0.0.1", site.port), timeout=5) as hanging:
        idle.request("GET", "/shop")
        idle.getresponse().read()
        hanging.sendall(b"GET /shop?fault=hang HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 5
        while len(site.requests) < 2 and time.monotonic() < deadline:
            site.stopping.wait(0.01)
        before = time.monotonic()
        site.stop()
        assert time.monotonic() - before < 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("demo-site")]


def test_a_stopped_site_starts_again_on_its_port():
    site = DemoSite(products=5)
    with site:
        url = site.url
    with site:
        assert site.url == url
        assert get(site, "/shop")[0] == 200


def test_serve_forever_ends_when_it_is_stopped():
    site = DemoSite(products=5).start()
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    assert get(site, "/shop")[0] == 200
    site.stopping.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_the_news_are_well_formed_and_lead_to_products(site, kind):
    status, headers, body = get(site, f"/feeds/news.{kind}")
    assert (status, headers["Content-Type"]) == (200, f"application/{kind}+xml; charset=utf-8")
    assert body.count(b"https://shop.example/product/") >= 30
    etree.fromstring(body)


def test_there_is_no_other_feed(site):
    assert get(site, "/feeds/old.rss")[0] == 404
