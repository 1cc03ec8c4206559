"""Requests of a recorded visit become sources; what was secret in it never gets into the settings."""

from __future__ import annotations

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.errors import UsageError
from etl_studio.pipeline.har_file import is_har, read_har
from etl_studio.pipeline.request_files import read_request_file, read_requests

ITEMS = [{"id": number} for number in range(24)]


def entry(url="https://shop.example/api/products?page=1", body=None, *, method="GET", status=200, **more):
    content = {
        "mimeType": "application/json",
        "size": 900,
        "text": json.dumps({"items": ITEMS} if body is None else body),
    }
    request = {"method": method, "url": url, "headers": more.pop("headers", []), **more}
    return {"request": request, "response": {"status": status, "content": content}}


def har(*entries, **log):
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "Browser"}, **log, "entries": list(entries)}})


def headers(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


def test_a_recorded_request_becomes_a_rest_source_with_references_for_its_secrets():
    sent = [
        {"name": ":authority", "value": "shop.example"},
        {"name": "sec-ch-ua", "value": '"Browser"'},
        {"name": "Authorization", "value": "Bearer tok-1234567890"},
        {"name": "Cookie", "value": "sid=abc; theme=dark"},
        {"name": "X-Shop", "value": "mugs"},
    ]
    (choice,) = read_requests(har(entry(headers=sent)))

    assert (choice.method, choice.address, choice.items, choice.size) == (
        "GET",
        "https://shop.example/api/products",
        24,
        900,
    )
    assert choice.draft.config == {
        "url": "https://shop.example/api/products",
        "pagination": {"kind": "auto"},
        "params": {"page": "1"},
        "headers": {"cookie": "${secret:shop_example_cookie}", "x-shop": "mugs"},
        "auth": {"kind": "bearer", "token": "${secret:shop_example_token}"},
    }


def test_a_key_in_a_header_becomes_the_sign_in():
    (choice,) = read_requests(har(entry(headers=headers(**{"X-Api-Key": "k-1234567890"}))))

    assert choice.draft.config["auth"] == {
        "kind": "api_key",
        "key": "${secret:shop_example_x_api_key}",
        "name": "x-api-key",
        "send_in": "header",
    }


def test_requests_that_differ_only_in_their_parameters_count_once_and_the_longest_list_comes_first():
    text = har(
        entry("https://shop.example/api/me", {"name": "Ada"}),
        entry("https://shop.example/api/products?page=1", {"items": ITEMS[:3]}),
        entry("https://shop.example/api/products?page=2", {"items": ITEMS}),
    )

    found = [(one.address, one.items, one.times) for one in read_requests(text)]

    assert found == [("https://shop.example/api/products", 24, 2), ("https://shop.example/api/me", 0, 1)]


def test_queries_of_graphql_have_one_address_and_are_told_apart():
    def query(name):
        data = json.dumps({"operationName": name, "query": "query {...}", "variables": {"token": "t-123456789"}})
        return entry("https://shop.example/graphql", method="POST", postData={"mimeType": "x", "text": data})

    found = read_requests(har(query("Products"), query("Orders"), query("Products")))

    assert [(one.words, one.times) for one in found] == [("Products", 2), ("Orders", 1)]
    assert found[0].draft.config["body"]["variables"] == {"token": "${secret:shop_example_token}"}
    assert found[0].draft.config["method"] == "POST"


def test_a_token_that_also_stands_under_a_harmless_name_is_hidden_there_too():
    url = "https://shop.example/api/u/tok-1234567890?x=tok-1234567890"
    (choice,) = read_requests(har(entry(url, headers=headers(Authorization="Bearer tok-1234567890"))))

    assert "tok-1234567890" not in json.dumps(choice.draft.config)


def test_pages_pictures_errors_and_writing_requests_are_left_out():
    page = entry("https://shop.example/shop")
    page["response"]["content"] = {"mimeType": "text/html", "text": "<html>"}
    failed = entry("https://shop.example/api/x", status=500)
    written = entry("https://shop.example/api/y", method="DELETE")

    with pytest.raises(UsageError, match="No answer in this recording is JSON"):
        read_har(har(page, failed, written))


def test_json_that_calls_itself_text_or_is_in_base64_is_seen():
    plain, encoded = entry("https://shop.example/a"), entry("https://shop.example/b")
    plain["response"]["content"]["mimeType"] = "text/plain"
    content = encoded["response"]["content"]
    content |= {"encoding": "base64", "text": base64.b64encode(content["text"].encode()).decode()}

    assert [one.items for one in read_har(har(plain, encoded))] == [24, 24]


def test_a_recording_without_contents_still_tells_of_its_requests():
    bare = entry()
    del bare["response"]["content"]["text"]

    assert [(one.items, one.size) for one in read_har(har(bare))] == [(None, 900)]


def test_a_recording_that_breaks_off_is_refused_with_how_far_it_goes():
    text = har(entry("https://shop.example/a"), entry("https://shop.example/b"))

    with pytest.raises(UsageError, match="breaks off, or is damaged, behind 1 requests"):
        read_har(text[: text.rindex('"request"')])


@pytest.mark.parametrize(
    "text", ["", "{}", '{"log": {}}', '{"log": []}', '{"log": {"entries": {}}}', '{"log": {"a"}', "[" * 9999]
)
def test_what_is_no_recording_is_refused(text):
    with pytest.raises(UsageError, match="This is no HTTP Archive"):
        read_har(text)


def test_what_a_recording_looks_like():
    assert is_har(har())
    assert is_har("\ufeff" + har())
    assert not is_har('{"items": []}')
    assert not is_har("curl https://example.org")


def test_a_file_that_is_something_else_is_left_alone(tmp_path):
    (tmp_path / "a.json").write_text('[{"id": 1}]')
    (tmp_path / "b.json").write_bytes(b"\0" * 100)
    (tmp_path / "c.json").write_bytes(b"")
    (tmp_path / "d.har").write_text(har(entry()), encoding="utf-16")

    assert [read_request_file(tmp_path / name) for name in ("a.json", "b.json", "c.json")] == [None] * 3
    assert len(read_request_file(tmp_path / "d.har")) == 1
    with pytest.raises(UsageError, match=r"gone\.har cannot be read"):
        read_request_file(tmp_path / "gone.har")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_recording_with_anything_anywhere_is_read_or_refused(data):
    """One value of a good recording is exchanged for any other one."""
    document = json.loads(har(entry(headers=headers(A="b"), postData={"text": "{}"}, method="POST"), pages=[]))
    place, name = document, "log"
    while isinstance(place[name], dict | list) and place[name] and data.draw(st.booleans(), label="deeper"):
        place = place[name]
        name = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    place[name] = data.draw(JSON)

    with suppress(UsageError):
        for choice in read_requests(json.dumps(document)):
            assert choice.draft.config["url"].startswith("http")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 600), st.sampled_from(["", "{", "]", '"', "\0", "\\", ",,"]))
