"""REST API: every pagination to its end, nothing lost on the way, and no endless loops."""

from __future__ import annotations

import json
import threading

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import Cancelled, PermanentError, TransientError
from etl_studio.nodes.extract._pagination.following import next_link
from etl_studio.nodes.extract.rest_source import RestSource
from tests.nodes.conftest import rows_of
from tests.nodes.extract.read_ahead import read_ahead

PAGE = {"kind": "page", "size_param": "per_page", "size": 20}


def read(context, url, **settings):
    """Rows and rejects of a REST source."""
    emissions = list(rows_of(RestSource(RestSource.Config(url=url, **settings)), context))
    batches = [each for each in emissions if isinstance(each, pa.RecordBatch)]
    return pa.Table.from_batches(batches), [each for each in emissions if isinstance(each, sdk.Rejected)]


def logged(context, level):
    return [message for each, message, _ in context.logged if each == level]


class CannedClient:
    """Gives prepared answers in turn, the last one for ever; remembers the requests."""

    def __init__(self, *answers, content_type="application/json"):
        self.answers = list(answers)
        self.sent = []
        self._headers = {"content-type": content_type}

    def send(self, request):
        self.sent.append(request)
        answer = self.answers[min(len(self.sent), len(self.answers)) - 1]
        headers, answer = (answer.headers, answer.content) if isinstance(answer, sdk.HttpResponse) else ({}, answer)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return sdk.HttpResponse(request.url, 200, {**self._headers, **headers}, content)

    def read_many(self, requests, parse, *, concurrency):
        return read_ahead(self, requests, parse, concurrency)

    def read(self, request, parse):
        response = self.send(request)
        return response, parse(response)


@pytest.fixture
def canned(tmp_path, node_context):
    """A function of answers that gives a context with those."""

    def make(*answers, **how):
        return node_context(tmp_path, http=CannedClient(*answers, **how))

    return make


@pytest.mark.parametrize(
    ("path", "settings", "requests"),
    [
        ("/api/products", {"items": "data.items", "pagination": {**PAGE, "has_more": "has_more"}}, 3),
        ("/api/products", {"items": "data.items", "pagination": {**PAGE, "total": "total"}}, 3),
        ("/api/products", {"items": "data.items", "pagination": PAGE}, 4),
        ("/api/offset", {"items": "items", "pagination": {"kind": "offset", "size": 20, "total": "total"}}, 3),
        ("/api/offset", {"items": "items", "pagination": {"kind": "offset", "size": 15}}, 4),
        ("/api/cursor", {"items": "items", "pagination": {"kind": "cursor"}}, 3),
        ("/api/link", {"items": "", "pagination": {"kind": "link"}}, 3),
        ("/api/products?per_page=100", {"items": "data.items", "pagination": {"kind": "none"}}, 1),
    ],
)
def test_each_pagination_gives_every_item_once(web_context, demo_site, path, settings, requests):
    table, rejects = read(web_context, demo_site.url + path, **settings)
    assert table["id"].to_pylist() == list(range(1, 46))
    assert rejects == []
    assert len(demo_site.requests) == requests


def test_values_keep_their_types_and_nested_objects_become_columns(web_context, demo_site):
    table, _ = read(web_context, demo_site.url + "/api/products?per_page=45", items="data.items")
    product = demo_site.goods.products[0]
    row = table.slice(0, 1).to_pylist()[0]
    assert (row["price"], row["stock"], row["supplier_name"]) == (product.price, product.stock, product.supplier)
    assert json.loads(row["tags"]) == list(product.tags)
    assert table.schema.field("price").type == pa.float64()
    assert table["price"].null_count == 1
    assert "supplier" not in table.column_names


def test_objects_stay_json_when_flattening_is_off(web_context, demo_site):
    table, _ = read(web_context, demo_site.url + "/api/products", items="data.items", flatten=False)
    assert json.loads(table["supplier"][0].as_py())["name"] == demo_site.goods.products[0].supplier


def test_a_null_where_an_object_was_gives_empty_columns(canned):
    context = canned([{"id": 1, "owner": {"name": "Ada", "deep": {"a": 1}}}, {"id": 2, "owner": None}])
    table, rejects = read(context, "http://a.example/")
    assert table.to_pylist() == [
        {"id": 1, "owner_name": "Ada", "owner_deep": '{"a": 1}'},
        {"id": 2, "owner_name": None, "owner_deep": None},
    ]
    assert rejects == []


def test_a_flattened_name_that_is_taken_gets_two_underlines(canned):
    table, _ = read(canned([{"a_b": 1, "a": {"b": 2}}]), "http://a.example/")
    assert table.to_pylist() == [{"a_b": 1, "a__b": 2}]


