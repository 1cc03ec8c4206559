"""Rows that are pushed to an API."""

from __future__ import annotations

import datetime as dt
import json
import threading
from decimal import Decimal

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.engine.http import HttpService
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.load.http_sink import HttpSink
from etl_studio.storage.databases import Databases
from tests.delivery.receiver import Receiver
from tests.nodes.answering_site import Answer, AnsweringSite

ROWS = pa.RecordBatch.from_pydict({"id": [1, 2, 3], "name": ["a", "b", None]})


class Client:
    """Sends each request once."""

    def __init__(self, service):
        self._service, self._stopping = service, threading.Event()

    def read_many(self, requests, parse, *, concurrency):
        for request in requests:
            try:
                answer = self._service.fetch(request, timeout=10, stopping=self._stopping, retry_on={503})
            except (TransientError, PermanentError) as error:
                error.attempts = 1
                yield error
            else:
                yield answer, parse(answer)


@pytest.fixture
def databases():
    with Databases(0.1) as databases:
        yield databases


@pytest.fixture
def context(node_context, tmp_path, databases):
    service = HttpService()
    yield node_context(
        tmp_path, http=Client(service), database=lambda path: databases.open(tmp_path / (path or "data.db"))
    )
    service.close()


def opened(context, receiver, **config):
    sink = HttpSink(HttpSink.Config(url=receiver.url, **config))
    sink.open(ROWS.schema, context)
    return sink


def pushed_to(site, context, rows=ROWS, *, sink=None, **config):
    """A sink that holds rows for a site."""
    sink = sink or HttpSink(HttpSink.Config(url=site.url, **config))
    sink.open(rows.schema, context)
    assert list(sink.write(rows, context)) == []
    return sink


def numbers(count):
    return pa.record_batch({"id": pa.array(range(count), pa.int64())})


def mark(context, *, epoch=1, final=False):
    return sdk.Mark(context.run, context.node, epoch, final)


def test_rows_are_sent_at_the_commit_some_in_each_request(context):
    with Receiver() as receiver:
        sink = opened(context, receiver, rows_per_request=2)
        assert list(sink.write(ROWS, context)) == []
        assert receiver.requests == []
        assert sink.commit(context) == sdk.Loaded(inserted=3)
        sink.abort(context)
    assert receiver.bodies == [[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], [{"id": 3, "name": None}]]
    keys = [headers["Idempotency-Key"] for _, headers, _ in receiver.requests]
    assert len(set(keys)) == 2


@pytest.mark.parametrize(
    ("config", "body"),
    [
        ({"rows_per_request": 1}, {"id": 1, "name": "a"}),
        ({"rows_per_request": 1, "wrap": "order"}, {"order": {"id": 1, "name": "a"}}),
        ({"wrap": "items"}, {"items": [{"id": 1, "name": "a"}]}),
        ({}, [{"id": 1, "name": "a"}]),
    ],
)
def test_the_body_has_the_form_that_the_site_wants(context, config, body):
    with Receiver() as receiver:
        sink = opened(context, receiver, method="PUT", headers={"X-Who": "me"}, **config)
        sink.write(ROWS.slice(0, 1), context)
        sink.commit(context)
        sink.abort(context)
    [(method, headers, sent)] = receiver.requests
    assert (method, headers["X-Who"], sent) == ("PUT", "me", body)


def test_values_keep_their_kind(context):
    batch = pa.record_batch(
        {
            "real": [float("nan")], "whole": [2**60], "exact": [Decimal("1.10")], "yes": [True],
            "at": [dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC)], "tags": [["a", None]], "text": ['"\u2028\\'],
        }
    )  # fmt: skip
    with Receiver() as receiver:
        sink = HttpSink(HttpSink.Config(url=receiver.url))
        sink.open(batch.schema, context)
        sink.write(batch, context)
        sink.commit(context)
        sink.abort(context)
    [[row]] = receiver.bodies
    assert row == {
        "real": None, "whole": 2**60, "exact": 1.1, "yes": True, "at": row["at"], "tags": ["a", None],
        "text": '"\u2028\\',
    }  # fmt: skip
    assert dt.datetime.fromisoformat(row["at"]) == dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC)


def test_what_broke_off_is_sent_again_with_the_same_key(context):
    """The site took the first request, but its answer was lost."""
    with Receiver(answers=(0,)) as receiver:
        sink = opened(context, receiver, rows_per_request=2)
        sink.write(ROWS, context)
        with pytest.raises(TransientError):
            sink.commit(context, mark(context))
        assert sink.commit(context, mark(context)) == sdk.Loaded(inserted=3)
        sink.abort(context)
    keys = [headers["Idempotency-Key"] for _, headers, _ in receiver.requests]
    assert keys[0] == keys[1] != keys[2]
    assert [len(body) for body in receiver.bodies] == [2, 1]


