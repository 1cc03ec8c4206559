"""cURL commands and addresses become sources; what is secret in them never gets into the settings."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.app.catalogue import full_registry
from etl_studio.errors import UsageError
from etl_studio.pipeline.curl_text import is_curl, read_curl
from etl_studio.pipeline.parameters import substitute
from etl_studio.pipeline.web_drafts import draft_of, is_request, notice

REGISTRY = full_registry()
AUTO = {"kind": "auto"}

CHROME = r"""curl 'https://api.example.org/v1/products?page=2&api_key=abc123' \
  -H 'accept: application/json' \
  -H 'authorization: Bearer eyJhbGciOi' \
  -b 'session=s3cr3t; theme=dark' \
  -H $'x-note: it\'s "fine"' \
  --compressed"""


def test_a_command_of_a_browser_becomes_a_rest_source_with_references_for_its_secrets():
    draft = draft_of(CHROME)

    assert draft.node_type == "rest_source"
    assert draft.config == {
        "url": "https://api.example.org/v1/products",
        "pagination": {"kind": "auto"},
        "params": {"page": "2", "api_key": "${secret:api_example_org_api_key}"},
        "headers": {
            "accept": "application/json",
            "Cookie": "${secret:api_example_org_cookie}",
            "x-note": 'it\'s "fine"',
        },
        "auth": {"kind": "bearer", "token": "${secret:api_example_org_token}"},
    }
    assert notice([draft]) == (
        "Secrets are not kept in the pipeline. Set ETL_STUDIO_SECRET_API_EXAMPLE_ORG_TOKEN, "
        "ETL_STUDIO_SECRET_API_EXAMPLE_ORG_API_KEY, ETL_STUDIO_SECRET_API_EXAMPLE_ORG_COOKIE."
    )


def test_a_post_with_json_keeps_method_and_body_and_hides_the_password_in_it():
    draft = draft_of("""curl -sSX POST https://example.org/login --json '{"user": "me", "password": "x", "n": 1}'""")

    assert draft.config == {
        "url": "https://example.org/login",
        "pagination": {"kind": "auto"},
        "method": "POST",
        "body": {"user": "me", "password": "${secret:example_org_password}", "n": 1},
    }


def test_a_body_that_is_no_json_object_is_left_out_and_told():
    draft = draft_of("curl https://example.org/search -d 'q=mug'")

    assert draft.config == {"url": "https://example.org/search", "pagination": AUTO, "method": "POST"}
    assert notice([draft]) == "Left out: the body, which is no JSON object."


def test_data_with_g_is_the_query():
    draft = draft_of("curl -G https://example.org/api -d q=mug --data-urlencode 'name=a b&c'")

    assert draft.config == {
        "url": "https://example.org/api",
        "pagination": AUTO,
        "params": {"q": "mug", "name": "a b&c"},
    }


def test_a_name_that_comes_twice_stays_in_the_address():
    config = draft_of("curl 'https://example.org/api?id=1&id=2'").config

    assert config == {"url": "https://example.org/api?id=1&id=2", "pagination": AUTO}


@pytest.mark.parametrize("text", ["curl -u me:pw https://example.org/api", "curl https://me:pw@example.org/api"])
def test_user_and_password_become_the_sign_in(text):
    config = draft_of(text).config

    assert config["auth"] == {
        "kind": "basic",
        "username": "${secret:example_org_user}",
        "password": "${secret:example_org_password}",
    }
    assert "headers" not in config
    assert config["url"] == "https://example.org/api"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("curl -X DELETE https://example.org/1", "No source sends DELETE"),
        ("curl -I https://example.org/1", "No source sends HEAD"),
        ("curl -F file=@a.csv https://example.org", "sends a file"),
        ("curl -d @body.json https://example.org", "in a file"),
        ("curl --silent", "no address"),
        ("curl 'https://example.org", "never closed"),
        ("curl ftp://example.org/a", "none of the web"),
        ("wget https://example.org", "no address"),
    ],
)
def test_what_no_source_can_do_is_refused_with_the_reason(text, reason):
    with pytest.raises(UsageError, match=reason):
        draft_of(text)


@pytest.mark.parametrize(
    ("address", "node_type"),
    [
        ("https://api.example.org/products", "rest_source"),
        ("https://example.org/api/v2/products?page=1", "rest_source"),
        ("https://example.org/data/products.json", "rest_source"),
        ("https://example.org/export?format=json", "rest_source"),
        ("https://example.org/shop?page=2", "web_page_source"),
        ("http://127.0.0.1:8750/shop", "web_page_source"),
    ],
)
def test_an_address_becomes_the_source_that_reads_it(address, node_type):
    assert draft_of(address).node_type == node_type


def test_a_page_keeps_its_query_and_loses_its_secrets():
    draft = draft_of("https://me:pw@www.example.org/shop?page=2&token=abc#top")

    assert draft.config["urls"] == ["https://www.example.org/shop?page=2&token=${secret:example_org_token}"]


def test_a_csv_file_of_the_web_is_refused():
    with pytest.raises(UsageError, match="No node reads CSV files from the web"):
        draft_of("https://example.org/orders.csv")


def test_what_is_no_request():
    assert not is_request("curl")
    assert not is_request("see https://example.org")
    assert not is_request("curling is fun")
    assert is_request(" https://example.org \n")


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True)
VALUES = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_any_text_is_read_or_refused(text):
    for command in (f"curl {text}", f"curl https://example.org {text}", text):
        with suppress(UsageError):
            assert draft_of(command).config


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_comes_back_as_it_was(headers, params):
    """Also when it holds quotes, backslashes, or what would be a reference."""
    from urllib.parse import urlencode

    words = ["curl", f"https://example.org/api?{urlencode(params)}"]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    draft = draft_of(shlex.join(words))
    secrets = []
    model = REGISTRY.get(draft.node_type).Config
    plain = substitute(draft.config, (model,), lambda name: secrets.append(name) or "hidden")

    model.model_validate(plain)
    shown = {name: value for name, value in plain.get("params", {}).items() if value != "hidden"}
    assert shown == {name: params[name] for name in shown}
    kept = {name: value for name, value in plain.get("headers", {}).items() if "hidden" not in value}
    assert kept == {name: headers[name] for name in kept}
    assert len(secrets) + len(shown) + len(kept) >= len(params) + len(kept)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["Authorization", "Cookie", "X-Api-Key", "X-Auth-Token", "X-CSRF-Token", "Proxy-Authorization"]),
    st.from_regex("[0-9]{12,40}", fullmatch=True),
    st.sampled_from(["", "Bearer ", "Basic ", "Token "]),
)
def test_no_secret_is_ever_in_the_settings(name, secret, scheme):
    commands = [
        shlex.join(["curl", "https://example.org/x", "-H", f"{name}: {scheme}{secret}"]),
        shlex.join(["curl", "https://example.org/x", "-b", f"a={secret}"]),
        shlex.join(["curl", "https://example.org/x", "-u", f"me:{secret}"]),
        shlex.join(["curl", f"https://me:{secret}@example.org/x"]),
        shlex.join(["curl", f"https://example.org/x?access_token={secret}"]),
        shlex.join(["curl", "https://example.org/x", "--json", json.dumps({"a": [{"password": secret}]})]),
    ]
    for command in commands:
        draft = draft_of(command)
        assert secret not in json.dumps(draft.config)
        assert secret not in notice([draft])
        assert draft.secrets


def test_a_prompt_before_the_command_does_no_harm():
    assert is_curl("$ curl https://example.org")
    assert read_curl("$ curl https://example.org").url == "https://example.org"
