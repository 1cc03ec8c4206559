"""Web page: every item of every page, from pages as broken as real ones; nothing that matched nothing is a success."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._selectors import Selector
from etl_studio.nodes.extract.web_page_source import WebPageSource
from tests.nodes.conftest import rows_of

FIELDS = {"name": "h2 a::text", "price": ".price::text", "stock": ".stock::text", "link": "h2 a::attr(href)"}


def read(context, *urls, **settings):
    """Rows and rejects of a web page source."""
    emissions = list(rows_of(WebPageSource(WebPageSource.Config(urls=list(urls), **settings)), context))
    batches = [each for each in emissions if isinstance(each, pa.RecordBatch)]
    return pa.Table.from_batches(batches), [each for each in emissions if isinstance(each, sdk.Rejected)]


def logged(context, level):
    return [message for each, message, _ in context.logged if each == level]


class Pages:
    """A client that answers each address with a prepared page."""

    def __init__(self, pages):
        self.pages = pages
        self.sent = []

    def send(self, request):
        self.sent.append(request)
        page = self.pages[request.url]
        if isinstance(page, Exception):
            raise page
        content_type, content = page if isinstance(page, tuple) else ("text/html; charset=utf-8", page)
        content = content if isinstance(content, bytes) else content.encode()
        headers = {"content-type": content_type} if content_type else {}
        return sdk.HttpResponse(request.url, 200, headers, content)


@pytest.fixture
def pages(tmp_path, node_context):
    """A function of pages by address that gives a context with those."""
    return lambda found: node_context(tmp_path, http=Pages(found))


@pytest.fixture
def page(pages):
    """A function of one page, at http://a.example/, that gives a context with it."""
    return lambda content: pages({"http://a.example/": content})


def test_all_pages_of_the_shop_give_all_products(web_context, demo_site):
    table, rejects = read(web_context, demo_site.url + "/shop", item=".card", fields=FIELDS, next="a.next::attr(href)")
    wanted = [
        {
            "name": " ".join(product.name.split()),
            "price": product.price_text,
            "stock": product.stock_text,
            "link": f"{demo_site.url}/product/{product.id}",
            "_url": demo_site.url + ("/shop" if product.id <= 20 else f"/shop?page={(product.id + 19) // 20}"),
        }
        for product in demo_site.goods.products
    ]
    assert table.to_pylist() == wanted
    assert rejects == []
    assert logged(web_context, "warning") == []


def test_css_and_xpath_give_the_same_rows(web_context, demo_site):
    url = demo_site.url + "/shop"
    css, _ = read(web_context, url, item=".card", fields=FIELDS, next="a.next")
    xpath, _ = read(
        web_context,
        url,
        item='//li[contains(@class, "card")]',
        fields={
            "name": ".//h2/a/text()",
            "price": './/*[@class="price"]',
            "stock": './/*[starts-with(@class, "stock")]/text()',
            "link": ".//h2/a/@href",
        },
        next='//a[@class="next"]/@href',
    )
    assert css.equals(xpath)


def test_without_an_item_each_page_is_one_row(web_context, demo_site):
    urls = [f"{demo_site.url}/product/{number}" for number in (1, 2)]
    fields = {"sku": ".sku::text", "supplier": '//th[.="Supplier"]/following-sibling::td'}
    table, _ = read(web_context, *urls, fields=fields)
    wanted = [{"sku": each.sku, "supplier": each.supplier} for each in demo_site.goods.products[:2]]
    assert table.select(["sku", "supplier"]).to_pylist() == wanted
    assert table["_url"].to_pylist() == urls


def test_a_failing_page_is_asked_for_again_alone(web_context, demo_site):
    url = demo_site.url + "/shop?fail_first=1&fault=reset"
    table, _ = read(web_context, url, item=".card", fields=FIELDS, next="a.next")
    assert table.num_rows == 45
    assert [request.status for request in demo_site.requests] == [0, 200] * 3