def test_a_resumed_run_sends_what_was_committed_and_not_what_was_only_staged(context):
    with Receiver(answers=(503,)) as receiver:
        before = opened(context, receiver)
        before.write(ROWS, context)
        with pytest.raises(TransientError):
            before.commit(context, mark(context, final=True))
        assert before.last_mark(context) == sdk.Mark(
            context.run, context.node, 1, final=False, facts={"loaded": {"inserted": 3}}
        )
        before.write(ROWS.slice(2), context)  # then the process dies

        after = HttpSink(before.config)
        assert after.commit(context, mark(context, epoch=2, final=True)) == sdk.Loaded()
        after.abort(context)
        before.abort(context)
    assert receiver.bodies == [ROWS.to_pylist()]
    assert after.last_mark(context).final


def test_a_failed_run_sends_nothing(context):
    with Receiver() as receiver:
        sink = opened(context, receiver, rows_per_request=1)
        sink.write(ROWS, context)
        sink.abort(context)
        again = opened(context, receiver)
        assert again.commit(context) == sdk.Loaded()
        again.abort(context)
    assert receiver.requests == []


def test_any_other_error_ends_the_run_with_the_words_of_the_site_and_waits_for_a_resume(context):
    with AnsweringSite(lambda asked: Answer({"message": "who are you"}, 401)) as site:
        sink = pushed_to(site, context)
        with pytest.raises(PermanentError, match="who are you"):
            sink.commit(context, mark(context))
    with AnsweringSite(lambda asked: {}) as site:
        after = HttpSink(HttpSink.Config(url=site.url))
        assert after.commit(context, mark(context, epoch=2, final=True)) == sdk.Loaded()
    assert site.asked[0].body == ROWS.to_pylist()


def test_a_refused_request_is_halved_until_the_rows_at_fault_are_found(context):
    def picky(asked):
        bad = [row["id"] for row in asked.body if row["id"] in (3, 7)]
        return Answer({"error": {"message": f"no customer {bad[0]}"}}, 422) if bad else {}

    with AnsweringSite(picky) as site:
        sink = pushed_to(site, context, numbers(10), rows_per_request=8)
        assert sink.commit(context, mark(context, final=True)) == sdk.Loaded(inserted=8)
    taken = [row["id"] for asked in site.asked if not {3, 7} & {row["id"] for row in asked.body} for row in asked.body]
    assert taken == [0, 1, 2, 4, 5, 6, 8, 9]  # each once, and in order
    keys = [asked.headers["Idempotency-Key"] for asked in site.asked]
    assert len(set(keys)) == len(keys)
    assert [(refused.rows.to_pylist(), refused.problems[0].type) for refused, _ in context.refused] == [
        ([{"id": 3}], "http_422"), ([{"id": 7}], "http_422"),
    ]  # fmt: skip
    assert "no customer 3" in context.refused[0][0].problems[0].message
    assert sink.last_mark(context).facts == {"counts": {"dead_letters": 2}, "loaded": {"inserted": 8}}


@pytest.mark.parametrize(
    ("answer", "rule", "refused"),
    [
        ([{"ok": 1}, {"error": "no name"}, {"error": None}], {"path": ""}, {1: '{"error": "no name"}'}),
        ({"items": [{"status": 201}, {"status": 409}, {"status": "500"}]}, {"path": "items", "failed": "status"},
         {1: '{"status": 409}', 2: '{"status": "500"}'}),
        (Answer({"errors": [{"row": 2, "why": "too old"}]}, 207),
         {"path": "errors", "failed": "", "index": "row", "message": "why"}, {2: "too old"}),
        (Answer({"errors": [{"row": 0, "why": "too old"}]}, 400),
         {"path": "errors", "failed": "", "index": "row", "message": "why"}, {0: "too old"}),
        ({"errors": None}, {"path": "errors", "failed": "", "index": "row"}, {}),
        ({"errors": []}, {"path": "errors", "failed": "", "index": "row"}, {}),
    ],
)  # fmt: skip
def test_an_answer_may_tell_which_rows_were_refused(context, answer, rule, refused):
    with AnsweringSite(lambda asked: answer) as site:
        sink = pushed_to(site, context, results=rule)
        assert sink.commit(context) == sdk.Loaded(inserted=3 - len(refused))
    assert len(site.asked) == 1
    found = {}
    for rejected, _ in context.refused:
        for row, problem in zip(rejected.rows.to_pylist(), rejected.problems, strict=True):
            found[row["id"] - 1] = problem.message.removeprefix("The site refused this row: ")
    assert found == refused


