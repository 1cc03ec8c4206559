"""Rows to which an API adds what it knows."""

from __future__ import annotations

import itertools
import time

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import Cancelled, PermanentError
from etl_studio.nodes.transform._answer_cache import AnswerCache
from etl_studio.nodes.transform.http_lookup import HttpLookup
from tests.nodes.answering_site import Answer, AnsweringSite


def person(asked):
    """Knows people by their number, from 1 to 99."""
    number = asked.path.rpartition("/")[2]
    if not number.isdecimal() or not 1 <= int(number) <= 99:
        return Answer({"message": "no such person"}, 404)
    return {"id": int(number), "address": {"city": f"City {number}"}, "born": "1815-12-10", "tags": ["a", "b"]}


@pytest.fixture
def site():
    with AnsweringSite(person) as site:
        yield site


def looked_up(context, batch, **config):
    """What comes out: the rows, and the problems of those that are rejected."""
    node = HttpLookup(HttpLookup.Config(**{"fields": {"city": "address.city"}, **config}))
    return emitted(node, context, batch)


def emitted(node, context, *batches):
    list(node.start(batches[0].schema, context))
    rows, refused = [], []
    for batch in batches:
        for emission in node.process(batch, context):
            if isinstance(emission, sdk.Rejected):
                refused += zip(emission.rows.to_pylist(), emission.problems, strict=True)
            else:
                rows += emission.to_pylist()
    return rows, refused


def ids(*values):
    return pa.record_batch({"id": pa.array(values, pa.int64())})


def test_each_row_gets_what_the_api_knows_with_the_declared_types(web_context, site):
    node = HttpLookup(
        HttpLookup.Config(
            url=f"{site.url}/people/{{id}}",
            fields={"city": "address.city", "born": "born", "first": "tags.0", "all": "", "gone": "no.such"},
            columns={"born": "date", "all": "json"},
        )
    )
    [out] = node.process(ids(2), web_context) if not list(node.start(ids(2).schema, web_context)) else ()
    assert [str(field.type) for field in out.schema] == ["int64", "string", "date32[day]", "string", "string", "string"]
    [row] = out.to_pylist()
    assert (row["city"], row["born"].isoformat(), row["first"], row["gone"]) == ("City 2", "1815-12-10", "a", None)
    assert row["all"].startswith('{"id": 2,')


def test_rows_keep_their_order_while_answers_come_in_any(web_context):
    def slower_at_first(asked):
        number = int(asked.path.rpartition("/")[2])
        return Answer({"n": number}, delay=0.15 if number % 4 == 0 else 0.0)

    with AnsweringSite(slower_at_first) as site:
        rows, _ = looked_up(
            web_context, ids(*range(24)), url=f"{site.url}/{{id}}", fields={"n": "n"}, columns={"n": "integer"}
        )
    assert rows == [{"id": number, "n": number} for number in range(24)]
    assert 1 < site.most_at_once <= 4


def test_rows_that_want_the_same_ask_once_and_later_batches_remember(web_context, site):
    node = HttpLookup(HttpLookup.Config(url=f"{site.url}/people/{{id}}", fields={"city": "address.city"}))
    rows, refused = emitted(node, web_context, ids(1, 2, 1, 500, 500, 1), ids(500, 2, 3))
    assert [row["city"] for row in rows] == [
        "City 1",
        "City 2",
        "City 1",
        None,
        None,
        "City 1",
        None,
        "City 2",
        "City 3",
    ]
    assert refused == []
    assert sorted(asked.path for asked in site.asked) == [f"/people/{number}" for number in ("1", "2", "3", "500")]


def test_without_a_cache_each_batch_asks_anew_but_not_twice(web_context, site):
    node = HttpLookup(HttpLookup.Config(url=f"{site.url}/people/{{id}}", fields={"city": "address.city"}, cache=0))
    emitted(node, web_context, ids(1, 1), ids(1))
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    ("answer", "record"),
    [
        (Answer({"message": "no such person"}, 404), ""),
        (Answer(b"", 204), ""),
        ({"results": []}, "results"),
        ({"results": None}, "results"),
        ({"hits": 0}, "results"),
        ([], ""),
        ({}, ""),
    ],
)
def test_an_api_says_in_many_ways_that_there_is_nothing(web_context, answer, record):
    with AnsweringSite(lambda _: answer) as site:
        rows, refused = looked_up(web_context, ids(1), url=f"{site.url}/{{id}}", record=record, missing="reject")
    assert rows == []
    [(row, problem)] = refused
    assert (row, problem.type) == ({"id": 1}, "not_found")