def test_declared_types_win(web_context, demo_site):
    table, _ = read(
        web_context,
        demo_site.url + "/api/products",
        items="data.items",
        columns={"updated_at": "timestamptz", "id": "text"},
    )
    assert table.schema.field("updated_at").type == pa.timestamp("us", tz="UTC")
    assert table["id"][0].as_py() == "1"


def test_parameters_go_with_every_page(web_context, demo_site):
    read(web_context, demo_site.url + "/api/cursor", items="items", params={"limit": 30}, pagination={"kind": "cursor"})
    assert [request.path.count("limit=30") for request in demo_site.requests] == [1, 1]


def test_a_search_is_posted_and_paged_in_its_body(web_context, demo_site):
    table, _ = read(
        web_context,
        demo_site.url + "/api/search",
        method="POST",
        body={"query": "e"},
        items="data.items",
        pagination={**PAGE, "size": 10, "has_more": "has_more", "send_in": "body"},
    )
    wanted = [product.name for product in demo_site.goods.products if "e" in product.name.lower()]
    assert table["name"].to_pylist() == wanted
    assert [request.body["page"] for request in web_context.http().sent] == list(range(1, len(demo_site.requests) + 1))


@pytest.mark.parametrize("fault", ["500", "429&retry_after=0", "reset", "truncate"])
def test_a_failing_page_is_asked_for_again_alone(web_context, demo_site, fault):
    url = f"{demo_site.url}/api/link?per_page=20&fail_first=2&fault={fault}"
    table, _ = read(web_context, url, pagination={"kind": "link"})
    assert table["id"].to_pylist() == list(range(1, 46))
    first, second, third = (
        f"/api/link?per_page=20&fail_first=2&fault={fault}{page}" for page in ("", "&page=2", "&page=3")
    )
    assert [request.path for request in demo_site.requests] == [first] * 3 + [second] * 3 + [third] * 3


def test_an_error_answer_is_never_taken_for_the_last_page(web_context, demo_site):
    with pytest.raises(TransientError) as caught:
        read(
            web_context,
            demo_site.url + "/api/products?fault=500",
            items="data.items",
            pagination={**PAGE, "has_more": "has_more"},
        )
    assert caught.value.status == 500


@pytest.mark.parametrize(
    "pagination",
    [
        {"kind": "page", "has_more": "has_more"},
        {"kind": "offset"},
        {"kind": "cursor"},
        {"kind": "link"},
        {"kind": "link", "next": "next"},
    ],
)
def test_an_api_that_leads_in_a_circle_is_stopped_with_an_error(web_context, demo_site, pagination):
    with pytest.raises(PermanentError, match="leads in a circle") as caught:
        read(web_context, demo_site.url + "/api/loop", items="items", pagination=pagination)
    assert "/api/loop" in str(caught.value)
    assert len(demo_site.requests) <= 3


def test_a_wanted_number_of_pages_is_kept_and_logged(web_context, demo_site):
    table, _ = read(
        web_context, demo_site.url + "/api/products", items="data.items", pagination={**PAGE, "max_pages": 2}
    )
    assert table.num_rows == 40
    assert any("at most 2 pages" in message for message in logged(web_context, "info"))


def test_without_a_wanted_number_too_many_pages_are_an_error(canned, monkeypatch):
    monkeypatch.setattr("etl_studio.nodes.extract._pagination.steps.SAFETY_LIMIT", 3)
    context = canned([{"id": 1}], [{"id": 2}], [{"id": 3}], [{"id": 4}])
    with pytest.raises(PermanentError, match="still has more after 3 pages") as caught:
        read(context, "http://a.example/", pagination={"kind": "page"})
    assert "max_pages" in caught.value.hint


def test_fewer_items_than_promised_are_a_warning(canned):
    context = canned({"items": [{"id": 1}], "total": 5}, {"items": [], "total": 5})
    table, _ = read(context, "http://a.example/", items="items", pagination={"kind": "page", "total": "total"})
    assert table.num_rows == 1
    assert logged(context, "warning") == ["The API promised 5 items and gave 1."]


def test_a_cursor_path_that_is_not_there_is_a_warning_that_names_what_is(canned):
    context = canned({"items": [{"id": 1}], "nextCursor": "x"})
    read(context, "http://a.example/", items="items", pagination={"kind": "cursor"})
    (warning,) = logged(context, "warning")
    assert 'no "next_cursor"' in warning
    assert "nextCursor" in warning


def test_a_path_to_items_that_is_not_there_names_the_keys_that_are(web_context, demo_site):
    with pytest.raises(PermanentError) as caught:
        read(web_context, demo_site.url + "/api/products", items="data.rows")
    assert 'There is no "rows" in the answer of' in str(caught.value)
    assert 'under "data" are the keys items' in str(caught.value)
    assert (caught.value.column, caught.value.value) == ("items", "data.rows")


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"items": 5}, "but a number"), ({"items": "x"}, "but a text")],
)
def test_items_that_are_no_list_are_an_error(canned, answer, words):
    with pytest.raises(PermanentError, match=words):
        read(canned(answer), "http://a.example/", items="items")