@pytest.mark.parametrize(
    ("answer", "rule", "words"),
    [
        ([{"error": None}], {"path": ""}, "1 results for 3 rows"),
        ([{"row": 17}], {"path": "", "failed": "", "index": "row"}, "failure in row 17"),
    ],
)
def test_results_that_do_not_fit_the_rows_are_no_success(context, answer, rule, words):
    with AnsweringSite(lambda asked: answer) as site:
        assert pushed_to(site, context, results=rule).commit(context) == sdk.Loaded()
    assert words in context.refused[0][0].problems[2].message


def test_an_answer_of_several_statuses_is_no_success_where_nobody_says_how_to_read_it(context):
    with AnsweringSite(lambda asked: Answer({}, 207)) as site:
        sink = pushed_to(site, context)
        with pytest.raises(PermanentError, match="some rows may have been refused"):
            sink.commit(context)


def test_a_good_status_may_hide_an_error(context):
    with AnsweringSite(lambda asked: {"ok": asked.body["id"] != 2, "error": "channel_not_found"}) as site:
        sink = pushed_to(site, context, rows_per_request=1, success={"path": "ok"})
        assert sink.commit(context) == sdk.Loaded(inserted=2)
    [(rejected, _)] = context.refused
    assert (rejected.rows.to_pylist(), rejected.problems[0].type) == ([ROWS.to_pylist()[1]], "http_200")
    assert "channel_not_found" in rejected.problems[0].message


def test_a_row_that_is_there_already_may_be_a_success(context):
    with AnsweringSite(lambda asked: Answer({}, 409)) as site:
        assert pushed_to(site, context, success_status=[409]).commit(context) == sdk.Loaded(inserted=3)
    assert context.refused == []


def test_a_redirect_is_not_taken_for_a_success(context):
    with AnsweringSite(lambda asked: Answer({}, 302, {"Location": "/login"})) as site:
        sink = pushed_to(site, context)
        with pytest.raises(PermanentError, match="leads to /login"):
            sink.commit(context)
    assert len(site.asked) == 1


def test_without_an_answer_rows_may_become_dead_letters_that_keep_their_key(context):
    """The site may have taken them before its answer was lost."""
    answers = iter([Answer({}, 0), Answer({}, 503)])
    with AnsweringSite(lambda asked: next(answers, {})) as site:
        sink = pushed_to(site, context, unanswered="reject")
        assert sink.commit(context) == sdk.Loaded()
        sink.abort(context)
        [(rejected, _)] = context.refused
        assert [problem.type for problem in rejected.problems] == ["call_failed"] * 3
        for run in ("replay", "second replay", "third replay"):
            context.run = run
            again = pushed_to(site, context, rejected.rows, sink=sink.adding())
            again.commit(context)
            again.abort(context)
    first, second, third, fourth = [asked.headers["Idempotency-Key"] for asked in site.asked]
    assert first == second == third != fourth  # the third was answered


def test_equal_rows_without_an_answer_keep_a_key_each(context):
    answers = iter([Answer({}, 0)] * 2)
    rows = pa.record_batch({"id": [1, 1]})
    with AnsweringSite(lambda asked: next(answers, {})) as site:
        sink = pushed_to(site, context, rows, unanswered="reject", rows_per_request=1)
        sink.commit(context)
        sink.abort(context)
        pushed_to(site, context, rows, sink=sink.adding()).commit(context)
    keys = [asked.headers["Idempotency-Key"] for asked in site.asked]
    assert len(set(keys)) == 2
    assert sorted(keys[:2]) == sorted(keys[2:])


def test_what_was_refused_is_a_new_request_in_a_replay(context):
    with AnsweringSite(lambda asked: Answer({}, 400)) as site:
        sink = pushed_to(site, context, ROWS.slice(0, 1))
        sink.commit(context)
        sink.abort(context)
        pushed_to(site, context, ROWS.slice(0, 1), sink=sink.adding()).commit(context)
    assert len({asked.headers["Idempotency-Key"] for asked in site.asked}) == 2


def test_a_row_is_sent_as_it_is_written(context):
    with AnsweringSite(lambda asked: {}) as site:
        sink = pushed_to(
            site, context, row={"who": "{name} #{id}", "number": "{id}", "fixed": [1]}, wrap="records",
            envelope={"typecast": True},
        )  # fmt: skip
        sink.commit(context)
    assert site.asked[0].body == {
        "typecast": True,
        "records": [
            {"who": "a #1", "number": 1, "fixed": [1]},
            {"who": "b #2", "number": 2, "fixed": [1]},
            {"who": None, "number": 3, "fixed": [1]},
        ],
    }