def test_a_site_that_stays_down_ends_the_run(web_context, demo_site):
    with pytest.raises(TransientError):
        read(web_context, demo_site.url + "/shop?fault=503", item=".card", fields=FIELDS)


def test_a_selector_that_matches_nothing_on_any_page_is_an_error_not_an_empty_table(web_context, demo_site):
    with pytest.raises(PermanentError) as caught:
        read(web_context, demo_site.url + "/shop", item=".article", fields=FIELDS, next="a.next")
    assert 'The item selector ".article" matched nothing on 3 pages' in str(caught.value)
    assert "Shop, page 3" in str(caught.value)
    assert "the site may have changed" in caught.value.hint


def test_fields_that_match_nothing_on_whole_pages_are_an_error(web_context, demo_site):
    with pytest.raises(PermanentError, match="fields' selectors matched nothing on 1 page"):
        read(web_context, demo_site.url + "/shop", fields={"x": ".nothing::text"})


def test_a_page_on_which_nothing_matches_is_a_warning_with_its_address(pages):
    context = pages({"http://a.example/": "<p class=c>1", "http://b.example/": "<title>Closed</title><p>2"})
    table, _ = read(context, "http://a.example/", "http://b.example/", item=".c", fields={"t": "::text"})
    assert table["t"].to_pylist() == ["1"]
    (warning,) = logged(context, "warning")
    assert '".c" matches nothing on http://b.example/' in warning
    assert "Closed" in warning


def test_a_field_that_never_matches_is_a_warning_that_names_it(web_context, demo_site):
    table, _ = read(web_context, demo_site.url + "/shop", item=".card", fields={**FIELDS, "colour": ".color::text"})
    assert table["colour"].null_count == table.num_rows == 20
    assert logged(web_context, "warning") == ['The field "colour" (.color::text) matched nothing in 20 items.']


def test_a_next_selector_that_finds_nothing_is_a_warning(web_context, demo_site):
    read(web_context, demo_site.url + "/shop", item=".card", fields=FIELDS, next="a.following")
    assert any("a.following" in message for message in logged(web_context, "warning"))


def test_blanks_are_collapsed_and_the_first_match_that_is_not_blank_counts(page):
    context = page("<div class=c><p> </p><p>\n two\t  <b>bold</b>\xa0words </p></div>")
    fields = {"text": "p::text", "whole": "p:nth-of-type(2)", "own": ".c"}
    table, _ = read(context, "http://a.example/", item=".c", fields=fields)
    row = table.to_pylist()[0]
    assert (row["text"], row["whole"], row["own"]) == ("two", "two bold words", "two bold words")


def test_links_become_absolute_also_under_a_base(page):
    context = page(
        "<head><base href='/deep/'></head><a class=c href=' x.html '><img src=//cdn.example/i.png title=x.html></a>"
    )
    fields = {"link": "::attr(href)", "image": "img::attr(src)", "title": "img::attr(title)", "x": "./img/@src"}
    table, _ = read(context, "http://a.example/", item=".c", fields=fields)
    assert table.to_pylist()[0] == {
        "link": "http://a.example/deep/x.html",
        "image": "http://cdn.example/i.png",
        "title": "x.html",
        "x": "http://cdn.example/i.png",
        "_url": "http://a.example/",
    }


def test_declared_types_turn_text_into_numbers_and_reject_what_is_none(page):
    context = page("<p class=c data-n=1>a<p class=c data-n=two>b<p class=c>c")
    fields = {"n": "::attr(data-n)", "t": "::text"}
    table, rejects = read(context, "http://a.example/", item=".c", fields=fields, columns={"n": "integer"})
    assert table["n"].to_pylist() == [1, None]
    assert [problem.column for each in rejects for problem in each.problems] == ["n"]


