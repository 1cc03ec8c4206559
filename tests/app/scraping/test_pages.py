"""A page in the workshop: loaded as its node would; elements are found in source and text, selectors are tried out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.app.scraping.asking import lists_of
from etl_studio.app.scraping.loading import load_page
from etl_studio.app.scraping.page import page_of_file, page_of_text
from etl_studio.app.scraping.trial import try_out
from etl_studio.app.studio import Studio
from etl_studio.demo import DemoSite
from etl_studio.errors import EtlError, PermanentError, PipelineError, UsageError
from etl_studio.nodes.extract._browser_found import missing
from etl_studio.pipeline.file_format import loads
from tests.e2e.web_site import Page, WebSite

URL = "http://shop.example/list"
PAGE = """<!DOCTYPE html>
<html><head><title>Goods</title><script>if (1 < 2) document.write("<li class='card'>");</script></head>
<body><!-- <li class="card"> -->
<ul class="goods">
<li class="card"
    id="a">
<h2><a href="/p/1">One</a></h2><p class="price">£1</p></li><li class="card"><h2><a href="/p/2">Two</a></h2></li>
<li class='card' title="a > b"><h2><a href="/p/3">Three &amp; more</a></h2><p class="price">£3</p>
</ul><a class="next" href="?page=2">Next</a></body></html>"""
FIELDS = [("name", "h2 a::text"), ("price", ".price::text"), ("link", "h2 a::attr(href)")]

bits = st.lists(
    st.sampled_from(
        ["<div>", "</div>", "<p>", "</p>", "<li class=a>", "<a href='x>y'>", "</a>", "text", "\n", "<br>", "<img/>",
         "<td>", "<!-- <p> -->", "<script>'<p>'</script>", "<b", "<", ">", "&amp;", "<P ID=q>",
         "<tr\nclass='b'\n>", "</body>",
         "'", '"', "<title>t</title>", "<o:p>", "é", "<textarea><p></textarea>", "<?x y?>", "<!x>"]
    ),
    max_size=30,
)  # fmt: skip


@pytest.fixture
def page():
    return page_of_text(PAGE, URL)


def numbers(page, selector):
    from etl_studio.nodes.extract._selectors import Selector

    return [page.dom.number_of(each) for each in Selector(selector).elements(page.root)]


def test_each_element_is_found_where_its_tag_stands_in_the_source(page):
    first, second, third = numbers(page, ".card")
    assert page.source[slice(*page.places.opening(first))] == '<li class="card"\n    id="a">'
    assert page.source[slice(*page.places.whole(second))].endswith("Two</a></h2></li>")
    assert page.source[slice(*page.places.opening(third))] == "<li class='card' title=\"a > b\">"
    assert page.places.at(page.source.index("£3")) == numbers(page, ".price")[1]
    assert page.places.at(page.source.index("Two")) == numbers(page, "a")[1]
    assert page.places.at(page.source.index("<title>")) == numbers(page, "title")[0]
    assert page.places.at(0) is None


@settings(max_examples=200, deadline=None)
@given(bits)
def test_however_broken_a_page_is_an_element_that_is_found_stands_there(parts):
    page = page_of_text("".join(parts), URL)
    last = -1
    for node in page.dom.nodes:
        place = page.places.opening(node.number)
        if place is None:
            continue
        assert page.source[place[0] :].lower().startswith("<" + node.tag)
        assert last < place[0] < place[1] <= page.places.whole(node.number)[1] <= len(page.source)
        assert page.places.at(place[0]) is not None
        last = place[0]
    text, pieces = page.text
    for piece in pieces:
        assert text[piece.start : piece.end].strip()
    assert [piece.number for piece in pieces] == sorted(piece.number for piece in pieces)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(1, 5))
def test_every_element_of_a_well_formed_page_is_found(rows, columns):
    cells = "".join(f"<td class=c{n}><b>{n}</b></td>" for n in range(columns))
    page = page_of_text(f"<html><head></head><body><table>{f'<tr>{cells}</tr>' * rows}</table></body></html>", URL)
    assert all(page.places.opening(node.number) for node in page.dom.nodes if node.kind == "element")


def test_the_text_is_what_a_person_reads(page):
    text, pieces = page.text
    assert text.splitlines() == [
        "•  One", "£1", "", "•  Two", "", "•  Three & more", "£3", "Next",
    ]  # fmt: skip
    link = next(piece for piece in pieces if text[piece.start : piece.end] == "Two")
    assert (link.look, page.dom.nodes[link.number].tag) == ("link", "a")


def test_links_are_absolute_and_tell_which_stay_on_the_site(page):
    assert [(each.text, each.address, each.inside) for each in page.links] == [
        ("One", "http://shop.example/p/1", True), ("Two", "http://shop.example/p/2", True),
        ("Three & more", "http://shop.example/p/3", True), ("Next", "http://shop.example/list?page=2", True),
    ]  # fmt: skip


def test_selectors_are_tried_out_all_at_once(page):
    trial = try_out(page, ".card", FIELDS, "a.next::attr(href)")
    assert (trial.items, list(trial.found)) == (3, numbers(page, ".card"))
    assert trial.names == ("name", "price", "link")
    assert trial.rows == (
        ("One", "£1", "http://shop.example/p/1"), ("Two", None, "http://shop.example/p/2"),
        ("Three & more", "£3", "http://shop.example/p/3"),
    )  # fmt: skip
    assert [(each.hits, each.sample) for each in trial.fields] == [
        (3, "One"), (2, "£1"), (3, "http://shop.example/p/1"),
    ]  # fmt: skip
    assert list(trial.fields[1].found) == numbers(page, ".price")
    assert trial.next.sample == "http://shop.example/list?page=2"


def test_the_list_and_the_link_to_the_next_page_are_found_by_themselves(page):
    (found, *_) = lists_of(page)
    assert (found.draft.item, found.draft.next) == (".card", ".next::attr(href)")
    assert dict(found.draft.fields)["title"] == "h2 a::text"


def test_without_an_item_selector_the_page_is_the_item(page):
    trial = try_out(page, "", [("title", "title::text")])
    assert (trial.items, trial.found, trial.rows) == (1, (), (("Goods",),))


@pytest.mark.parametrize(("selector", "place"), [("h2 !a", 3), ("h2 > > a", 5), ("//h2[", None), ("//h2[nix()]", None)])
def test_what_is_wrong_with_a_selector_is_told_with_its_place_and_the_others_still_give_rows(page, selector, place):
    trial = try_out(page, ".card", [("bad", selector), ("name", "h2 a::text"), ("empty", "")])
    bad, name, empty = trial.fields
    assert bad.problem.message
    assert bad.problem.place == place
    assert (name.hits, empty.problem, trial.names) == (3, None, ("name",))
    assert try_out(page, selector, FIELDS).problem.place == place


def test_what_a_page_says_for_machines_is_tried_out_too():
    html = (
        '<script type="application/ld+json">{"@type": "Product", "offers": {"price": 7}}</script><p itemprop=name>N</p>'
    )
    trial = try_out(page_of_text(html, URL), "", [("price", "jsonld:offers.price"), ("name", "microdata:name")])
    assert trial.rows == (("7", "N"),)


PIPELINE = """
etl_studio: 1
nodes:
  read:
    type: web_page_source
    config: {urls: ["${shop}/shop"], fields: {}, headers: {X-Asked-By: workshop}}
    policy: {retry: {attempts: 2, delay: 0.01}}
