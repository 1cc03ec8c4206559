"""``etl-studio draft``: a pipeline of requests that somebody copied, recorded or described."""

from __future__ import annotations

import json

import pytest

from etl_studio.app.catalogue import full_registry
from etl_studio.pipeline import rules
from etl_studio.pipeline.file_format import load
from tests.pipeline.test_har_file import entry, har, headers
from tests.pipeline.test_openapi_file import ORDERS


@pytest.fixture
def description(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(ORDERS)
    return path


def test_requests_are_listed(call, description):
    answer = call("draft", description)

    assert answer.code == 0
    assert [line.split() for line in answer.out.splitlines()][-2:] == [
        ["1", "GET", "/orders", "All", "orders", "list"],
        ["2", "GET", "/orders/{id}", "getOrder", "one", "object"],
    ]
    assert "--take NUMBER" in answer.err


def test_those_that_are_taken_become_a_pipeline_that_is_right(call, description, tmp_path):
    new = tmp_path / "orders.etl.yaml"

    answer = call("draft", description, "--take", "2", "--take", "1", "-o", new)

    assert (answer.code, answer.out) == (0, f"{new}\n")
    assert "Set ETL_STUDIO_SECRET_API_SHOP_EXAMPLE_TOKEN" in answer.err
    pipeline = load(new, full_registry())
    assert [node.title for node in pipeline.nodes.values()] == ["getOrder", "All orders"]
    assert list(pipeline.parameters) == ["since", "orders_id"]
    assert [one for one in rules.check(pipeline, full_registry()) if one.severity == "error"] == []


def test_a_curl_command_is_printed_as_a_pipeline_without_its_secret(call, tmp_path):
    path = tmp_path / "request.txt"
    path.write_text("curl https://api.example.org/v1/orders -H 'Authorization: Bearer s3cr3t'\n")

    answer = call("draft", path)

    assert answer.code == 0
    assert "token: ${secret:api_example_org_token}" in answer.out
    assert "s3cr3t" not in answer.out + answer.err


def test_programs_get_all_facts_of_a_recording_and_no_secret(call, tmp_path):
    path = tmp_path / "visit.har"
    secret = headers(Authorization="Bearer s3cr3t-123456")
    path.write_text(har(entry(headers=secret), entry("https://shop.example/api/me", {"name": "Ada"})))

    answer = call("draft", path, "--json")

    first, second = json.loads(answer.out)
    assert (first["number"], first["request"], first["items"]) == (1, "https://shop.example/api/products", 24)
    assert second["node"]["config"]["url"] == "https://shop.example/api/me"
    assert "s3cr3t" not in answer.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("shop.yaml", "--take", "9"), "There is no request 9"),
        (("shop.yaml", "--take", "1", "-o", "shop.yaml"), "something at shop.yaml already"),
        (("gone.har",), "gone.har cannot be read"),
        (("rows.json",), "no cURL command, no recording and no description"),
    ],
)
def test_what_cannot_be_done_is_refused(call, description, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.json").write_text("[1]")

    answer = call("draft", *arguments)

    assert answer.code == 2
    assert reason in answer.err
