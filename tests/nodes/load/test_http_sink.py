"""Rows that are pushed to an API."""

from __future__ import annotations

import datetime as dt
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

ROWS = pa.RecordBatch.from_pydict({"id": [1, 2, 3], "name": ["a", "b", None]})


class Client:
    """Sends once."""

    def __init__(self, service):
        self._service, self._stopping = service, threading.Event()

    def send(self, request):
        return self._service.fetch(request, timeout=10, stopping=self._stopping, retry_on={503})


@pytest.fixture
def context(node_context, tmp_path):
    service = HttpService()
    with Databases(0.1) as databases:
        yield node_context(
            tmp_path, http=Client(service), database=lambda path: databases.open(tmp_path / (path or "data.db"))
        )
    service.close()


def opened(context, receiver, **config):
    sink = HttpSink(HttpSink.Config(url=receiver.url, **config))
    sink.open(ROWS.schema, context)
    return sink


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


def test_a_refusal_is_told_in_the_words_of_the_site(context):
    with Receiver(answers=(422,)) as receiver:
        sink = opened(context, receiver)
        sink.write(ROWS, context)
        with pytest.raises(PermanentError, match="no such customer"):
            sink.commit(context)
        sink.abort(context)


def test_an_address_that_is_none_is_refused_before_the_run():
    with pytest.raises(ValidationError, match="must begin with http"):
        HttpSink.Config(url="ftp://example.com")