def test_each_row_may_have_an_address_of_its_own(context):
    rows = pa.record_batch({"id": ["a/b", None, "..", "c"], "n": [1, 2, 3, 4]})
    with AnsweringSite(lambda asked: {}) as site:
        sink = HttpSink(HttpSink.Config(url=f"{site.url}/people/{{id}}", method="PUT", rows_per_request=1))
        sink.open(rows.schema, context)
        [rejected] = sink.write(rows, context)
        assert sink.commit(context) == sdk.Loaded(inserted=2)
    assert [(asked.method, asked.path, asked.body) for asked in site.asked] == [
        ("PUT", "/people/a%2Fb", {"id": "a/b", "n": 1}), ("PUT", "/people/c", {"id": "c", "n": 4}),
    ]  # fmt: skip
    assert [problem.message for problem in rejected.problems] == [
        "This row was not sent: a value of its address is empty.",
        "This row was not sent: a value of . or .. would lead to another folder of the site.",
    ]


def test_delete_has_no_body_unless_a_row_is_written(context):
    with AnsweringSite(lambda asked: {}) as site:
        for more in ({}, {"row": {"why": "gone"}}):
            sink = HttpSink(HttpSink.Config(url=f"{site.url}/{{id}}", method="DELETE", rows_per_request=1, **more))
            sink.open(ROWS.schema, context)
            sink.write(ROWS.slice(0, 1), context)
            sink.commit(context)
    assert [(asked.method, asked.path, asked.body) for asked in site.asked] == [
        ("DELETE", "/1", None), ("DELETE", "/1", {"why": "gone"}),
    ]  # fmt: skip


def test_lines_of_json_have_the_content_type_that_says_so(context):
    with AnsweringSite(lambda asked: {}) as site:
        pushed_to(site, context, format="ndjson").commit(context)
    [asked] = site.asked
    assert asked.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in asked.body.splitlines()] == ROWS.to_pylist()


@pytest.mark.parametrize(("limit", "lengths"), [(100, [7, 3]), (1_000, [8, 2])])
def test_a_request_has_no_more_bytes_than_it_may(context, limit, lengths):
    with AnsweringSite(lambda asked: {}) as site:
        rows = pa.record_batch({"id": [f"{number:05}" for number in range(10)]})  # 14 bytes each, and a comma
        sink = HttpSink(HttpSink.Config(url=site.url, rows_per_request=8, bytes_per_request=limit))
        sink.open(rows.schema, context)
        for start in range(10):
            sink.write(rows.slice(start, 1), context)
        sink.commit(context)
    assert [len(asked.body) for asked in site.asked] == lengths if limit > 100 else [6, 4]


def test_several_requests_are_under_way_and_each_row_arrives_once(web_context, databases, tmp_path):
    web_context._database = lambda path: databases.open(tmp_path / "data.db")
    with AnsweringSite(lambda asked: Answer({}, delay=0.05)) as site:
        pushed_to(site, web_context, numbers(60), rows_per_request=2, concurrency=6).commit(web_context)
    assert sorted(row["id"] for asked in site.asked for row in asked.body) == list(range(60))
    assert 1 < site.most_at_once <= 6


def test_it_signs_in(context):
    with AnsweringSite(lambda asked: {}) as site:
        pushed_to(site, context, auth={"kind": "api_key", "key": "k", "name": "X-Key"}).commit(context)
    assert site.asked[0].headers["X-Key"] == "k"


def test_a_dry_run_shows_the_requests_and_sends_none(context):
    with AnsweringSite(lambda asked: {}) as site:
        sink = pushed_to(site, context, rows_per_request=2)
        diff = sink.diff(context, 1)
        sink.abort(context)
        assert (diff.table, diff.requests, diff.loaded) == (f"POST {site.url}", 2, sdk.Loaded(inserted=3))
        [change] = diff.changes
        assert change.row == {
            "request": f"POST {site.url}", "rows": 2, "body": '[{"id":1,"name":"a"},{"id":2,"name":"b"}]',
        }  # fmt: skip
        assert site.asked == []
        assert HttpSink(sink.config).commit(context) == sdk.Loaded()
    assert site.asked == []


def test_a_column_that_is_not_there_is_refused_at_the_start(context):
    sink = HttpSink(HttpSink.Config(url="http://a.example", row={"x": "{idd}"}))
    with pytest.raises(PermanentError, match='Did you mean "id"'):
        sink.open(ROWS.schema, context)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"url": "http://a.example/{id}"}, "set rows_per_request to 1"),
        ({"url": "{url}", "rows_per_request": 1, "auth": {"kind": "bearer", "token": "x"}}, "cannot sign in"),
        ({"url": "http://a.example", "envelope": {"a": 1}}, "write wrap"),
        ({"url": "http://a.example", "wrap": "a", "format": "ndjson"}, "leave wrap empty"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_before_the_run(config, words):
    with pytest.raises(ValidationError, match=words):
        HttpSink.Config(**config)


def test_an_address_that_is_none_is_refused_before_the_run():
    with pytest.raises(ValidationError, match="must begin with http"):
        HttpSink.Config(url="ftp://example.com")
