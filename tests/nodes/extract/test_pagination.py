"""Any API, cut into pages in any way: exactly its items, in order, and no request too many."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract.rest_source import RestSource
from tests.nodes.extract.paged_api import GUESSABLE, STYLES, URL, PagedApi
from tests.nodes.extract.read_ahead import read_ahead

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def source_of(style, **more):
    pagination = {**STYLES[style].settings, **more.pop("pagination", {})}
    return RestSource(RestSource.Config(url=URL, **{**STYLES[style].node, "pagination": pagination, **more}))


def ids(emissions):
    return [
        row["id"] for each in emissions if isinstance(each, pa.RecordBatch) for row in each.to_pylist() if "id" in row
    ]


def logged(context, level):
    return [message for each, message, _ in context.logged if each == level]


@pytest.fixture
def context_of(tmp_path, node_context):
    return lambda client: node_context(tmp_path, http=client)


@QUICK
@given(
    style=st.sampled_from(sorted(STYLES)),
    count=st.integers(0, 60),
    size=st.integers(1, 12),
    fails=st.dictionaries(st.integers(1, 8), st.integers(1, 3), max_size=3),
)
@example("page until empty", 20, 10, {2: 3})
@example("cursor", 0, 5, {})
def test_the_rows_are_exactly_the_items_and_only_what_failed_is_asked_for_again(
    tmp_path_factory, node_context, style, count, size, fails
):
    api = PagedApi(count, size, style, fails=dict(fails))
    context = node_context(tmp_path_factory.getbasetemp(), http=api)
    pages = max(1, -(-count // size))
    if STYLES[style].extra:
        pages += count > 0

    assert ids(source_of(style).read(context)) == list(range(count))
    assert api.pages == [page for page in range(1, pages + 1) for _ in range(1 + fails.get(page, 0))]
    # A header that even the first page lacks may be misspelt.
    doubtful = style in ("cursor in a header", "next address in a header") and pages == 1
    assert len(logged(context, "warning")) == doubtful


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("settled", [1, 3])
def test_reading_goes_on_behind_any_page(context_of, monkeypatch, style, settled):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_ROWS", settled)
    monkeypatch.setattr("etl_studio.sdk.records.BATCH_ROWS", 1)
    whole = list(source_of(style).read(context_of(PagedApi(23, 3, style))))
    cursors = [place for place, each in enumerate(whole) if isinstance(each, sdk.Cursor)]
    assert len(cursors) >= 7 if settled == 1 else cursors
    for place in cursors:
        api = PagedApi(23, 3, style)
        context = context_of(api)
        context.resume = json.loads(json.dumps(whole[place].value))
        before = ids(whole[:place])
        assert before + ids(source_of(style).read(context)) == list(range(23))
        assert min(api.pages) == -(-len(before) // 3) + 1, "no page before is asked for again"


@pytest.mark.parametrize("style", GUESSABLE)
def test_pages_are_found_out(context_of, style):
    api = PagedApi(23, 5, style)
    context = context_of(api)
    node = {key: value for key, value in STYLES[style].node.items() if key != "items"}
    source = RestSource(RestSource.Config(url=URL, **node, pagination={"kind": "auto"}))

    assert ids(source.read(context)) == list(range(23))
    assert api.pages == [1, 2, 3, 4, 5], "without a request too many"
    assert any(message.startswith("Pages are found by") for message in logged(context, "info"))


@pytest.mark.parametrize("style", GUESSABLE)
def test_a_resumed_run_keeps_what_was_found_out(context_of, monkeypatch, style):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_ROWS", 1)
    monkeypatch.setattr("etl_studio.sdk.records.BATCH_ROWS", 1)
    node = {key: value for key, value in STYLES[style].node.items() if key != "items"}
    source = RestSource(RestSource.Config(url=URL, **node, pagination={"kind": "auto"}))
    cursor = next(each for each in source.read(context_of(PagedApi(23, 5, style))) if isinstance(each, sdk.Cursor))
    api = PagedApi(23, 5, style)
    context = context_of(api)
    context.resume = json.loads(json.dumps(cursor.value))

    assert ids(source.read(context)) == list(range(5, 23))
    assert api.pages == [2, 3, 4, 5]


@pytest.mark.parametrize("style", ["page with total", "offset with total"])
def test_a_parameter_of_the_settings_names_that_of_the_pages(context_of, style):
    api = PagedApi(23, 5, style)
    params = {"page": 1, "per_page": 5} if style.startswith("page") else {"offset": 0, "limit": 5}
    source = RestSource(RestSource.Config(url=URL, params=params, pagination={"kind": "auto"}))

    assert ids(source.read(context_of(api))) == list(range(23))
    assert {"per_page", "limit"} & api.sent[-1].params.keys()


class Answers:
    """Gives prepared bodies in turn, the last for ever."""

    def __init__(self, *bodies, headers=None, attempts=3):
        self.bodies, self.headers, self.attempts = list(bodies), headers or {}, attempts
        self.sent = []

    def read_many(self, requests, parse, *, concurrency):
        return read_ahead(self, requests, parse, concurrency)

    def read(self, request, parse):
        for attempt in range(1, self.attempts + 1):
            self.sent.append(request)
            body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            response = sdk.HttpResponse(request.url, 200, self.headers, content)
            try:
                return response, parse(response)
            except TransientError:
                if attempt == self.attempts:
                    raise
        raise AssertionError


def read(context, items="items", **pagination):
    source = RestSource(RestSource.Config(url=URL, items=items, pagination=pagination))
    return ids(source.read(context))


def page(*numbers, **more):
    return {"items": [{"id": number} for number in numbers], **more}


def test_a_wrong_guess_is_seen_at_the_second_page_and_the_next_is_tried(context_of):
    # The API counts by offset and ignores "page".
    api = PagedApi(9, 4, "offset with total")
    wrong, api.answer = api.answer, None

    def answer(request):
        response = wrong(request)
        body = json.loads(response.content)
        del body["offset"]
        return sdk.HttpResponse(response.url, 200, {}, json.dumps(body).encode())

    api.answer = answer
    context = context_of(api)
    assert read(context, items="", kind="auto") == list(range(9))
    assert any("was wrong" in message for message in logged(context, "info"))


def test_a_total_that_cannot_be_reached_is_an_error_not_a_short_load(context_of):
    with pytest.raises(PermanentError, match="leads in a circle"):
        read(context_of(Answers(page(1, 2, total=9))), kind="auto")


def test_a_full_page_without_any_hint_is_doubtful(context_of):
    context = context_of(Answers([{"id": number} for number in range(20)]))
    assert len(read(context, items="", kind="auto")) == 20
    assert "exactly 20 items" in logged(context, "warning")[0]


def test_a_total_that_is_capped_does_not_end_what_has_more(context_of):
    context = context_of(
        Answers(
            page(1, 2, total=2, more=True),
            page(3, total=2, more=False),
        )
    )
    assert read(context, kind="page", total="total", has_more="more") == [1, 2, 3]


def test_an_empty_page_is_no_end_while_more_is_promised(context_of):
    context = context_of(Answers(page(1, more=True), page(more=True), page(2, more=False)))
    assert read(context, kind="page", has_more="more") == [1, 2]


def test_promises_of_more_do_not_keep_a_source_reading_for_ever(context_of):
    context = context_of(Answers(page(1, more=True), page(more=True)))
    assert read(context, kind="page", has_more="more") == [1]
    assert logged(context, "warning") == ["The API tells of more, but 10 pages in a row are empty."]


def test_a_short_page_ends_where_that_is_wanted(context_of):
    api = Answers(page(1, 2), page(3), page(4))
    assert read(context_of(api), kind="page", size=2, stop_on_short=True) == [1, 2, 3]
    assert len(api.sent) == 2


def test_a_number_of_items_is_kept_exactly(context_of):
    api = PagedApi(23, 5, "cursor")
    context = context_of(api)
    assert read(context, kind="cursor", max_items=12) == list(range(12))
    assert api.pages == [1, 2, 3]
    assert "at most 12 items are wanted" in logged(context, "info")[-1]


@pytest.mark.parametrize(
    ("bodies", "pagination", "words"),
    [
        ([page(1, 2), page()], {"kind": "page"}, "page 2 is empty"),
        ([page(1, 2, more=False)], {"kind": "page", "has_more": "more"}, '"more" says that nothing follows'),
        ([page(1, 2, total=2)], {"kind": "page", "total": "total"}, "all 2 items have come"),
        ([page(1, 2, n=1)], {"kind": "page", "total": "n", "total_of": "pages"}, "all 1 pages have come"),
        ([page(1)], {"kind": "page", "stop_on_short": True}, "shorter than 100"),
        ([page(1), page(2), page(1)], {"kind": "page", "repeats": "stop"}, "gave a page again"),
        ([page(1), page(2)], {"kind": "page", "max_pages": 2}, "at most 2 pages"),
        ([page(1, next_cursor=None)], {"kind": "cursor"}, "no further cursor"),
        ([page(1, next="")], {"kind": "link", "next": "next"}, "no next address"),
        ([page(1)], {"kind": "none"}, "the API has one page"),
    ],
)
def test_the_rule_that_ended_the_reading_is_logged(context_of, bodies, pagination, words):
    context = context_of(Answers(*bodies))
    read(context, **pagination)
    assert words in logged(context, "info")[-1]


def test_the_last_page_given_again_ends_the_reading_where_that_is_wanted(context_of):
    context = context_of(Answers(page(1), page(2)))
    assert read(context, kind="page", repeats="stop") == [1, 2]
    assert "Page 3 came before" in logged(context, "warning")[0]


def test_equal_pages_are_read_where_items_may_be_equal(context_of):
    context = context_of(Answers(page(1), page(1), page(1), page()))
    assert read(context, kind="page", repeats="go_on") == [1, 1, 1]


def test_an_earlier_page_that_comes_again_is_a_circle(context_of):
    with pytest.raises(PermanentError, match="page before"):
        read(context_of(Answers(page(1), page(2), page(1))), kind="page")


def test_the_same_cursor_twice_is_a_circle(context_of):
    with pytest.raises(PermanentError, match="already been read"):
        read(context_of(Answers(page(1, next_cursor="a"), page(2, next_cursor="a"))), kind="cursor")


@pytest.mark.parametrize(
    "wrong",
    [
        {"error": {"message": "Slow down."}},
        {"items": [], "error": "Slow down."},
        {"items": None, "errors": [{"message": "Slow down."}]},
        {"message": "not now"},
        b'{"items": [{"id":',
    ],
)
def test_an_error_in_place_of_a_page_is_asked_for_again_and_ends_nothing(context_of, wrong):
    api = Answers(page(1), wrong, wrong, page(2), page())
    api.headers = {"content-type": "application/json"}
    assert read(context_of(api), kind="page") == [1, 2]
    assert len(api.sent) == 5


def test_an_error_that_stays_is_quoted(context_of):
    with pytest.raises(TransientError, match="answered with an error: Slow down"):
        read(context_of(Answers(page(1, next_cursor="a"), {"items": [], "error": "Slow down."})), kind="cursor")


def test_a_row_may_have_a_field_called_error(context_of):
    source = RestSource(RestSource.Config(url=URL))
    (batch,) = source.read(context_of(Answers({"id": 1, "error": "none yet"})))
    assert batch.to_pylist() == [{"id": 1, "error": "none yet"}]


@pytest.mark.parametrize("before", [b"", b"\0\0", b"\xef\xbb\xbf", b")]}',\n"])
def test_json_is_read_whatever_stands_before_it(context_of, before):
    assert read(context_of(Answers(before + json.dumps(page(1)).encode() + b"\0")), kind="none") == [1]


def test_a_body_that_is_compressed_once_more_is_read(context_of):
    import gzip

    assert read(context_of(Answers(gzip.compress(json.dumps(page(1)).encode()))), kind="none") == [1]
    with pytest.raises(TransientError, match="breaks off"):
        read(context_of(Answers(gzip.compress(json.dumps(page(1)).encode())[:-4])), kind="none")


def test_a_secret_of_an_address_is_in_no_checkpoint_and_sent_again(context_of, monkeypatch):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_ROWS", 1)
    monkeypatch.setattr("etl_studio.sdk.records.BATCH_ROWS", 1)
    following = f"{URL}?api_key=very-secret&page=2"
    config = RestSource.Config(
        url=URL, items="items", params={"api_key": "very-secret"}, pagination={"kind": "link", "next": "next"}
    )
    given = list(RestSource(config).read(context_of(Answers(page(1, next=following), page(2)))))
    (cursor,) = [each for each in given if isinstance(each, sdk.Cursor)]
    assert "very-secret" not in json.dumps(cursor.value)
    api = Answers(page(2))
    context = context_of(api)
    context.resume = cursor.value
    assert ids(RestSource(config).read(context)) == [2]
    assert (api.sent[0].url, api.sent[0].params) == (f"{URL}?page=2", {"api_key": "very-secret"})


@pytest.mark.parametrize("query", ["signature=abcdef", "auth=x", "v=Bearer-token-of-headers"])
def test_an_address_with_a_secret_of_the_api_is_no_place_to_go_on(context_of, monkeypatch, query):
    monkeypatch.setattr("etl_studio.sdk.records.SETTLE_ROWS", 1)
    config = RestSource.Config(
        url=URL,
        items="items",
        headers={"X-Key": "Bearer-token-of-headers"},
        pagination={"kind": "link", "next": "next"},
    )
    answers = Answers(page(1, next=f"{URL}?{query}&page=2"), page(2))
    assert [each for each in RestSource(config).read(context_of(answers)) if isinstance(each, sdk.Cursor)] == []
