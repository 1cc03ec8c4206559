"""The queue of a crawl: each link once, in order; what was not committed waits again."""

from __future__ import annotations

import pytest

from etl_studio.errors import PermanentError
from etl_studio.sdk.frontier import Link
from etl_studio.storage.databases import Databases
from etl_studio.storage.frontier import forget_crawls


def link(number, host="a.example", **facts):
    return Link(number.to_bytes(16, "big"), host, f"http://{host}/{number}", **facts)


@pytest.fixture
def databases():
    with Databases() as opened:
        yield opened


@pytest.fixture
def opened(databases, tmp_path):
    """A function that opens the queue of a run anew."""

    def open_again(run="run"):
        databases.forget(tmp_path)
        return databases.frontier(tmp_path, run, "shop/crawl")

    return open_again


def test_links_come_in_order_and_once(opened):
    frontier = opened()

    assert frontier.add([link(1), link(2), link(1)]) == 2
    assert frontier.add([link(2), link(3, depth=1, parent=1)]) == 1
    taken = frontier.take("a.example", 0, 10)
    assert [(visit.number, visit.url, visit.depth, visit.parent) for visit in taken] == [
        (1, "http://a.example/1", 0, None),
        (2, "http://a.example/2", 0, None),
        (3, "http://a.example/3", 1, "http://a.example/1"),
    ]
    assert [visit.number for visit in frontier.take("a.example", 1, 1)] == [2]


def test_each_host_has_a_queue(opened):
    frontier = opened()
    frontier.add([link(1, "b.example"), link(2), link(3, "b.example")])

    assert frontier.hosts() == {"b.example": 2, "a.example": 1}
    assert [visit.url for visit in frontier.take("b.example", 0, 10)] == ["http://b.example/1", "http://b.example/3"]


def test_what_was_committed_stays_and_the_rest_waits_again(opened):
    frontier = opened()
    frontier.add([link(1), link(2)])
    assert frontier.commit([], None, {"pages": 0}) == 0
    frontier.take("a.example", 0, 2)
    frontier.add([link(3)])
    assert frontier.commit([1], b"rows", {"pages": 1}) == 1
    frontier.add([link(4)])
    frontier.close()

    again = opened()
    assert [visit.url for visit in again.take("a.example", 0, 10)] == ["http://a.example/2", "http://a.example/3"]
    assert again.facts() == {"pages": 1}
    assert list(again.entries(0)) == [(1, b"rows")]
    assert list(again.entries(1)) == []
    assert again.add([link(4)]) == 1


def test_a_queue_that_is_gone_cannot_be_gone_on_with(opened):
    with pytest.raises(PermanentError, match="gone"):
        list(opened().entries(7))


def test_queues_of_runs_that_are_over_go(opened, databases, tmp_path):
    for run in ("done", "broken"):
        opened(run).commit([], b"x", {})

    forget_crawls(databases.forget, tmp_path, lambda run: run == "broken")
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_dir()) == ["broken"]
    assert list(opened("broken").entries(0)) == [(1, b"x")]
