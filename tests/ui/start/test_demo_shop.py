"""The demo shop of the window: it opens when it is needed, and shares with others."""

from __future__ import annotations

import socket
from urllib.request import urlopen

import pytest

from etl_studio.demo import DemoSite
from etl_studio.ui.start.demo_shop import DemoShop


@pytest.fixture
def free_url():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def shop(qapp, free_url):
    shop = DemoShop(url=free_url)
    yield shop
    shop.close()


def opened_url(shop, qtbot):
    with qtbot.waitSignal(shop.opened) as opened:
        shop.open()
    return opened.args[0]


def test_it_opens_at_its_usual_address_and_closes_with_the_window(shop, qtbot, free_url):
    assert opened_url(shop, qtbot) == free_url
    assert b"The Corner Shop" in urlopen(free_url).read()

    shop.close()

    with pytest.raises(OSError, match="refused"):
        urlopen(free_url)


def test_asked_twice_it_is_the_same_shop(shop, qtbot, free_url):
    assert [opened_url(shop, qtbot), opened_url(shop, qtbot)] == [free_url, free_url]
    assert len(shop._sites) == 1


def test_a_shop_that_somebody_has_started_before_is_used_and_left_alone(shop, qtbot, free_url):
    with DemoSite(port=int(free_url.rpartition(":")[2])) as site:
        assert opened_url(shop, qtbot) == free_url
        shop.close()
        assert urlopen(site.url).status == 200


def test_where_a_stranger_has_the_port_it_opens_at_another(shop, qtbot, free_url):
    with socket.create_server(("127.0.0.1", int(free_url.rpartition(":")[2]))) as stranger:
        stranger.listen()
        url = opened_url(shop, qtbot)

    assert url != free_url
    assert b"The Corner Shop" in urlopen(url).read()
