"""Operations that an API's description tells of become sources that a run accepts."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.app.catalogue import full_registry
from etl_studio.errors import UsageError
from etl_studio.pipeline import rules
from etl_studio.pipeline.model import NodeSpec, Parameter, Pipeline
from etl_studio.pipeline.openapi_file import is_openapi, read_openapi
from etl_studio.pipeline.web_drafts import notice

REGISTRY = full_registry()

ORDERS = """
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers: [{url: "https://api.shop.example/v2/"}]
security: [{token: []}]
paths:
  /orders:
    get:
      summary: All orders
      parameters:
        - {name: page, in: query, schema: {type: integer, default: 1}}
        - {name: per_page, in: query, schema: {type: integer, default: 20, maximum: 100}}
        - {name: status, in: query, schema: {type: string, default: open}}
        - {name: since, in: query, required: true, schema: {type: string}, description: "Orders since   then"}
        - {name: note, in: query, schema: {type: string}}
      responses:
        "200":
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Orders"}
  /orders/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}, example: 7}]
    get:
      operationId: getOrder
      responses:
        "200": {content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
    delete: {responses: {}}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
  schemas:
    Orders:
      allOf:
        - {$ref: "#/components/schemas/Counted"}
        - properties:
            result: {type: object, properties: {orders: {type: array, items: {$ref: "#/components/schemas/Order"}}}}
    Counted: {type: object, properties: {has_more: {type: boolean}, total: {type: integer}}}
    Order:
      type: object
      properties:
        id: {type: integer}
        parent: {$ref: "#/components/schemas/Order"}
        lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}
