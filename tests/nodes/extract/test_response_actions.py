"""Answers of a certain status or content: each action does what it says, over real HTTP."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._response_actions import ResponseAction
from etl_studio.nodes.extract.rest_source import RestSource
from tests.nodes.conftest import rows_of
from tests.nodes.extract.scripted_site import ScriptedSite


def page(*numbers, **more):
    return {"items": [{"id": number} for number in numbers], **more}


@pytest.fixture
def site():
    with ScriptedSite() as running:
        yield running


def read(context, site, *actions, pagination=None, **settings):
    config = RestSource.Config(
        url=site.url,
        items="items",
        pagination=pagination or {"kind": "page"},
        response_actions=list(actions),
        **settings,
    )
    return list(rows_of(RestSource(config), context))


def ids(emissions):
    batches = [each for each in emissions if isinstance(each, pa.RecordBatch)]
    return [row["id"] for batch in batches for row in batch.to_pylist() if "id" in row]


def rejects(emissions):
    return [each for each in emissions if isinstance(each, sdk.Rejected)]


def logged(context, level):
    return [message for each, message, _ in context.logged if each == level]


def test_a_status_ends_the_reading(web_context, site):
    site.answers = [page(1), page(2), (404, {"error": "no such page"})]
    assert ids(read(web_context, site, {"status": 404, "action": "stop"})) == [1, 2]
    assert "page 3 is one that a response action stops at" in logged(web_context, "info")[-1]


def test_without_an_action_the_same_status_ends_the_run(web_context, site):
    site.answers = [page(1), (404, {"error": "no such page"})]
    with pytest.raises(PermanentError):
        read(web_context, site, {"status": "410", "action": "stop"})


def test_content_ends_the_reading(web_context, site):
    site.answers = [page(1), {"message": "No more data."}, page(3)]
    assert ids(read(web_context, site, {"contains": "No more data", "action": "stop"})) == [1]
    assert len(site.asked) == 2


def test_a_page_is_ignored_and_those_behind_it_come(web_context, site):
    site.answers = [page(1), (410, {"gone": True}), page(3), page()]
    found = read(web_context, site, {"status": "4xx", "action": "ignore"})
    assert (ids(found), rejects(found)) == ([1, 3], [])


def test_what_is_ignored_for_ever_ends(web_context, site):
    site.answers = [page(1), (404, {})]
    assert ids(read(web_context, site, {"status": "404", "action": "ignore"})) == [1]
    assert len(site.asked) == 11


def test_an_ignored_answer_still_leads_to_the_next_page(web_context, site):
    site.answers = [page(1, next_cursor="a"), page(2, state="draft", next_cursor="b"), page(3)]
    action = {"path": "state", "equals": "draft", "action": "ignore"}
    assert ids(read(web_context, site, action, pagination={"kind": "cursor"})) == [1, 3]


def test_an_ignored_answer_that_leads_nowhere_is_doubtful(web_context, site):
    site.answers = [page(1, next_cursor="a"), (404, b"")]
    assert ids(read(web_context, site, {"status": "404", "action": "ignore"}, pagination={"kind": "cursor"})) == [1]
    assert logged(web_context, "warning") == ["Page 2 was left out, and what follows it is not known."]


def test_a_page_becomes_a_dead_letter_and_is_read_again(web_context, site):
    site.answers = [page(1), (422, {"error": "locked"}), page(3), page()]
    found = read(web_context, site, {"status": "422", "action": "reject"})
    assert ids(found) == [1, 3]
    ((problem,),) = [each.problems for each in rejects(found)]
    assert (problem.operation["page"], problem.value) == (2, 422)

    site.answers = [(422, {}), page(2)]
    source = RestSource(
        RestSource.Config(
            url=site.url,
            items="items",
            pagination={"kind": "page"},
            response_actions=[{"status": "422", "action": "reject"}],
        )
    )
    schema = pa.schema([("id", pa.int64())])
    again = list(source.read_again([problem.operation], schema, web_context))
    assert (ids(again), len(rejects(again))) == ([], 1)
    assert ids(source.read_again([problem.operation], schema, web_context)) == [2]


def test_a_page_by_address_becomes_a_dead_letter_without_its_secrets(web_context, site):
    site.answers = [
        page(1, next=f"{site.url}?api_key=very-secret&page=2"),
        {"items": [], "locked": True, "next": f"{site.url}?page=3"},
        page(3),
    ]
    config = {"params": {"api_key": "very-secret"}, "pagination": {"kind": "link", "next": "next"}}
    found = read(web_context, site, {"path": "locked", "action": "reject"}, **config)
    assert ids(found) == [1, 3]
    ((problem,),) = [each.problems for each in rejects(found)]
    assert problem.operation["next"] == f"{site.url}?page=2"
    assert "very-secret" not in json.dumps(problem.operation)


def test_an_answer_is_tried_again_that_would_not_be(web_context, site):
    site.answers = [page(1), (404, {}), {"status": "pending"}, page(2), page()]
    retry = [{"status": "404", "action": "retry"}, {"path": "status", "equals": "pending", "action": "retry"}]
    assert ids(read(web_context, site, *retry)) == [1, 2]
    assert [query["page"] for query in site.asked] == ["1", "2", "2", "2", "3"]


def test_an_answer_that_is_tried_again_for_ever_ends_the_run(web_context, site):
    site.answers = [(404, {})]
    with pytest.raises(TransientError, match="to be tried again"):
        read(web_context, site, {"status": "404", "action": "retry"})


def test_content_ends_the_run(web_context, site):
    site.answers = [page(1), page(2, quota=0), page(3)]
    with pytest.raises(PermanentError, match="to end the run"):
        read(web_context, site, {"path": "quota", "equals": 0, "action": "fail"})


def test_the_first_action_that_means_an_answer_counts(web_context, site):
    site.answers = [page(1), (404, {"why": "draft"}), page(3), (404, {})]
    actions = [{"status": "404", "contains": "draft", "action": "ignore"}, {"status": "404", "action": "stop"}]
    assert ids(read(web_context, site, *actions)) == [1, 3]


@pytest.mark.parametrize(
    ("statuses", "meant", "others"),
    [("404", [404], [403]), ("5xx, 429", [500, 599, 429], [400]), ("400-403", [400, 403], [404]), ("", [200], [])],
)
def test_statuses_are_written_one_by_one_or_as_ranges(statuses, meant, others):
    action = ResponseAction(status=statuses, action="stop", contains="" if statuses else "x")

    def means(status):
        return action.means(sdk.HttpResponse("http://a.example/", status, {}, b"x"), dict)

    assert [means(status) for status in [*meant, *others]] == [True] * len(meant) + [False] * len(others)


@pytest.mark.parametrize(
    "settings",
    [{"action": "stop"}, {"action": "stop", "status": "4o4"}, {"action": "stop", "equals": 1, "status": "404"}],
)
def test_an_action_that_means_nothing_is_refused(settings):
    with pytest.raises(ValidationError):
        ResponseAction(**settings)


def test_rows_tell_where_they_come_from(web_context, site):
    site.answers = [page(1, 2), page(3), page()]
    before = dt.datetime.now(dt.UTC)
    (batch,) = read(web_context, site, params={"api_key": "very-secret"}, provenance=True)
    rows = batch.to_pylist()
    assert [(row["id"], row["_page"], row["_status"]) for row in rows] == [(1, 1, 200), (2, 1, 200), (3, 2, 200)]
    assert all("very-secret" not in row["_url"] and row["_url"].startswith(site.url) for row in rows)
    assert before <= rows[0]["_fetched_at"] <= rows[2]["_fetched_at"] <= dt.datetime.now(dt.UTC)
