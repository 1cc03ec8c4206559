"""Items of a page: simple selectors give what XPath gives; JSON-LD and microdata are fields like others."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from etl_studio.nodes.extract._crawl_items import ItemType, PageFacts, Rows
from etl_studio.nodes.extract._html_page import HtmlPage
from etl_studio.nodes.extract._item_walk import ItemWalk, simple
from etl_studio.nodes.extract._selectors import Selector
from etl_studio.sdk import shown_url

NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
URL = "http://a.example/p/1"


def facts_of(html, url=URL):
    return PageFacts(HtmlPage(etree.fromstring(html, etree.HTMLParser()), url, shown_url(url), "", url), 2, NOW, None)


def take(html, fields, item="", **settings):
    kind = ItemType("", settings.get("match", ""), item, fields)
    rows = Rows(list(fields), typed=False, parents=False)
    kind.take(facts_of(html), rows)
    columns = rows.taken()
    return [dict(zip(fields, row, strict=True)) for row in zip(*(columns[name] for name in fields), strict=True)]


SIMPLE = [
    "p", ".a", "p.a", ".a.b", "#i", "div .a", "div p b", ".a .b", "p::text", ".a::text", "div .b::text", "*::text",
    ".a::attr(href)", "a::attr(title)", "#i::text", "DIV::attr(CLASS)", "p.a#i", "div",
]  # fmt: skip
texts = st.sampled_from(["", " ", "x", " y\n z", "\xa0", "é", "1 < 2"])
classes = st.sampled_from(["", "a", "b", "a b", "b  a", "ab", "a\tb", "A"])
trees = st.recursive(
    texts,
    lambda inner: st.builds(
        lambda tag, kind, ident, parts: f"<{tag} class='{kind}' {ident}>{''.join(parts)}</{tag}>",
        st.sampled_from(["p", "div", "b", "a", "span"]),
        classes,
        st.sampled_from(["", "id=i", "href='/x'", "title=' t '", "href=''"]),
        st.lists(inner | st.just("<!-- no text -->"), max_size=4),
    ),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(trees, st.lists(st.sampled_from(SIMPLE), min_size=1, max_size=5))
def test_one_walk_gives_what_each_selector_gives(tree, selectors):
    item = etree.fromstring(f"<div class=item>{tree.replace('1 < 2', '1 &lt; 2')}</div>", etree.HTMLParser()).find(
        ".//div"
    )
    values = [None] * len(selectors)

    ItemWalk([(at, simple(text), Selector(text)) for at, text in enumerate(selectors)]).fill(values, item, URL)

    assert values == [Selector(text).first(item, URL) for text in selectors]


@pytest.mark.parametrize(
    "text", ["a > b", "a, b", "[href]", "p:first-child", "a:not(.b)", ".//a", "(//a)[1]", "a + b", "a::attr(", "ns|a"]
)
def test_what_is_not_that_simple_is_left_to_xpath(text):
    assert simple(text) is None


def test_items_and_fields_by_css_and_xpath():
    html = "<ul><li class=card><b>One</b><a href='/1'>x</a></li><li class=card><b> Two\n 2 </b></li></ul><i>all</i>"
    fields = {"name": "b::text", "link": "a::attr(href)", "place": "./b/text()", "page": "//i/text()", "no": "u"}

    assert take(html, fields, ".card") == [
        {"name": "One", "link": "http://a.example/1", "place": "One", "page": "all", "no": None},
        {"name": "Two 2", "link": None, "place": "Two 2", "page": "all", "no": None},
    ]


def test_a_page_is_one_row_unless_nothing_matches():
    assert take("<h1>Mug</h1>", {"name": "h1::text", "price": ".price"}) == [{"name": "Mug", "price": None}]
    assert take("<h2>Mug</h2>", {"name": "h1::text"}) == []


JSON_LD = """<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
 {"@type": ["Product", "Thing"], "name": " Mug ", "offers": [{"@type": "Offer", "price": 12.5}], "isNew": true},
 {"@type": "https://schema.org/Product", "name": "Cup", "image": ["/a.png"]},
 {"@type": "BreadcrumbList", "name": "no"}]}</script>
<script type="application/ld+json">{not json</script>
<script type="application/ld+json">[{"@type":"Organization","name":"Shop"}];</script>"""


def test_objects_of_json_ld_are_items():
    fields = {"name": "jsonld:name", "price": "jsonld:offers.price", "new": "jsonld:isNew", "title": "h1"}

    assert take(f"<h1>All</h1>{JSON_LD}", fields, "jsonld:Product") == [
        {"name": "Mug", "price": "12.5", "new": "true", "title": "All"},
        {"name": "Cup", "price": None, "new": None, "title": "All"},
    ]


def test_json_ld_gives_fields_of_a_page():
    assert take(f"<h1>Mug</h1>{JSON_LD}", {"h": "h1", "price": "jsonld:offers.price"}) == [
        {"h": "Mug", "price": "12.5"}
    ]


def test_microdata_gives_items_and_fields():
    html = """<div itemscope itemtype="https://schema.org/Product"><b itemprop="name">Mug</b>
    <div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><meta itemprop="price" content="12.50">
    <b itemprop="name">not the name</b></div><a itemprop="url" href="/mug">x</a></div>"""
    fields = {"name": "microdata:name", "price": "microdata:offers.price", "url": "microdata:url"}

    assert take(html, fields, "microdata:Product") == [{"name": "Mug", "price": "12.50", "url": "http://a.example/mug"}]


@pytest.mark.parametrize("text", ["jsonld:", "microdata: ", "jsonld:a..b"])
def test_a_path_that_is_none_is_told(text):
    with pytest.raises(ValueError, match="needs a path"):
        ItemType("", "", "", {"a": text})


def test_kinds_of_items_share_rows_and_have_pages_of_their_own():
    product, list_page = (
        ItemType("product", "/p/*", "", {"name": "h1"}, ["name", "to"]),
        ItemType("link", "/list*", "a", {"to": "./@href"}, ["name", "to"]),
    )
    rows = Rows(["name", "to"], typed=True, parents=False)
    product.take(facts_of("<h1>Mug</h1>"), rows)
    list_page.take(facts_of("<h1>List</h1><a href='/1'>1</a><a href='/2'>2</a>", "http://a.example/list"), rows)
    product.take(facts_of("<h1>List</h1>", "http://a.example/list"), rows)

    columns = rows.taken()
    assert list(zip(columns["_type"], columns["name"], columns["to"], columns["_url"], strict=True)) == [
        ("product", "Mug", None, "http://a.example/p/1"),
        ("link", None, "http://a.example/1", "http://a.example/list"),
        ("link", None, "http://a.example/2", "http://a.example/list"),
    ]
    assert columns["_depth"] == [2, 2, 2]
    assert rows.count == 0