def test_of_a_list_of_records_the_first_counts(web_context):
    with AnsweringSite(lambda _: {"results": [{"name": "first"}, {"name": "second"}]}) as site:
        rows, _ = looked_up(web_context, ids(1), url=f"{site.url}/?q={{id}}", record="results", fields={"name": "name"})
    assert rows == [{"id": 1, "name": "first"}]


def test_a_row_without_a_value_for_the_address_is_not_asked_for(web_context, site):
    rows, _ = looked_up(web_context, ids(None, 1), url=f"{site.url}/people/{{id}}")
    assert [row["city"] for row in rows] == [None, "City 1"]
    assert len(site.asked) == 1


def test_a_run_ends_where_nothing_is_found_and_that_must_not_be(web_context, site):
    with pytest.raises(PermanentError, match="has nothing for this row"):
        looked_up(web_context, ids(500), url=f"{site.url}/people/{{id}}", missing="fail")


def test_a_request_that_fails_rejects_its_rows_only(web_context):
    def sick(asked):
        number = asked.path.rpartition("/")[2]
        return Answer({}, {"2": 503, "3": 400}.get(number, 200)) if number in "23" else {"n": number}

    with AnsweringSite(sick) as site:
        rows, refused = looked_up(
            web_context, ids(1, 2, 3, 2, 4), url=f"{site.url}/{{id}}", fields={"n": "n"}, missing="fail"
        )
    assert [row["id"] for row in rows] == [1, 4]
    assert [(row["id"], problem.type, problem.attempts) for row, problem in refused] == [
        (2, "call_failed", 6), (3, "call_refused", 1), (2, "call_failed", 6),
    ]  # fmt: skip
    assert "503" in refused[0][1].message


def test_a_failure_is_not_remembered(web_context):
    answers = itertools.chain([Answer({}, 400)], itertools.repeat({"n": "well"}))
    with AnsweringSite(lambda _: next(answers)) as site:
        node = HttpLookup(HttpLookup.Config(url=f"{site.url}/{{id}}", fields={"n": "n"}))
        assert emitted(node, web_context, ids(1))[0] == []
        assert emitted(node, web_context, ids(1))[0] == [{"id": 1, "n": "well"}]


def test_an_answer_that_arrives_damaged_is_asked_for_again(web_context):
    answers = itertools.chain([Answer(b'{"n": "we'), Answer({}, 0)], itertools.repeat({"n": "well"}))
    with AnsweringSite(lambda _: next(answers)) as site:
        rows, _ = looked_up(web_context, ids(1), url=f"{site.url}/{{id}}", fields={"n": "n"})
    assert rows == [{"id": 1, "n": "well"}]


def test_a_value_that_does_not_fit_its_type_rejects_its_row(web_context, site):
    rows, refused = looked_up(
        web_context, ids(1), url=f"{site.url}/people/{{id}}", fields={"born": "born"}, columns={"born": "integer"}
    )
    assert rows == []
    assert refused[0][1].type == "cast"


def test_parameters_and_body_come_from_the_row(web_context):
    with AnsweringSite(lambda asked: {"got": asked.body}) as site:
        batch = pa.record_batch({"id": [1], "first": ["Ada"], "none": pa.array([None], pa.string())})
        rows, _ = looked_up(
            web_context, batch, url=f"{site.url}/find", method="POST",
            params={"q": "{first}", "n": "{none}", "page": 1}, body={"id": "{id}", "name": "Dr {first}"},
            headers={"X-Who": "me"}, fields={"got": "got"},
        )  # fmt: skip
    [asked] = site.asked
    assert (asked.method, asked.params, asked.headers["X-Who"]) == ("POST", {"q": "Ada", "page": "1"}, "me")
    assert asked.body == {"id": 1, "name": "Dr Ada"}
    assert rows[0]["got"] == '{"id": 1, "name": "Dr Ada"}'