def test_html_where_json_was_promised_is_named(web_context, demo_site):
    with pytest.raises(PermanentError) as caught:
        read(web_context, demo_site.url + "/api/html")
    assert "did not answer with JSON but with text/html" in str(caught.value)
    assert "Sign in" in str(caught.value)


def test_an_item_that_is_no_object_is_rejected_and_the_others_come(canned):
    table, rejects = read(canned([{"id": 1}, "two", 3, {"id": 4}]), "http://a.example/")
    assert table["id"].to_pylist() == [1, 4]
    ((rejected,),) = (rejects,)
    assert rejected.rows.to_pylist() == [{"record": '"two"'}, {"record": "3"}]
    assert "Item 2 of page 1 is no object but a text" in rejected.problems[0].message


def test_a_later_value_that_does_not_fit_is_rejected_not_lost(canned):
    context = canned([{"n": number} for number in range(1200)] + [{"n": "many"}])
    table, rejects = read(context, "http://a.example/")
    assert table["n"].to_pylist() == list(range(1200))
    assert [each.rows["record"].to_pylist() for each in rejects] == [['{"n": "many"}']]


def test_one_object_is_one_row(canned):
    table, _ = read(canned({"id": 7, "name": "x"}), "http://a.example/")
    assert table.to_pylist() == [{"id": 7, "name": "x"}]


@pytest.mark.parametrize("answer", [[], {"items": []}, {"items": None}])
def test_no_items_give_the_declared_columns_and_no_rows(canned, answer):
    items = "items" if isinstance(answer, dict) else ""
    table, _ = read(canned(answer), "http://a.example/", items=items, columns={"id": "integer"})
    assert (table.num_rows, table.column_names) == (0, ["id"])


def test_an_empty_page_with_a_cursor_is_not_the_end(canned):
    context = canned({"items": [], "next_cursor": "a"}, {"items": [{"id": 1}], "next_cursor": None})
    table, _ = read(context, "http://a.example/", items="items", pagination={"kind": "cursor"})
    assert table.num_rows == 1


def test_headers_and_parameters_do_not_follow_a_next_address_to_another_site(canned):
    context = canned({"items": [{"id": 1}], "next": "http://b.example/x"}, {"items": [{"id": 2}], "next": None})
    read(
        context,
        "http://a.example/",
        items="items",
        headers={"Authorization": "Bearer x"},
        params={"api_key": "k"},
        pagination={"kind": "link", "next": "next"},
    )
    first, second = context.http().sent
    assert (first.headers["Authorization"], first.params["api_key"]) == ("Bearer x", "k")
    assert (second.url, second.headers, second.params) == ("http://b.example/x", {}, {})
    assert "another site" in logged(context, "warning")[0]


def test_a_next_address_keeps_parameters_that_it_lacks(canned):
    context = canned({"items": [{"id": 1}], "next": "/x?page=2&size=5"}, {"items": [{"id": 2}], "next": None})
    settings = {"items": "items", "pagination": {"kind": "link", "next": "next"}}
    read(context, "http://a.example/", params={"api_key": "k", "size": 9}, **settings)
    assert context.http().sent[1].url == "http://a.example/x?page=2&size=5"
    assert context.http().sent[1].params == {"api_key": "k"}


@pytest.mark.parametrize(
    ("header", "url"),
    [
        (
            '<https://a.example/?page=2>; rel="next", <https://a.example/?page=9>; rel="last"',
            "https://a.example/?page=2",
        ),
        ('<https://a.example/?a=1,2>; rel="prev", </b,c>; title="x"; rel=next', "/b,c"),
        ('</x>; rel="start next"', "/x"),
        ('</x>; rel="nextish"', None),
        ("", None),
    ],
)
def test_link_headers_are_read(header, url):
    assert next_link(header) == url


def test_stopping_ends_a_hanging_page(web_context, demo_site, stopping_after):
    stopping_after(web_context, 0.2)
    with pytest.raises(Cancelled):
        read(web_context, demo_site.url + "/api/products?fault=hang")
    assert threading.active_count() < 20


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "shop.example/api"}, "must be an address"),
        ({"url": "file:///etc/passwd"}, "must be an address"),
        ({"url": "http://a.example", "body": {"a": 1}}, "POST"),
        ({"url": "http://a.example", "pagination": {"kind": "page", "send_in": "body"}}, "POST"),
        ({"url": "http://a.example", "pagination": {"kind": "pages"}}, "page"),
        ({"url": "http://a.example", "columns": {"a": "intger"}}, "integer"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        RestSource.Config(**settings)


def test_the_example_works(web_context, demo_site):
    example = {**RestSource.example, "url": demo_site.url + "/api/products"}
    assert read(web_context, **example)[0].num_rows == 45