parameters: {shop: {default: "http://127.0.0.1:1"}}
"""


@pytest.fixture
def studio():
    with Studio() as opened:
        yield opened


def test_a_page_is_loaded_as_the_node_would_also_while_its_fields_are_missing(studio):
    with DemoSite() as site:
        page = load_page(
            studio, loads(PIPELINE, registry=studio.registry), "read", "${shop}/shop", file=None,
            parameters={"shop": site.url},
        )  # fmt: skip
        assert [request.path for request in site.requests] == ["/shop"]
    assert page.response.url == f"{site.url}/shop"
    assert len(numbers(page, ".card")) == 20


def test_a_failing_page_is_asked_for_as_often_as_the_policy_says(studio):
    with DemoSite() as site:
        with pytest.raises(PermanentError, match="404"):
            load_page(studio, loads(PIPELINE, registry=studio.registry), "read", f"{site.url}/nowhere", file=None)
        with pytest.raises(EtlError, match="503"):
            load_page(
                studio, loads(PIPELINE, registry=studio.registry), "read", f"{site.url}/shop?fault=503",
                file=None,
            )  # fmt: skip
        assert [request.status for request in site.requests] == [404, 503, 503]


def test_what_is_no_address_and_what_is_no_page_is_said(studio):
    pipeline = loads(PIPELINE, registry=studio.registry)
    with pytest.raises(PipelineError):
        load_page(studio, pipeline, "read", "shop", file=None)
    with pytest.raises(UsageError):
        load_page(studio, pipeline, "nobody", "http://a.example/", file=None)
    with DemoSite() as site, pytest.raises(PermanentError, match="JSON"):
        load_page(studio, pipeline, "read", f"{site.url}/api/products", file=None)


def test_a_file_is_read_with_the_charset_that_it_names(tmp_path):
    file = tmp_path / "page.html"
    file.write_bytes('<meta charset="iso-8859-1"><p>caf\xe9</p><a href="x">x</a>'.encode("latin-1"))
    page = page_of_file(file, URL)
    assert "café" in page.source
    assert page.links[0].address == "http://shop.example/x"
    with pytest.raises(UsageError, match="cannot be read"):
        page_of_file(tmp_path / "none.html", "")


def test_a_page_of_a_crawl_is_loaded_in_its_name(studio):
    crawl = """