def test_it_signs_in(web_context, site):
    looked_up(web_context, ids(1), url=f"{site.url}/people/{{id}}", auth={"kind": "bearer", "token": "t0ken"})
    assert site.asked[0].headers["Authorization"] == "Bearer t0ken"


def test_an_address_from_a_row_leads_to_the_internet_only(web_context, site):
    batch = pa.record_batch({"url": [f"{site.url}/people/1", "file:///etc/passwd"]})
    rows, refused = looked_up(web_context, batch, url="{url}")
    assert (rows, site.asked) == ([], [])
    assert "private network" in refused[0][1].message
    assert "no web address" in refused[1][1].message


def test_no_value_leads_to_another_place_of_the_site(web_context, site):
    batch = pa.record_batch({"id": ["..", "1/../2", "1?x=y"]})
    _, refused = looked_up(web_context, batch, url=f"{site.url}/people/{{id}}")
    assert [problem.type for _, problem in refused] == ["address"]
    assert sorted(asked.path for asked in site.asked) == ["/people/1%2F..%2F2", "/people/1%3Fx%3Dy"]


def test_rows_go_on_as_answers_come(web_context):
    with AnsweringSite(lambda _: Answer({"n": 1}, delay=0.1)) as site:
        node = HttpLookup(HttpLookup.Config(url=f"{site.url}/{{id}}", fields={"n": "n"}, concurrency=1))
        list(node.start(ids(1).schema, web_context))
        given = node.process(ids(*range(12)), web_context)
        assert 0 < next(given).num_rows < 12
        given.close()
        assert len(site.asked) < 12


def test_a_stop_ends_the_waiting(web_context, stopping_after):
    with AnsweringSite(lambda _: Answer({"n": 1}, delay=0.5)) as site:
        stopping_after(web_context, 0.1)
        began = time.monotonic()
        with pytest.raises(Cancelled):
            looked_up(web_context, ids(1), url=f"{site.url}/{{id}}", fields={"n": "n"})
        assert time.monotonic() - began < 0.5


def test_wrong_paths_are_told_once_with_what_is_there(web_context, site):
    looked_up(web_context, ids(1, 2), url=f"{site.url}/people/{{id}}", fields={"city": "adress.city"})
    [(level, message, _)] = web_context.logged
    assert level == "warning"
    assert "address" in message


def test_a_batch_without_rows_tells_the_columns(web_context, site):
    node = HttpLookup(HttpLookup.Config(url=f"{site.url}/{{id}}", fields={"n": "n"}, columns={"n": "integer"}))
    list(node.start(ids().schema, web_context))
    [out] = node.process(ids(), web_context)
    assert (out.num_rows, out.schema.names) == (0, ["id", "n"])


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"url": "http://a.example/{idd}"}, 'Did you mean "id"'),
        ({"url": "http://a.example/{id}", "fields": {"ID": "id"}}, "there already"),
    ],
)
def test_a_column_that_is_not_there_and_one_that_is_are_refused(web_context, config, words):
    with pytest.raises(PermanentError, match=words):
        looked_up(web_context, ids(1), **config)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"url": "a.example/{id}"}, "must be an address"),
        ({"url": "http://a.example", "body": {"a": 1}}, "set method to POST"),
        ({"url": "{url}", "auth": {"kind": "bearer", "token": "x"}}, "cannot sign in"),
        ({"url": "https://{site}/x", "auth": {"kind": "api_key", "key": "x"}}, "cannot sign in"),
        ({"url": "http://a.example", "columns": {"other": "integer"}}, "none of the new columns"),
        ({"url": "http://a.example", "fields": {}}, "at least 1"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_before_the_run(config, words):
    with pytest.raises(ValidationError, match=words):
        HttpLookup.Config(**{"fields": {"city": "city"}, **config})


def test_the_cache_forgets_what_was_used_least_recently_and_holds_few_bytes():
    cache = AnswerCache(2, most_bytes=100)
    cache.keep("a", 1)
    cache.keep("b", None)
    assert cache.get("a", "?") == 1
    cache.keep("c", 3)
    assert (cache.get("b", "?"), cache.get("a", "?"), cache.get("c", "?")) == ("?", 1, 3)
    cache.keep("d", "x" * 200)
    assert len(cache) == 0