"""


def described(paths, **more):
    document = {"openapi": "3.1.0", "servers": [{"url": "https://api.shop.example"}], "paths": paths, **more}
    return read_openapi(json.dumps(document))


def answer(schema, **more):
    return {"responses": {"200": {"content": {"application/json": {"schema": schema}}, **more}}}


LIST = {"type": "array", "items": {"type": "object"}}


def problems(draft):
    pipeline = Pipeline(nodes={"api": NodeSpec("api", draft.node_type, draft.config)}, parameters=draft.parameters)
    return [one for one in rules.check(pipeline, REGISTRY) if one.severity == "error"]


def test_an_operation_becomes_a_rest_source_with_pages_items_sign_in_and_parameters():
    orders, order = read_openapi(ORDERS)

    assert (orders.method, orders.path, orders.words, orders.lists) == ("GET", "/orders", "All orders", True)
    assert orders.draft.config == {
        "url": "https://api.shop.example/v2/orders",
        "pagination": {
            "kind": "page",
            "page_param": "page",
            "start": 1,
            "size_param": "per_page",
            "size": 100,
            "has_more": "has_more",
            "total": "total",
        },
        "items": "result.orders",
        "params": {"status": "open", "since": "${since}"},
        "auth": {"kind": "bearer", "token": "${secret:api_shop_example_token}"},
    }
    assert orders.draft.parameters == {"since": Parameter("since", "text", None, "Orders since then")}
    assert orders.draft.title == "All orders"
    assert notice([orders.draft]) == (
        "A secret is not kept in the pipeline. Set ETL_STUDIO_SECRET_API_SHOP_EXAMPLE_TOKEN. "
        "Give the parameter a value: since."
    )
    assert (order.words, order.lists) == ("getOrder", False)
    assert order.draft.config["url"] == "https://api.shop.example/v2/orders/${orders_id}"
    assert order.draft.config["pagination"] == {"kind": "none"}
    assert order.draft.parameters == {"orders_id": Parameter("orders_id", "integer", 7)}
    assert problems(orders.draft) == problems(order.draft) == []


def test_json_says_the_same_as_yaml():
    plain = yaml.safe_load(ORDERS)

    assert read_openapi(json.dumps(plain)) == read_openapi(ORDERS)
    assert read_openapi("\ufeff" + json.dumps(plain, indent=1)) == read_openapi(ORDERS)


def test_swagger_2_is_understood():
    document = {
        "swagger": "2.0",
        "host": "shop.example",
        "basePath": "/api",
        "schemes": ["http", "https"],
        "securityDefinitions": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}},
        "security": [{"key": []}],
        "paths": {
            "/search": {
                "post": {
                    "parameters": [
                        {"in": "body", "name": "body", "schema": {"$ref": "#/definitions/Query"}},
                        {"in": "query", "name": "api_key", "type": "string", "required": True},
                        {"in": "query", "name": "offset", "type": "integer", "default": 0},
                        {"in": "query", "name": "limit", "type": "integer", "maximum": 50},
                        {
                            "in": "header",
                            "name": "X-Shop",
                            "type": "string",
                            "required": True,
                            "enum": ["mugs", "cups"],
                        },
                    ],
                    "responses": {"200": {"schema": LIST}},
                }
            }
        },
        "definitions": {
            "Query": {
                "type": "object",
                "required": ["text", "password"],
                "properties": {"text": {"type": "string", "example": "mug"}, "password": {"type": "string"}},
            }
        },
    }

    (search,) = read_openapi(json.dumps(document))

    assert search.draft.config == {
        "url": "https://shop.example/api/search",
        "pagination": {"kind": "offset", "offset_param": "offset", "size_param": "limit", "size": 50},
        "headers": {"X-Shop": "mugs"},
        "auth": {"kind": "api_key", "key": "${secret:shop_example_api_key}", "name": "api_key", "send_in": "query"},
        "method": "POST",
        "body": {"text": "mug", "password": "${secret:shop_example_password}"},
    }
    assert problems(search.draft) == []


@pytest.mark.parametrize(
    ("params", "schema", "headers", "pagination"),
    [
        (
            ["cursor", "limit"],
            {"properties": {"data": LIST, "meta": {"properties": {"next_cursor": {"type": ["string", "null"]}}}}},
            {},
            {"kind": "cursor", "cursor": "meta.next_cursor", "cursor_param": "cursor"},
        ),
        (["page"], LIST, {"Link": {}}, {"kind": "link"}),
        (["cursor"], {"properties": {"data": LIST}}, {}, {"kind": "auto"}),
        ([], LIST, {}, {"kind": "auto"}),
        (["page"], LIST, {}, {"kind": "page", "page_param": "page", "start": 1}),
    ],
)
def test_pages_are_as_the_description_says_and_else_found_out(params, schema, headers, pagination):
    parameters = [{"name": name, "in": "query", "schema": {}} for name in params]
    (one,) = described({"/a": {"get": {"parameters": parameters, **answer(schema, headers=headers)}}})

    assert one.draft.config["pagination"] == pagination
    assert problems(one.draft) == []


def test_a_start_parameter_that_is_a_date_is_no_offset():
    parameters = [
        {"name": "start", "in": "query", "schema": {"type": "string", "format": "date"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
    ]
    (one,) = described({"/a": {"get": {"parameters": parameters, **answer(LIST)}}})

    assert one.draft.config["pagination"] == {"kind": "auto"}


def test_a_first_page_that_is_not_told_is_left_to_a_person():
    parameters = [{"name": "page", "in": "query", "schema": {"type": "integer"}}]
    (one,) = described({"/a": {"get": {"parameters": parameters, **answer(LIST)}}})

    assert "whether pages count from 0 or 1" in notice([one.draft])


@pytest.mark.parametrize(
    ("scheme", "kind"),
    [
        ({"type": "http", "scheme": "Basic"}, "basic"),
        ({"type": "http", "scheme": "digest"}, "digest"),
        ({"type": "http", "scheme": "bearer"}, "bearer"),
        ({"type": "apiKey", "in": "header", "name": "X-Key"}, "api_key"),
        ({"type": "apiKey", "in": "header", "name": "Authorization"}, "bearer"),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://auth.example/token"}}},
            "oauth2_client_credentials",
        ),
        (
            {
                "type": "oauth2",
                "flow": "accessCode",
                "authorizationUrl": "https://a.example",
                "tokenUrl": "https://a.example/t",
            },
            "oauth2_authorization_code",
        ),
    ],
)
def test_each_kind_of_sign_in_becomes_a_setting_that_is_right(scheme, kind):
    paths = {"/a": {"get": {"security": [{"s": ["read", "list"]}], **answer(LIST)}}}
    (one,) = described(paths, components={"securitySchemes": {"s": scheme}})

    assert one.draft.config["auth"]["kind"] == kind
    assert one.draft.config["auth"].get("scope", "read list") == "read list"
    assert problems(one.draft) == []


def test_a_sign_in_that_no_source_knows_is_told():
    paths = {"/a": {"get": {"security": [{"s": []}], **answer(LIST)}}}
    (one,) = described(paths, components={"securitySchemes": {"s": {"type": "openIdConnect"}}})

    assert 'Left out: the sign-in "s".' in notice([one.draft])


def test_a_sign_in_that_is_not_needed_is_left_out():
    paths = {"/a": {"get": {"security": [{}, {"s": []}], **answer(LIST)}}}
    (one,) = described(paths, components={"securitySchemes": {"s": {"type": "http", "scheme": "bearer"}}})

    assert "auth" not in one.draft.config


def test_variables_of_the_server_without_a_value_become_parameters():
    servers = [{"url": "https://{tenant}.{zone}.example/v1", "variables": {"zone": {"default": "eu"}}}]
    (one,) = described({"/a": {"get": answer(LIST)}}, servers=servers)

    assert one.draft.config["url"] == "https://${tenant}.eu.example/v1/a"
    assert list(one.draft.parameters) == ["tenant"]
    assert problems(one.draft) == []


@pytest.mark.parametrize("servers", [[], [{"url": "/v1"}], [{"url": "ftp://x"}], [{"url": "https://[::1"}], "nonsense"])
def test_an_api_that_is_nowhere_gets_an_address_to_be_written(servers):
    (one,) = described({"/a": {"get": answer(LIST)}}, servers=servers)

    assert one.draft.config["url"].startswith("https://api.example.org")
    assert "does not say where the API is" in notice([one.draft])


def test_a_relative_server_is_where_the_description_came_from():
    document = {"openapi": "3.0.0", "servers": [{"url": "/v1"}], "paths": {"/a": {"get": answer(LIST)}}}

    (one,) = read_openapi(json.dumps(document), "https://shop.example/docs/openapi.json")

    assert one.draft.config["url"] == "https://shop.example/v1/a"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("openapi: 3.0.0\n", "no OpenAPI description"),
        ("openapi: 3.0.0\npaths: {}\n", "Nothing in this API"),
        ("openapi: 3.0.0\npaths: {/a: {post: {}}}\n", "Nothing in this API"),
        ('{"openapi": "3.0.0", "paths": {', "no valid JSON"),
        ("openapi: 3.0.0\npaths: [\n", "no valid YAML"),
        ("openapi: 3.0.0\na: &a [x, x]\nb: &b [*a, *a]\npaths: {}\n", "Anchors"),
        ('{"openapi": "3.0.0", "paths": ' + '{"a":' * 99_999, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text, reason):
    with pytest.raises(UsageError, match=reason):
        read_openapi(text)


def test_what_a_description_looks_like():
    assert is_openapi(ORDERS)
    assert is_openapi('{"components": {}, "openapi":"3.1.0","paths":{}}')
    assert not is_openapi('{"items": []}')
    assert not is_openapi("etl_studio: 1\nname: openapi\nnodes: {}\n")
    assert not is_openapi("\n" * 100_000 + "paths")


def test_references_into_other_files_are_told_and_not_followed():
    there, here = described({"/a": {"get": answer({"$ref": "shop.yaml#/Orders"})}, "/b": {"get": answer(LIST)}})[::-1]

    assert (there.path, there.lists) == ("/a", False)
    assert "in other files, which were not read" in notice([there.draft])
    assert notice([here.draft]) == ""


def test_references_in_a_circle_and_wide_schemas_end():
    circle = {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}
    wide = {"W": {"properties": {f"p{number}": {"$ref": "#/components/schemas/W"} for number in range(300)}}}
    nested = {"N": {"allOf": [{"$ref": "#/components/schemas/N"}, {"properties": {"rows": LIST}}]}}
    paths = {f"/{name}": {"get": answer({"$ref": f"#/components/schemas/{name}"})} for name in "ABWN"}

    found = described(paths, components={"schemas": circle | wide | nested})

    assert [(one.path, one.lists) for one in found] == [("/N", True), ("/A", False), ("/B", False), ("/W", False)]


REFERENCE = st.builds(lambda: {"$ref": "#/paths"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | REFERENCE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_description_with_anything_anywhere_is_read_or_refused(data):
    """Values of a good description are exchanged for any others; what comes out is always a pipeline."""
    document = yaml.safe_load(ORDERS)
    document["paths"]["/orders"]["post"] = {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
        **answer(LIST, headers={"Link": {}}),
    }
    document = deepcopy(document)  # what is exchanged must not be shared with other tests
    for _ in range(data.draw(st.integers(1, 3), label="exchanges")):
        place, name = document, data.draw(st.sampled_from(list(document)))
        while isinstance(place[name], dict | list) and place[name] and data.draw(st.integers(0, 5), label="deeper"):
            place = place[name]
            name = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        place[name] = data.draw(JSON)

    with suppress(UsageError):
        for one in read_openapi(json.dumps(document)):
            wrong = problems(one.draft)
            assert not [problem for problem in wrong if "reference" in problem.message], wrong
            assert json.dumps(one.draft.config)
