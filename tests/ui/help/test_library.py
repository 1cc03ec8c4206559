"""The pages of the help say all that is known of every node, and are found by their words."""

from __future__ import annotations

import re

import pytest

from etl_studio.app.catalogue import built_in_types, full_registry
from etl_studio.app.resources import resource
from etl_studio.ui.actions import ACTIONS
from etl_studio.ui.help.library import TOPICS, Library, plain_text, snippet

LINK = re.compile(r"\]\(((?:node|topic):[^)]+)\)")


@pytest.fixture(scope="module")
def library():
    return Library(full_registry(), [("File", [("Ctrl+N", "New")])])


def found(library, query):
    return [(hit.page.address, hit.section.title) for hit in library.search(query)]


@pytest.mark.parametrize("node_type", built_in_types(), ids=lambda node_type: node_type.type)
def test_a_nodes_page_has_its_text_its_ports_and_every_setting_with_its_address(library, node_type):
    page = library.pages[f"node:{node_type.type}"]
    keys = {section.key for section in page.sections}

    assert page.markdown.startswith((node_type.__doc__ or "").strip().split("\n")[0])
    assert all(f"`{port.name}`" in page.markdown for port in (*node_type.inputs, *node_type.outputs))
    for name, field in node_type.Config.model_fields.items():
        assert f"config.{field.alias or name}" in keys
        assert (field.description or "") in page.markdown
    assert "up to 6 times" in page.markdown, "the policy that holds where nobody has changed it"


def test_the_kinds_of_a_setting_are_explained_with_their_own_settings(library):
    (pages,) = [one for one in library.pages["node:rest_source"].sections if one.key == "config.pagination"]

    assert "`page_param`" in pages.markdown
    assert "`limit_param`" in pages.markdown or "`offset_param`" in pages.markdown


def test_the_page_about_policies_has_every_part_of_a_policy(library):
    keys = {section.key for section in library.pages["topic:policies"].sections}

    assert {"policy.retry", "policy.breaker", "policy.rate_limit", "policy.on_error", "policy.fallback"} <= keys


def test_every_topic_is_a_file_and_no_link_leads_nowhere(library):
    assert {path.stem for path in resource("help").glob("*.md")} == set(TOPICS)
    links = {link for page in library.pages.values() for link in LINK.findall(page.markdown)}

    assert len(links) > 8
    assert links <= set(library.pages)


def test_keys_that_the_topics_name_are_those_of_the_actions():
    keys = {key for spec in ACTIONS for key in spec.shortcut.split("; ")}
    text = "".join(path.read_text("utf-8") for path in resource("help").glob("*.md"))

    named = set(re.findall(r"Ctrl\+(?:Alt\+|Shift\+)?(?:[A-Z]\w*|[-+])|\bF\d+\b", text))
    assert named <= keys, "a key was changed, or never existed"


def test_the_keyboard_page_lists_the_keys_of_the_window(library):
    assert "**Ctrl+N** New" in library.pages["topic:keyboard"].markdown


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("filter", ("node:filter", "")),
        ("scd2", ("node:sqlite_sink", "On a merge")),
        ("null texts", ("node:csv_source", "")),
        ("circuit breaker", ("topic:policies", "Circuit breaker")),
        ("dead letters", ("topic:delivery", "Dead letters")),
        ("delimiter", ("node:csv_source", "Delimiter")),
    ],
)
def test_a_search_finds_page_and_part(library, query, best):
    address, title = found(library, query)[0]

    assert address == best[0]
    if query in ("filter", "circuit breaker", "dead letters", "delimiter"):
        assert title == best[1]


def test_a_search_for_nothing_or_for_what_is_not_there_finds_nothing(library):
    assert found(library, "  ") == found(library, "xylophone") == []


def test_a_snippet_shows_the_words_around_what_was_found(library):
    hit = next(hit for hit in library.search("superseded"))

    assert "superseded" in snippet(hit.section, "superseded")
    assert len(snippet(hit.section, "superseded")) < 110
    assert plain_text("**a** `b` [c](topic:d)") == "a b c"


def test_the_groups_hold_every_page_once(library):
    listed = [page.address for _, pages in library.groups() for page in pages]

    assert sorted(listed) == sorted(library.pages)
    assert [title for title, _ in library.groups()] == ["Topics", "Extract", "Transform", "Quality", "Load"]