@pytest.mark.parametrize(
    "content",
    [
        ("text/html; charset=iso-8859-1", "<p class=c>Café £".encode("latin-1")),
        ("text/html", "<meta charset=windows-1252><p class=c>Café £".encode("cp1252")),
        (
            "text/html",
            "<meta http-equiv=content-type content='text/html; charset=latin1'><p class=c>Café £".encode("cp1252"),
        ),
        ("text/html; charset=latin-1", b"\xef\xbb\xbf" + "<p class=c>Café £".encode()),
        ("text/html", "<p class=c>Café £".encode()),
        ("text/html", "<p class=c>Café £".encode("cp1252")),
        ("text/html; charset=utf-16", "<p class=c>Café £".encode("utf-16")),
        (None, "<p class=c>Café £".encode()),
    ],
)
def test_the_charset_is_found(page, content):
    table, _ = read(page(content), "http://a.example/", item=".c", fields={"t": "::text"})
    assert table["t"].to_pylist() == ["Café £"]


def test_bytes_that_do_not_fit_the_charset_are_a_warning(page):
    context = page(("text/html; charset=utf-8", b"<p class=c>Caf\xe9"))
    table, _ = read(context, "http://a.example/", item=".c", fields={"t": "::text"})
    assert table["t"].to_pylist() == ["Caf\ufffd"]
    assert "do not fit its encoding" in logged(context, "warning")[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (("application/json", b"{}"), "application/json"),
        (("image/png", b"\x89PNG"), "image/png"),
        ((None, b' {"a": 1}'), "JSON"),
        ((None, b"\x00\x01"), "without a content type"),
    ],
)
def test_what_is_no_web_page_is_named(page, content, words):
    with pytest.raises(PermanentError, match=f"did not answer with a web page but with .*{words}"):
        read(page(content), "http://a.example/", fields={"t": "p::text"})


@pytest.mark.parametrize("content", ["", "   ", "<!-- nothing -->", "\0"])
def test_an_empty_page_matches_nothing(page, content):
    with pytest.raises(PermanentError, match="matched nothing on 1 page"):
        read(page(content), "http://a.example/", item="p", fields={"t": "::text"})


def test_next_links_that_lead_in_a_circle_are_an_error(pages):
    context = pages(
        {
            "http://a.example/1": "<p class=c>1<a class=n href=2>",
            "http://a.example/2": "<p class=c>2<a class=n href=1#top>",
        }
    )
    with pytest.raises(PermanentError, match=r"in a circle: http://a\.example/1"):
        read(context, "http://a.example/1", item=".c", fields={"t": "::text"}, next="a.n")
    assert len(context.http().sent) == 2


@pytest.mark.parametrize("link", ["#", "#top", "javascript:void(0)", "", None])
def test_a_next_link_that_leads_nowhere_is_the_end(page, link):
    href = "" if link is None else f"href='{link}'"
    context = page(f"<p class=c>1<a class=n {href}>Next</a>")
    for selector in ("a.n", "a.n::attr(href)", "//a[@class='n']/@href"):
        assert read(context, "http://a.example/", item=".c", fields={"t": "::text"}, next=selector)[0].num_rows == 1


def test_a_page_that_two_chains_reach_is_read_once(pages):
    context = pages({"http://a.example/1": "<p class=c>1<a class=n href=2>", "http://a.example/2": "<p class=c>2"})
    table, _ = read(context, "http://a.example/2", "http://a.example/1", item=".c", fields={"t": "::text"}, next="a.n")
    assert sorted(table["t"].to_pylist()) == ["1", "2"]


def test_a_wanted_number_of_pages_is_kept_and_logged(web_context, demo_site):
    table, _ = read(web_context, demo_site.url + "/shop", item=".card", fields=FIELDS, next="a.next", max_pages=2)
    assert table.num_rows == 40
    assert any("Stopped after 2 pages" in message for message in logged(web_context, "info"))


def test_without_a_wanted_number_too_many_pages_are_an_error(web_context, demo_site, monkeypatch):
    monkeypatch.setattr("etl_studio.nodes.extract.web_page_source.SAFETY_LIMIT", 2)
    with pytest.raises(PermanentError, match="still more pages after 2") as caught:
        read(web_context, demo_site.url + "/shop", item=".card", fields=FIELDS, next="a.next")
    assert "max_pages" in caught.value.hint