etl_studio: 1
nodes:
  read:
    type: crawl_source
    config: {start_urls: ["http://a.example/"], items: [{name: good, fields: {name: h1}}], columns: {name: text}}
"""
    with DemoSite() as site:
        page = load_page(studio, loads(crawl, registry=studio.registry), "read", f"{site.url}/shop", file=None)
        assert [request.path for request in site.requests] == ["/shop"]
    assert len(numbers(page, ".card")) == 20


BROWSER_LACKS = missing()


@pytest.mark.skipif(BROWSER_LACKS is not None, reason=BROWSER_LACKS.what if BROWSER_LACKS else "")
def test_a_page_for_a_browser_is_loaded_by_one_so_that_what_its_scripts_make_is_seen(studio):
    script = "document.body.innerHTML = '<p class=made>by a script</p>'"
    crawl = """
etl_studio: 1
nodes:
  read: {type: browser_source, config: {start_urls: ["http://a.example/"], fields: {}, wait_for: .made}}
"""
    pages = {"/": Page(f"<body><script>{script}</script></body>"), "/robots.txt": Page("", content_type="text/plain")}
    with WebSite(pages).running() as site:
        page = load_page(studio, loads(crawl, registry=studio.registry), "read", f"{site.url}/", file=None)
    assert len(numbers(page, ".made")) == 1


def test_the_workshop_sees_where_an_address_of_a_crawl_leads(studio):
    crawl = """
etl_studio: 1
nodes:
  read: {type: crawl_source, config: {start_urls: ["http://a.example/"], fields: {}}}
"""
    moved = Page("", 301, headers={"Location": "/new"})
    with WebSite({"/": moved, "/new": Page("<p class=new>here</p>")}).running() as site:
        page = load_page(studio, loads(crawl, registry=studio.registry), "read", f"{site.url}/", file=None)
    assert page.response.url == f"{site.url}/new"
    assert numbers(page, ".new")
