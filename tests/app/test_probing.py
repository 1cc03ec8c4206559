"""The first pages of an API are seen before anything is saved: as a run would read them, and not one request more."""

from __future__ import annotations

import json
import threading

import pytest

from etl_studio.app.probing import probe
from etl_studio.app.studio import Studio
from etl_studio.errors import Cancelled, PipelineError, UsageError
from etl_studio.pipeline.model import NodeSpec, Pipeline
from tests.app.probed_site import ProbedSite
from tests.engine.auth_server import AuthServer
from tests.nodes.extract.feed_site import FeedSite
from tests.nodes.extract.paged_api import GUESSABLE, STYLES

SECRET = "s3cr3t-value-42"


@pytest.fixture
def studio(monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_SHOP", SECRET)
    with Studio() as studio:
        yield studio


def source(config, node_type="rest_source", **policy):
    return Pipeline(nodes={"api": NodeSpec("api", node_type, config, policy)})


def rest(site, **config):
    return source({"url": f"{site.url}/things", **config})


@pytest.mark.parametrize("style", GUESSABLE)
def test_pages_are_found_out_and_what_is_found_reads_everything(studio, style):
    node = {name: value for name, value in STYLES[style].node.items() if name != "items"}
    with ProbedSite(style, count=47, size=10) as site:
        seen = probe(studio, rest(site, **node), "api", file=None)
        asked = len(site.asked)

        assert [(page.number, page.items, page.status) for page in seen.pages] == [
            (1, 10, 200),
            (2, 10, 200),
            (3, 10, 200),
        ]
        assert asked == 3
        assert all(page.following and page.why for page in seen.pages)
        assert [(column.name, column.type) for column in seen.columns] == [("id", "integer")]
        assert (seen.rows, seen.error) == (30, "")
        assert seen.columns[0].examples == ("0", "1", "2")

        read = studio.preview(rest(site, **node, **seen.settings), file=None, node="api", rows=1000)
        assert sorted(read.column("id").to_pylist()) == list(range(47))


def test_pages_that_are_set_are_read_as_they_are_set(studio):
    with ProbedSite("page from 0") as site:
        seen = probe(studio, rest(site, items="items", pagination=STYLES["page from 0"].settings), "api", file=None)

    assert [page.following for page in seen.pages] == ["page=1", "page=2", "page=3"]
    assert seen.pages[0].why == 'the number of the page, sent as "page"'
    assert seen.settings == {}


def test_the_last_page_says_why_nothing_follows(studio):
    with ProbedSite("page with total", count=15) as site:
        seen = probe(studio, rest(site), "api", file=None)

    assert [(page.items, page.following, page.why) for page in seen.pages][1:] == [(5, "", "all 15 items have come")]


def test_secrets_are_in_nothing_that_is_shown(studio):
    with ProbedSite() as site:
        config = {
            "url": f"{site.url}/things?api_key=written-into-the-address",
            "auth": {"kind": "bearer", "token": "${secret:shop}"},
            "headers": {"X-Shop": "${secret:shop}", "X-Api-Key": "written-into-a-header"},
            "params": {"note": "${secret:shop}", "q": "mug"},
        }
        seen = probe(studio, source(config), "api", file=None)

    (path, headers), *_ = site.asked
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET in path
    page = seen.pages[0]
    shown = repr([(one, one.answer, one.answer_headers) for one in seen.pages]) + repr(seen)
    for secret in (SECRET, "written-into-the-address", "written-into-a-header", "c00kie-value"):
        assert secret not in shown
    assert "q=mug" in page.url
    assert (page.auth, page.headers["X-Api-Key"], page.answer_headers["set-cookie"]) == ("bearer", "••••••", "••••••")


def test_a_source_that_signs_in_is_asked_as_in_a_run(studio, monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_CLIENT", "s3cr&t/client")
    with AuthServer() as server:
        auth = {"kind": "oauth2_client_credentials", "token_url": f"{server.url}/token", "client_id": "studio app"}
        config = {"url": f"{server.url}/oauth", "auth": {**auth, "client_secret": "${secret:client}"}}
        seen = probe(studio, source(config), "api", file=None)

    assert [page.status for page in seen.pages] == [200]
    (token,) = server.valid
    assert token not in repr([(page, page.answer) for page in seen.pages])


def test_a_page_that_fails_is_told_and_those_before_it_stay(studio):
    with ProbedSite(statuses={3: 403}) as site:
        seen = probe(studio, rest(site), "api", file=None)

    assert [(page.number, page.status, page.items) for page in seen.pages] == [(1, 200, 10), (2, 200, 10), (3, 403, 0)]
    assert (seen.pages[2].answer, seen.pages[2].following) == ("{}", "")
    assert "403" in seen.error
    assert seen.settings["pagination"]["kind"] == "cursor"


def test_a_page_that_fails_once_is_asked_for_again_as_the_policy_says(studio):
    with ProbedSite(statuses={2: 500}) as site:
        pipeline = source({"url": f"{site.url}/things"}, retry={"attempts": 2, "delay": 0})
        seen = probe(studio, pipeline, "api", file=None)

    assert [page.number for page in seen.pages] == [1, 2, 3]
    assert len(site.asked) == 4


def test_an_address_that_answers_with_no_json_is_told_as_an_error(studio):
    with FeedSite({"/": b"<html>Hello</html>"}, "text/html") as site:
        seen = probe(studio, source({"url": f"{site.url}/"}), "api", file=None)

    (page,) = seen.pages
    assert (page.status, page.answer) == (200, "<html>Hello</html>")
    assert "did not answer with JSON" in seen.error


def test_an_address_where_nobody_answers_has_no_page(studio):
    seen = probe(studio, source({"url": "http://127.0.0.1:9/"}, retry={"attempts": 1}), "api", file=None)

    assert seen.pages == ()
    assert "refused the connection" in seen.error


def test_pages_come_one_by_one_and_a_probe_that_is_stopped_ends_at_once(studio):
    came, runs = [], []
    with ProbedSite() as site:

        def on_page(page):
            came.append(page.number)
            site.gate.clear()  # nothing more is answered
            threading.Timer(0.1, lambda: runs[0].stop(hard=True)).start()

        with pytest.raises(Cancelled):
            probe(studio, rest(site), "api", file=None, on_page=on_page, on_run=runs.append)

    assert came == [1]


def test_nothing_is_written(studio, tmp_path):
    with ProbedSite() as site:
        probe(studio, rest(site), "api", file=tmp_path / "job.etl.yaml")

    assert list(tmp_path.rglob("*")) == []


def test_child_requests_are_made_for_one_item_of_each_page(studio):
    with ProbedSite() as site:
        children = {"url": f"{site.url}/things?of={{id}}", "items": "items"}
        seen = probe(
            studio, rest(site, items="items", pagination={"kind": "cursor"}, children=children), "api", file=None
        )

    assert [page.items for page in seen.pages] == [10, 10, 10]
    assert sum("of=" in path for path, _ in site.asked) == 3
    assert seen.rows == 30


def test_long_answers_are_cut_so_that_their_shape_is_seen(studio):
    body = {"items": [{"id": number, "text": "x" * 5000} for number in range(500)], "deep": [[[[{"a": 1}]]]]}
    with FeedSite({"/": json.dumps(body).encode()}, "application/json") as site:
        (page,) = probe(studio, source({"url": f"{site.url}/"}), "api", file=None).pages

    assert page.size > 2_000_000
    assert len(page.answer) < 5000
    assert "… 497 more" in page.answer
    assert "5,000 characters" in page.answer


def test_pages_of_a_shop_are_seen_too(studio):
    def shop(number, following):
        link = f'<a class="next" href="/{following}">more</a>' if following else ""
        return f'<div class="card"><b>Mug {number}</b></div>{link}'.encode()

    answers = {"/1": shop(1, 2), "/2": shop(2, 3), "/3": shop(3, 4), "/4": shop(4, 0)}
    with FeedSite(answers, "text/html") as site:
        config = {
            "urls": [f"{site.url}/1"],
            "item": ".card",
            "fields": {"name": "b::text"},
            "next": "a.next::attr(href)",
        }
        seen = probe(studio, source(config, "web_page_source"), "api", file=None)

    assert site.asked == ["/1", "/2", "/3"]
    assert [(page.items, page.following) for page in seen.pages] == [
        (1, f"{site.url}/{number}") for number in (2, 3, 4)
    ]
    assert "Mug 1" in seen.pages[0].answer
    assert [column.name for column in seen.columns] == ["name", "_url"]


def test_feeds_are_seen_too(studio):
    feed = b"<rss><channel><title>News</title><item><guid>1</guid><title>Hello</title></item></channel></rss>"
    with FeedSite({"/a": feed, "/b": feed}) as site:
        seen = probe(studio, source({"urls": [f"{site.url}/a", f"{site.url}/b"]}, "rss_source"), "api", file=None)

    assert [(page.number, page.url, page.items) for page in seen.pages] == [
        (1, f"{site.url}/a", 1),
        (2, f"{site.url}/b", 1),
    ]


@pytest.mark.parametrize(
    ("pipeline", "error", "reason"),
    [
        (Pipeline(), UsageError, 'no node "api"'),
        (source({"path": "a.csv"}, "csv_source"), UsageError, "no pages"),
        (source({"url": "nonsense"}), PipelineError, "has one problem"),
        (source({"url": "http://127.0.0.1:1/", "format": "ndjson"}), UsageError, "A stream has no pages"),
        (source({"url": "${gone}"}), PipelineError, "has one problem"),
    ],
)
def test_what_cannot_be_probed_is_refused_with_the_reason(studio, pipeline, error, reason):
    with pytest.raises(error, match=reason):
        probe(studio, pipeline, "api", file=None)