def test_one_missing_address_of_several_is_rejected_and_the_others_are_read(web_context, demo_site):
    urls = [demo_site.url + path for path in ("/product/1", "/product/999", "/product/2")]
    table, rejects = read(web_context, *urls, fields={"sku": ".sku::text"})
    assert table["sku"].to_pylist() == [each.sku for each in demo_site.goods.products[:2]]
    (rejected,) = rejects
    assert rejected.rows.to_pylist() == [{"_url": urls[1]}]
    assert "404" in rejected.problems[0].message


def test_when_every_address_is_missing_the_run_fails(web_context, demo_site):
    with pytest.raises(PermanentError) as caught:
        read(web_context, demo_site.url + "/nothing", demo_site.url + "/neither", fields={"sku": ".sku::text"})
    assert caught.value.status == 404


def test_a_missing_next_page_fails_the_run_since_rows_would_be_lost(pages):
    gone = PermanentError("gone", status=404)
    context = pages({"http://a.example/1": "<p class=c>1<a class=n href=2>", "http://a.example/2": gone})
    with pytest.raises(PermanentError, match="gone"):
        read(context, "http://a.example/1", item=".c", fields={"t": "::text"}, next="a.n")


def test_headers_are_not_sent_to_another_site(pages):
    found = {"http://a.example/": "<p class=c>1<a class=n href=http://b.example/>", "http://b.example/": "<p class=c>2"}
    context = pages(found)
    read(context, "http://a.example/", item=".c", fields={"t": "::text"}, next="a.n", headers={"X-Key": "k"})
    assert [request.headers for request in context.http().sent] == [{"X-Key": "k"}, {}]


def test_secrets_of_an_address_do_not_get_into_rows(pages):
    context = pages({"http://u:pw@a.example/?token=t&x=1": "<p class=c>1"})
    table, _ = read(context, "http://u:pw@a.example/?token=t&x=1", item=".c", fields={"t": "::text"})
    assert table["_url"].to_pylist() == ["http://***@a.example/?token=***&x=1"]


@pytest.mark.parametrize("text", ["p[", "a::nonsense", "p:has-no-such(x)", "//a[", "./b/@", "(//c", ""])
def test_a_bad_selector_is_quoted_before_anything_is_fetched(text):
    with pytest.raises(ValidationError) as caught:
        WebPageSource.Config(urls=["http://a.example"], fields={"price": text})
    assert f'price: "{text}" is no valid' in str(caught.value)
    if text:
        with pytest.raises(ValidationError, match="is no valid"):
            WebPageSource.Config(urls=["http://a.example"], fields={"price": "p"}, item=text)


