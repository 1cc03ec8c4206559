"""Feeds in every dialect, and broken ones."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.demo.faults import Faults
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._feed_entries import moment
from etl_studio.nodes.extract._feeds import read_feed
from etl_studio.nodes.extract.rss_source import FEED_COLUMNS, RssSource
from tests.nodes.extract.feed_site import FeedSite

AT = dt.datetime(2024, 5, 1, 8, 30, tzinfo=dt.UTC)
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Example &amp; news</title><item>
  <guid isPermaLink="false">tag:a,1</guid><link>/one</link><title> The  first </title>
  <pubDate>Wed, 01 May 2024 10:30:00 +0200</pubDate><dc:creator>Ada</dc:creator><category>x</category>
  <category>y</category><category>x</category><description>Short</description>
  <content:encoded><![CDATA[<p>Long &nbsp; & so</p>]]></content:encoded>
  <enclosure url="/one.mp3" type="audio/mpeg" length="1"/></item></channel></rss>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Example &amp; news</title>
  <items><rdf:Seq/></items></channel>
  <item rdf:about="tag:a,1"><title>The first</title><link>/one</link><dc:date>2024-05-01T10:30:00+02:00</dc:date>
  <dc:creator>Ada</dc:creator><dc:subject>x</dc:subject><dc:subject>y</dc:subject>
  <description>Short</description></item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Example &amp; news</title>
  <entry xml:base="/deep/"><id>tag:a,1</id><link rel="self" href="/self"/><link href="../one"/><title>The first</title>
  <published>2024-05-01T08:30:00Z</published><author><name>Ada</name><email>ada@x</email></author>
  <category term="x"/><category term="y"/><summary>Short</summary>
  <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long<br/>er</p></div></content>
  <link rel="enclosure" href="/one.mp3" type="audio/mpeg"/></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1", "title": "Example & news",
        "items": [{
            "id": "tag:a,1", "url": "/one", "title": "The first", "date_published": "2024-05-01T10:30:00+02:00",
            "authors": [{"name": "Ada"}], "tags": ["x", "y"], "summary": "Short",
            "attachments": [{"url": "/one.mp3", "mime_type": "audio/mpeg"}],
        }],
    }
)  # fmt: skip


def answer(text, content_type="application/xml", url="http://site.example/feed"):
    content = text if isinstance(text, bytes) else text.encode()
    return sdk.HttpResponse(url, 200, {"content-type": content_type}, content)


def rss(*items, head=""):
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{head}{"".join(items)}</channel></rss>'


def item(number, text=""):
    return f"<item><guid>urn:{number}</guid><title>{text or number}</title></item>"


def rows_and_rejects(emissions):
    emissions = [each for each in emissions if not isinstance(each, sdk.Cursor)]
    batches = [each for each in emissions if isinstance(each, pa.RecordBatch)]
    return pa.Table.from_batches(batches).to_pylist(), [each for each in emissions if isinstance(each, sdk.Rejected)]


@pytest.mark.parametrize("text", [RSS, RDF, ATOM, JSON_FEED], ids=["rss2", "rss1", "atom", "json"])
def test_every_kind_of_feed_gives_the_same_columns(text):
    feed = read_feed(answer(text))
    [record] = feed.records
    assert feed.title == "Example & news"
    wanted = {
        "id": "tag:a,1", "title": "The first", "link": "http://site.example/one", "published": AT, "author": "Ada",
        "summary": "Short", "categories": ["x", "y"],
    }  # fmt: skip
    assert {name: record[name] for name in wanted} == wanted
    if text is not RDF:
        assert (record["enclosure"], record["enclosure_type"]) == ("http://site.example/one.mp3", "audio/mpeg")


def test_markup_is_kept_as_it_was_written():
    assert read_feed(answer(RSS)).records[0]["content"] == "<p>Long &nbsp; & so</p>"
    assert read_feed(answer(ATOM)).records[0]["content"] == "<p>Long<br>er</p>"


def test_the_demo_shop_tells_its_news_in_three_ways(demo_site, web_context):
    found = {}
    for kind in ("rss", "atom", "json"):
        source = RssSource(RssSource.Config(urls=[f"{demo_site.url}/feeds/news.{kind}"]))
        found[kind], rejects = rows_and_rejects(source.read(web_context))
        assert not rejects
    names = ("id", "title", "link", "published", "author")
    plain = [[{name: row[name] for name in names} for row in rows] for rows in found.values()]
    assert plain[0] == plain[1] == plain[2]
    assert len(plain[0]) == 30
    assert plain[0][0]["published"].tzinfo is not None


def test_rows_have_types_and_plain_text_when_it_is_wanted(web_context):
    markup = "<description>&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;three</description>"
    with FeedSite({"/f": rss(f"<item><guid>1</guid>{markup}</item>").encode()}) as site:
        source = RssSource(RssSource.Config(urls=[f"{site.url}/f"], plain_text=True))
        [batch] = [each for each in source.read(web_context) if isinstance(each, pa.RecordBatch)]
    assert batch.schema.names == list(FEED_COLUMNS)
    assert batch.schema.field("published").type == pa.timestamp("us", tz="UTC")
    assert batch.column("summary").to_pylist() == ["One & two\nthree"]


def test_an_entry_comes_once_in_a_run_and_numbers_only_mean_something_in_their_feed(web_context):
    one = rss(item(1), item(1), "<item><guid>7</guid><title>a</title></item>")
    two = rss(item(1), item(2), "<item><guid>7</guid><title>b</title></item>")
    with FeedSite({"/1": one.encode(), "/2": two.encode()}) as site:
        source = RssSource(RssSource.Config(urls=[f"{site.url}/1", f"{site.url}/2"]))
        rows, _ = rows_and_rejects(source.read(web_context))
    assert [(row["id"], row["title"]) for row in rows] == [("urn:1", "1"), ("7", "a"), ("urn:2", "2"), ("7", "b")]


def test_an_entry_without_an_id_has_its_address_or_a_digest():
    feed = read_feed(answer(rss("<item><link>/a</link></item>", "<item><title>b</title></item>")))
    assert feed.records[0]["id"] == "http://site.example/a"
    assert feed.records[1]["id"].startswith("sha256:")


def test_a_feed_that_fails_is_rejected_and_a_replay_asks_for_it_again(web_context):
    with FeedSite({"/good": rss(item(1)).encode(), "/bad": [404, rss(item(2)).encode()]}) as site:
        urls = [f"{site.url}/bad", f"{site.url}/good"]
        source = RssSource(RssSource.Config(urls=urls))
        rows, [rejected] = rows_and_rejects(source.read(web_context))
        assert [row["id"] for row in rows] == ["urn:1"]
        assert rejected.rows.to_pylist() == [{"feed": urls[0]}]
        [problem] = rejected.problems
        assert problem.value == 404
        again, rejects = rows_and_rejects(source.read_again([problem.operation], None, web_context))
    assert [row["id"] for row in again] == ["urn:2"]
    assert not rejects


def test_when_no_feed_answers_the_run_fails(web_context):
    with FeedSite({}) as site:
        for urls in ([f"{site.url}/a"], [f"{site.url}/a", f"{site.url}/b"]):
            with pytest.raises(PermanentError, match="404"):
                list(RssSource(RssSource.Config(urls=urls)).read(web_context))


def test_a_feed_that_was_cut_off_is_asked_for_again():
    whole = rss(item(1), item(2)).encode()
    for length in (100, len(whole) - 40, len(whole) - 60):
        with pytest.raises(TransientError, match="cut off"):
            read_feed(answer(whole[:length]))
    assert len(read_feed(answer(whole)).records) == 2


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (rss(item(1, "Tea & cake"), item(2)), ["Tea & cake", "2"]),
        (rss(item(1, "caf&eacute;&nbsp;&unknown;"), item(2)), ["café &unknown;", "2"]),
        (rss(item(1, "bell\x07 rings"), item(2)), ["bell rings", "2"]),
        (rss(item(1, "a < b"), item(2)), ["a b", "2"]),
        (rss("<item><guid>urn:1</guid><title>open</item>", item(2)), ["open", "2"]),
        (rss(item(1, "<![CDATA[<item> & ]]>"), item(2, "a & b")), ["<item> &", "a & b"]),
        (rss("<item><x:y>1</x:y><title>prefix</title></item>", item(2)), ["prefix", "2"]),
    ],
)
def test_what_is_no_xml_by_the_letter_is_mended(text, titles):
    feed = read_feed(answer(text))
    assert [record["title"] for record in feed.records] == titles
    assert not feed.unreadable


def test_text_in_other_charsets_is_read():
    text = rss(item(1, "Müller"))
    assert read_feed(answer(text.encode("latin-1"), "text/xml; charset=iso-8859-1")).records[0]["title"] == "Müller"
    declared = text.replace('<?xml version="1.0"?>', '<?xml version="1.0" encoding="windows-1252"?>').encode("cp1252")
    assert read_feed(answer(declared)).records[0]["title"] == "Müller"
    assert read_feed(answer(text.encode("utf-16"))).records[0]["title"] == "Müller"


BOMB = '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        f"{BOMB}]><rss><channel>{item(1, '&j;')}</channel></rss>",
        f"{BOMB}]><rss><channel>{item(1, '&j; & broken')}</channel></rss>",
        f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel>{item(1, "&x;")}</channel></rss>',
        f'<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><rss><channel>{item(1)}</channel></rss>',
        f"{BOMB}]><rss><channel><item><guid a='&j;'>1</guid></item></channel></rss>",
    ],
)
def test_entities_of_its_own_are_refused_and_nothing_is_fetched(text):
    with pytest.raises(PermanentError, match="declares entities"):
        read_feed(answer(text))


def test_a_doctype_without_entities_is_read():
    text = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.netscape.com/rss.dtd">'
    assert len(read_feed(answer(f"{text}<rss><channel>{item(1, '&copy;')}</channel></rss>")).records) == 1


def test_a_web_page_tells_which_feeds_it_names():
    page = '<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>'
    with pytest.raises(PermanentError, match=r"web page.*http://site.example/feed.xml"):
        read_feed(answer(page, "text/html"))


def test_json_that_is_no_feed_is_refused():
    with pytest.raises(PermanentError, match="no JSON Feed"):
        read_feed(answer('{"data": []}', "application/json"))


def test_an_entry_that_cannot_be_read_is_rejected_alone_and_can_be_mended(web_context):
    deep = f"<item><guid>urn:9</guid>{'<a>' * 5000}</item>"
    with FeedSite({"/f": json.dumps({"items": [3, {"id": "a"}]}).encode(), "/x": rss(deep, item(2)).encode()}) as site:
        source = RssSource(RssSource.Config(urls=[f"{site.url}/f"]))
        rows, [rejected] = rows_and_rejects(source.read(web_context))
        assert len(rows) == 1
        assert rejected.rows.to_pylist() == [{"feed": f"{site.url}/f", "record": "3"}]
        mended = {"feed": f"{site.url}/f", "record": item(3)}
        again, rejects = rows_and_rejects(source.read_again([mended, {**mended, "record": "<x"}], None, web_context))
        assert [row["id"] for row in again] == ["urn:3"]
        assert [each.rows.num_rows for each in rejects] == [1]
        rows, rejects = rows_and_rejects(RssSource(RssSource.Config(urls=[f"{site.url}/x"])).read(web_context))
    assert len(rows) + sum(each.rows.num_rows for each in rejects) == 2
    assert rows[-1]["id"] == "urn:2"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Wed, 01 May 2024 10:30:00 +0200", AT),
        ("01 May 24 08:30 GMT", AT),
        ("Wed, 1 May 2024 04:30:00 EDT", AT),
        ("2024-05-01T08:30:00Z", AT),
        ("2024-05-01 10:30:00 +0200", AT),
        ("2024-05-01T08:30:00.000", AT),
        ("2024-05", dt.datetime(2024, 5, 1, tzinfo=dt.UTC)),
        ("", None),
    ],
)
def test_dates_are_read_as_feeds_write_them(text, found):
    assert moment(text) == found


@given(st.text() | st.from_regex(r"[0-9T:Z+. -]{0,30}"))
def test_a_text_is_a_date_in_utc_or_none(text):
    try:
        found = moment(text)
    except ValueError:
        return
    assert found is None or found.utcoffset() == dt.timedelta(0)


def test_dates_that_are_none_are_empty_and_told(web_context):
    with FeedSite({"/f": rss("<item><guid>1</guid><pubDate>soon</pubDate></item>").encode()}) as site:
        rows, _ = rows_and_rejects(RssSource(RssSource.Config(urls=[f"{site.url}/f"])).read(web_context))
    assert rows[0]["published"] is None
    assert any("soon" in message for level, message, _ in web_context.logged if level == "warning")


PIECES = st.lists(
    st.sampled_from(
        ["<item>", "</item>", "<title>", "</title>", "&", "&eacute;", "&#0;", "<![CDATA[", "]]>", "<!--", "-->", "<",
         "text", "\x01", "<a:b>", "<entry/>", 'x="', "<?pi", "\ud800", "<guid>", "</guid>"]
    ),
    max_size=30,
)  # fmt: skip


@given(PIECES)
def test_whatever_the_bytes_are_every_whole_entry_is_a_row_or_a_reject(pieces):
    """What stands before the damage, an entry of its own, never vanishes."""
    text = rss(item(1), *pieces).encode("utf-8", "surrogatepass")
    try:
        feed = read_feed(answer(text))
    except (TransientError, PermanentError):
        return
    assert "urn:1" in [record["id"] for record in feed.records]


def test_a_faulty_site_loses_no_entry(demo_site, web_context):
    demo_site.faults = Faults(rate_500=0.3, rate_truncate=0.2)
    source = RssSource(RssSource.Config(urls=[f"{demo_site.url}/feeds/news.rss", f"{demo_site.url}/feeds/news.atom"]))
    rows, rejects = rows_and_rejects(source.read(web_context))
    assert len(rows) == 30
    assert not rejects


def test_what_signs_in_to_one_site_never_goes_to_another():
    auth = {"kind": "bearer", "token": "x"}
    with pytest.raises(ValueError, match="a node for each site"):
        RssSource.Config(urls=["https://a.example/f", "https://b.example/f"], auth=auth)
    assert RssSource.Config(urls=["https://a.example/f", "https://a.example/g"], auth=auth).auth.kind == "bearer"
