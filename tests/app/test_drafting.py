"""What somebody copied, recorded or described reads all that the real API has, page by page."""

from __future__ import annotations

import json

import pytest

from etl_studio.app.drafting import pipeline_of, requests_of
from etl_studio.app.studio import Studio
from tests.app.probed_site import ProbedSite

COUNT = 47


@pytest.fixture
def site():
    with ProbedSite("cursor", count=COUNT, size=10) as site:
        yield site


@pytest.fixture
def studio(monkeypatch):
    monkeypatch.setenv("ETL_STUDIO_SECRET_127_0_0_1_TOKEN", "t0ken-of-the-test")
    with Studio() as studio:
        yield studio


def curl(url):
    return f"curl '{url}/things' -H 'Authorization: Bearer recorded-t0ken'"


def har(url):
    request = {"method": "GET", "url": f"{url}/things", "headers": [{"name": "authorization", "value": "Bearer old"}]}
    content = {"mimeType": "application/json", "text": json.dumps({"items": [{"id": 1}], "next_cursor": "c10"})}
    entries = [{"request": request, "response": {"status": 200, "content": content}}]
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def openapi(url):
    item = {"type": "object", "properties": {"id": {"type": "integer"}}}
    schema = {"properties": {"items": {"type": "array", "items": item}, "next_cursor": {"type": "string"}}}
    operation = {
        "parameters": [{"name": "cursor", "in": "query", "schema": {"type": "string"}}],
        "responses": {"200": {"content": {"application/json": {"schema": schema}}}},
        "security": [{"token": []}],
    }
    return json.dumps(
        {
            "openapi": "3.1.0",
            "servers": [{"url": url}],
            "paths": {"/things": {"get": operation}},
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        }
    )


@pytest.mark.parametrize("made", [curl, har, openapi])
def test_the_node_that_is_made_reads_everything_and_signs_in_with_the_secret(studio, site, tmp_path, made):
    path = tmp_path / "evidence"
    path.write_text(made(site.url))
    (choice,) = requests_of(path)

    pipeline = pipeline_of("things", [choice.draft])
    (node,) = pipeline.nodes
    rows = studio.preview(pipeline, file=None, node=node, rows=1000)

    assert rows.column("id").to_pylist() == list(range(COUNT))
    assert {headers["authorization"] for _, headers in site.asked} == {"Bearer t0ken-of-the-test"}