def test_a_function_that_xpath_does_not_have_is_named(page):
    with pytest.raises(PermanentError, match="no-such"):
        read(page("<p>1"), "http://a.example/", item="//p[no-such(.)]", fields={"t": "./text()"})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"urls": []}, "at least 1"),
        ({"urls": ["shop.example"]}, "must be an address"),
        ({"fields": {}}, "at least 1"),
        ({"fields": {"_url": "p"}}, "already"),
        ({"columns": {"pric": "number"}}, 'did you mean "price"'),
        ({"columns": {"price": "nmber"}}, "number"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        WebPageSource.Config(**{"urls": ["http://a.example"], "fields": {"price": "p"}, **settings})


def test_parsels_own_selectors_agree_with_the_compiled_ones(demo_site):
    from urllib.request import urlopen

    from lxml import html
    from parsel import Selector as Parsel

    text = urlopen(demo_site.url + "/shop").read().decode()
    for css in (
        "h2 a::text",
        ".price::text",
        "a.next::attr(href)",
        ".card:nth-child(3) h2 a::text",
        "nav > span::text",
    ):
        wanted = Parsel(text).css(css).get()
        assert Selector(css).first(html.document_fromstring(text), "") == " ".join(wanted.split())


def test_the_example_works(web_context, demo_site):
    example = {**WebPageSource.example, "urls": [demo_site.url + "/shop"]}
    urls = example.pop("urls")
    table, _ = read(web_context, *urls, **example)
    assert table.num_rows == 45
    assert json.dumps(table.column_names) == '["name", "price", "link", "_url"]'


@pytest.mark.parametrize("charset", ["hex", "rot13", "undefined", "idna", "punycode"])
def test_a_charset_that_is_none_of_texts_is_a_warning(pages, charset):
    content = (f"text/html; charset={charset}", "<p>K\u00f6ln</p>".encode())
    context = pages({"http://a.example/": content})
    table, _ = read(context, "http://a.example/", fields={"city": "p"})
    assert table["city"].to_pylist() == ["K\u00f6ln"]
    assert any("charset that does not exist" in text for text in logged(context, "warning"))


def test_items_behind_three_hundred_tags_that_are_never_closed_are_found(page):
    context = page("<b class=card>1" + "<png>" * 300 + "<b class=card>2")
    table, _ = read(context, "http://a.example/", item=".card", fields={"n": "(.//text())[1]"})
    assert table["n"].to_pylist() == ["1", "2"]


def test_a_page_that_the_parser_gives_up_is_an_error_and_no_page_with_fewer_items(page):
    context = page("<b class=card>1</b>" + "<png>" * 3_000 + "<b class=card>2</b>")
    with pytest.raises(PermanentError, match="cannot be read to its end"):
        read(context, "http://a.example/", item=".card", fields={"n": "::text"})


def test_items_that_stand_in_each_other_without_end_are_an_error(page):
    """To look in each of them would take square time."""
    context = page("<div class=card>" * 150)
    with pytest.raises(PermanentError, match="stand in each other, more than 100 deep"):
        read(context, "http://a.example/", item=".card", fields={"n": "::text"})
    context = page("<div class=card>1<div class=card>2" * 40)
    table, _ = read(context, "http://a.example/", item=".card", fields={"n": "::text"})
    assert table.num_rows == 80


def test_a_next_link_that_is_no_address_is_told(page):
    context = page('<p>1</p><a class=next href="http://[">next</a>')
    with pytest.raises(PermanentError, match=r"link to the next page on http://a.example/ is no address"):
        read(context, "http://a.example/", fields={"n": "p"}, next="a.next")


def test_what_stands_behind_the_end_of_a_page_is_read(page):
    table, _ = read(
        page("<html><body><p>1</p></body></html>\n<p>2 <i>3</i></p>"), "http://a.example/", item="p", fields={"n": "*"}
    )

    assert table["n"].to_pylist() == ["1", "2 3"]


def test_a_field_that_is_found_less_often_than_in_the_last_run_is_a_warning(page):
    cards = "".join(f"<p class=card><b>{n}</b><i>{n}</i></p>" for n in range(30))
    settings = {"item": ".card", "fields": {"name": "b", "price": "i"}}
    first = page(cards)
    read(first, "http://a.example/", **settings)
    assert logged(first, "warning") == []
    second = page(cards.replace("<i>1", "<u>1"))
    second.kept = first.kept
    read(second, "http://a.example/", **settings)
    assert logged(second, "warning") == [
        (
            'The field "price" (i) was found in 63% of the items; in the last run (test-run) it was in 100%. '
            "The site may have changed."
        )
    ]


def test_what_a_page_says_for_machines_can_be_a_field_or_an_item(page):
    said = '[{"@type": "Product", "name": "A"}, {"@type": "Product", "name": "B"}]'
    html = f'<script type="application/ld+json">{said}</script><p itemprop=brand>Best</p>'
    table, _ = read(page(html), "http://a.example/", item="jsonld:Product", fields={"name": "jsonld:name"})
    assert table["name"].to_pylist() == ["A", "B"]
    table, _ = read(page(html), "http://a.example/", fields={"brand": "microdata:brand"})
    assert table["brand"].to_pylist() == ["Best"]