def test_a_recording_that_is_cut_or_damaged_anywhere_is_read_or_refused(at, put):
    text = har(entry(), entry("https://shop.example/b"))

    for damaged in (text[:at], text[:at] + put + text[at:], text[:at] + put + text[at + 5 :]):
        with suppress(UsageError):
            assert read_har(damaged)


SECRET = st.from_regex(r"[0-9]{12,30}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(SECRET, st.sampled_from(["Authorization", "cookie", "X-API-Key", "x-csrf-token", "Proxy-Authorization"]))
def test_no_secret_of_a_recording_is_ever_in_the_settings(secret, name):
    data = json.dumps({"query": "q", "auth": {"password": secret}, "list": [{"apiKey": secret}]})
    recorded = [
        entry(f"https://u:{secret}@shop.example/a?access_token={secret}&q=1"),
        entry("https://shop.example/b", headers=headers(**{name: f"Bearer {secret}"})),
        entry("https://shop.example/c", headers=headers(**{name: secret})),
        entry("https://shop.example/d", method="POST", postData={"text": data}),
        entry(f"https://shop.example/e?sig={secret}&sig={secret}"),
    ]
    for choice in read_requests(har(*recorded)):
        assert secret not in json.dumps(choice.draft.config)
        assert secret not in f"{choice.address} {choice.words}"
        assert choice.draft.secrets
