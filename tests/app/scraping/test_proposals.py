"""Proposed selectors, evaluated by the code of the nodes, find just what a person pointed at."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from etl_studio.app.scraping.index import Index
from etl_studio.app.scraping.proposals import (
    alternatives,
    for_alike,
    for_elements,
    for_field,
    things_in,
    value_of,
)
from etl_studio.app.scraping.repeated import fields_of, repeated_items
from etl_studio.errors import Cancelled
from etl_studio.nodes.extract._selectors import Selector

BASE = "http://shop.example/list"


def parsed(html):
    return etree.fromstring(html, etree.HTMLParser())


CARDS = parsed(
    """<html><body><nav><ul><li><a href="/a">A</a></li><li><a href="/b">B</a></li><li><a href="/c">C</a></li></ul></nav>
    <main><ul class="goods">"""
    + "".join(
        f"""<li class="card css-1x{n}ab9" id="item-{4000 + n}"><h2><a href="/p/{n}">Thing {n}</a></h2>
        <p class="price">£{n}.50</p>{'<p class="old">£9</p>' if n % 3 == 0 else ""}
        <img src="/i/{n}.png" alt="Picture {n}"></li>"""
        for n in range(1, 25)
    )
    + "</ul></main></body></html>"
)

INDEX = Index(CARDS)
names = st.sampled_from(
    ["a", "b", "card", "css-1x2ab9", "md:flex", "4th", "-1", "price", "é", "A", "x_1", "is-open", "1", ".", "a\\b"]
)
tags = st.sampled_from(["div", "p", "a", "span", "h2", "li", "o:p", "x-card", "table", "em"])
attributes = st.dictionaries(
    st.sampled_from(["href", "src", "title", "data-sku", "itemprop", "rel", "data-Big", "aria-label", "name"]),
    st.sampled_from(["", "x", "/p/1", "a b", 'q"q', "\\", "12345", " y "]),
    max_size=2,
)
texts = st.sampled_from(["", " ", "x", " y\n z", "é", "1 < 2", "12"])


def elements_of(root):
    return [each for each in root.iter() if isinstance(each.tag, str)]


@st.composite
def pages(draw):
    def written(depth):
        tag = draw(tags)
        given_attributes = {**draw(attributes)}
        if draw(st.booleans()):
            given_attributes["class"] = " ".join(draw(st.lists(names, max_size=3)))
        if draw(st.integers(0, 4)) == 0:
            given_attributes["id"] = draw(names)
        inside = draw(texts).replace("<", "&lt;")
        if depth < 4:
            for _ in range(draw(st.integers(0, 3))):
                inside += written(depth + 1) + draw(texts).replace("<", "&lt;")
        said = "".join(f' {key}="{value.replace(chr(34), "&quot;")}"' for key, value in given_attributes.items())
        return f"<{tag}{said}>{inside}</{tag}>"

    return parsed("<body>" + written(0) + written(0) + "</body>")


@settings(max_examples=50, deadline=None)
@given(pages(), st.data())
def test_a_proposal_for_one_element_finds_it_alone(root, data):
    element = data.draw(st.sampled_from(elements_of(root)))
    found = for_elements(Index(root), [element])
    assert found
    for proposal in found:
        assert Selector(proposal.selector).elements(root) == [element], proposal.selector
        assert proposal.matches == 1


@settings(max_examples=50, deadline=None)
@given(pages(), st.data())
def test_a_proposal_for_all_alike_finds_the_element_among_as_many_as_it_says(root, data):
    element = data.draw(st.sampled_from(elements_of(root)))
    for proposal in for_alike(Index(root), element):
        matched = Selector(proposal.selector).elements(root)
        assert element in matched
        assert len(matched) == proposal.matches > 1
        assert {each.tag for each in matched} == {element.tag}
        among = set(matched)
        assert not any(outer in among for each in matched for outer in each.iterancestors())


@settings(max_examples=50, deadline=None)
@given(pages(), st.data())
def test_a_proposal_for_a_field_gives_the_value_that_was_pointed_at(root, data):
    item = data.draw(st.sampled_from(elements_of(root)))
    element = data.draw(st.sampled_from(elements_of(item)))
    found = for_field([item], element, BASE)
    assert {proposal.takes for proposal in found} == set(things_in(element))
    for proposal in found:
        assert Selector(proposal.selector).first(item, BASE) == value_of(element, proposal.takes, BASE), (
            proposal.selector
        )
        assert proposal.sample == value_of(element, proposal.takes, BASE)


@settings(max_examples=40, deadline=None)
@given(pages())
def test_a_list_that_was_found_is_just_what_its_selector_finds(root):
    for found in repeated_items(Index(root)):
        assert Selector(found.proposal.selector).elements(root) == list(found.elements)
        assert found.proposal.matches == len(found.elements)
        fields_of(found.elements, BASE)


def test_the_class_that_says_what_it_is_comes_first_and_made_up_names_are_left_for_last():
    item = Selector(".card").elements(CARDS)[3]
    alike = for_alike(INDEX, item)
    assert (alike[0].selector, alike[0].matches, alike[0].judgement.level) == (".card", 24, "robust")
    assert not any("css-1x" in each.selector for each in alike)


def test_one_of_many_is_found_by_what_is_its_own_and_the_hint_says_that_it_has_a_number():
    item = Selector(".card").elements(CARDS)[3]
    first = for_elements(INDEX, [item])[0]
    assert (first.selector, first.judgement.level, first.judgement.traits) == ("#item-4004", "fragile", ("numbered",))


def test_a_field_is_proposed_with_how_many_items_have_it():
    items = Selector(".card").elements(CARDS)
    old = Selector(".old").elements(CARDS)[0]
    first = for_field(items, old, BASE)[0]
    assert (first.selector, first.matches, first.of, first.name) == (".old::text", 8, 24, "old")


@pytest.mark.parametrize(
    ("inside", "takes", "selector", "name"),
    [
        ("h2 a", "own text", "h2 a::text", "title"),
        ("h2 a", "href", "h2 a::attr(href)", "link"),
        ("img", "src", "img::attr(src)", "image"),
        (".price", "own text", ".price::text", "price"),
    ],
)
def test_the_first_proposal_is_what_a_person_would_write(inside, takes, selector, name):
    items = Selector(".card").elements(CARDS)
    element = Selector(inside).elements(items[0])[0]
    first = next(each for each in for_field(items, element, BASE) if each.takes == takes)
    assert (first.selector, first.matches, first.name) == (selector, 24, name)


def test_the_list_of_goods_is_found_before_the_navigation():
    first = repeated_items(INDEX)[0]
    assert (first.proposal.selector, len(first.elements)) == (".card", 24)


def test_fields_of_a_list_are_those_that_most_items_have_each_once():
    fields = fields_of(repeated_items(INDEX)[0].elements, BASE)
    assert {each.name: each.selector for each in fields} == {
        "title": "h2 a::text", "link": "h2 a::attr(href)", "price": ".price::text", "image": "img::attr(src)",
    }  # fmt: skip


def test_other_ways_to_the_same_elements_are_told_for_a_selector_that_was_typed():
    found = [each.selector for each in alternatives(INDEX, "main li")]
    assert ".card" in found
    assert "main li" not in found
    assert alternatives(INDEX, ".nothing") == []


def test_what_nobody_waits_for_ends():
    stopping = threading.Event()
    index = Index(CARDS, stopping)
    stopping.set()
    with pytest.raises(Cancelled):
        repeated_items(index)
    with pytest.raises(Cancelled):
        for_elements(index, [CARDS])
