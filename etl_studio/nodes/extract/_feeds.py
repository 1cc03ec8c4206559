"""Feeds from the bytes that a site answered with: RSS 0.9 to 2.0, Atom 0.3 and 1.0, JSON Feed.

A feed that is no XML by the letter is mended first, and then cut at its entries, each of which is read alone: what is
wrong with one entry costs no other one.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio import sdk
from etl_studio.errors import PermanentError, TransientError
from etl_studio.nodes.extract._feed_entries import EntryReader
from etl_studio.nodes.extract._selectors import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

_ILLEGAL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATION = re.compile(r"<\?xml[^>]{0,200}\?>")
_ENTRY = re.compile(r"<((?:[\w.-]{1,30}:)?(?:item|entry))(?=[\s>/])")
_SPACES = re.compile(r"""\sxmlns(?::[\w.-]{1,30})?\s{0,9}=\s{0,9}(?:"[^"<]{0,200}"|'[^'<]{0,200}')""")
_ROOT = re.compile(r"<([a-zA-Z][\w.:-]{0,60})")
_REFERENCE = re.compile(r"&(?:(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);|([a-zA-Z]\w{1,30});)?")
_FAMILIAR = {
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "atom": "http://www.w3.org/2005/Atom",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
}
_LINKS_SHOWN = 3


@dataclass(slots=True)
class Feed:
    """What was read of one feed.

    Attributes:
        title: of the feed.
        records: its entries, in the columns of ``COLUMNS``.
        unreadable: texts of entries that cannot be read, with what is wrong with each.
        mended: entries that were read although they are no XML by the letter.
        unread_dates: dates that are none.
    """

    title: str | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    mended: int = 0
    unread_dates: list[str] = field(default_factory=list)


def read_feed(response: sdk.HttpResponse) -> Feed:
    """Read the entries of an answer.

    Raises:
        TransientError: it is cut off.
        PermanentError: it is no feed, or one that is made to harm those who read it.
    """
    content_type = response.headers.get("content-type", "")
    start = response.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{" or ("json" in content_type and start != b"<"):
        return _json_feed(response)
    return _XmlFeed(_decoded(response, content_type), response.url).read()


def read_entry(text: str, base: str) -> dict[str, Any]:
    """An entry that stands alone, as a dead letter keeps it.

    Raises:
        PermanentError: it cannot be read.
    """
    feed = _XmlFeed(f"<rss>{text}</rss>", base).read()
    if len(feed.records) != 1 or feed.unreadable:
        raise PermanentError(
            "The text is no entry of a feed.", hint="Mend it, such as <item><title>...</title></item>."
        )
    return feed.records[0]


def _json_feed(response: sdk.HttpResponse) -> Feed:
    document = response.json()
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise PermanentError(
            f"{sdk.shown_url(response.url)} answered with JSON that is no JSON Feed: it has no list of items.",
            hint="Other JSON is read by the node REST API.",
        )
    title = document.get("title")
    feed, reader = Feed(title if isinstance(title, str) else None), EntryReader()
    for item in items:
        if isinstance(item, dict):
            feed.records.append(reader.of_json(item, response.url))
        else:
            feed.unreadable.append((str(item), "It is no object."))
    feed.unread_dates = reader.unread_dates
    return feed


class _XmlFeed:
    def __init__(self, text: str, url: str) -> None:
        self._text = text
        self._url = url
        self._shown = sdk.shown_url(url)
        self._reader = EntryReader()

    def read(self) -> Feed:
        root = _parsed(self._text)
        if root is None:
            self._text = _mended(self._text)
            root = _parsed(self._text)
        if root is None:
            feed = self._read_in_pieces()
        else:
            self._refuse_entities(root)
            self._refuse_others(root)
            feed = Feed(_title(root), [self._reader.of_element(entry, self._url) for entry in _entries(root)])
        feed.unread_dates = self._reader.unread_dates
        return feed

    def _read_in_pieces(self) -> Feed:
        """Each entry alone, in the name spaces of the whole."""
        text = self._text
        starts = [match for span in _plain(text) for match in _ENTRY.finditer(text, *span)]
        head = text[: starts[0].start()] if starts else text
        root = _parsed(head, recover=True)
        if root is not None:
            self._refuse_entities(root)
        if not starts:
            self._refuse_others(root)
            self._refuse_cut_off(head, 0)
            return Feed(_title(root))
        self._refuse_cut_off(head, starts[-1].end())
        spaces = {space.partition("=")[0].strip(): space for space in _SPACES.findall(head)}
        for prefix, address in _FAMILIAR.items():
            spaces.setdefault(f"xmlns:{prefix}", f' xmlns:{prefix}="{address}"')
        opening = f"<feed{''.join(spaces.values())}>"
        feed = Feed(_title(root))
        for number, start in enumerate(starts):
            rest = text[start.start() : starts[number + 1].start() if number + 1 < len(starts) else None]
            end = rest.rfind(f"</{start[1]}")
            piece = rest if end < 0 else rest[:end] + f"</{start[1]}>"
            self._read_piece(f"{opening}{piece}</feed>", piece, feed)
        return feed

    def _read_piece(self, wrapped: str, piece: str, feed: Feed) -> None:
        root = _parsed(wrapped)
        if root is None:
            feed.mended += 1
            root = _parsed(wrapped, recover=True)
        entries = [] if root is None else list(_entries(root))
        if len(entries) == 1 and len(entries[0]):
            feed.records.append(self._reader.of_element(entries[0], self._url))
        else:
            feed.mended -= 1
            feed.unreadable.append((piece, "The entry is no XML. Mend it."))

    def _refuse_entities(self, root: Any) -> None:
        declared = root.getroottree().docinfo.internalDTD
        if declared is not None and next(declared.iterentities(), None) is not None:
            raise PermanentError(
                f"{self._shown} declares entities of its own, as attacks on readers of XML do. It was not read.",
                hint="Ask those who run the site; no feed needs them.",
            )

    def _refuse_others(self, root: Any) -> None:
        name = _local(root) if root is not None else ""
        if name.lower() in {"rss", "rdf", "feed", "channel"}:
            return
        if name.lower() != "html" and "<html" not in self._text[:2000].lower():
            what = f"is no feed but XML with the root <{name}>" if name else "is no feed"
            raise PermanentError(f"{self._shown} {what}.", hint="Check the address.")
        found = _feeds_of_page(self._text, self._url)
        told = (
            f"The page names these feeds: {', '.join(found)}." if found else "Look for a link named RSS or Atom there."
        )
        raise PermanentError(f"{self._shown} is no feed but a web page.", hint=told)

    def _refuse_cut_off(self, head: str, end: int) -> None:
        """A feed whose root is never closed behind its last entry."""
        root = _ROOT.search(head)
        if root is None or f"</{root[1]}" not in self._text[end:]:
            raise TransientError(f"The feed {self._shown} is cut off in the middle.")


def _decoded(response: sdk.HttpResponse, content_type: str) -> str:
    """The text, without its XML declaration and what XML does not allow."""
    from w3lib.encoding import html_to_unicode

    try:
        _, text = html_to_unicode(content_type or None, response.content, default_encoding="utf-8")
    except (LookupError, ValueError):  # a charset that is none
        text = response.content.decode("utf-8", "replace")
    return _DECLARATION.sub("", _ILLEGAL.sub("", text.removeprefix("\ufeff")), count=1).lstrip()


def _parsed(text: str, *, recover: bool = False) -> Any:
    """The root element; None where it is no XML. Nothing is fetched, no entity is put in."""
    from lxml import etree

    parser = etree.XMLParser(
        encoding="utf-8", recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return None


def _mended(text: str) -> str:
    """HTML's entities as characters, and a lone & as one, outside of comments and CDATA."""
    parts, done = [], 0
    for start, end in _plain(text):
        parts += [text[done:start], _REFERENCE.sub(_reference, text[start:end])]
        done = end
    return "".join([*parts, text[done:]])


def _reference(match: re.Match[str]) -> str:
    if match[1]:
        return match[0]
    character = html.unescape(match[0]) if match[2] else match[0]
    return "&amp;" + match[0][1:] if character == match[0] else html.escape(character)


def _plain(text: str) -> Iterator[tuple[int, int]]:
    """The spans of a text that are neither comment nor CDATA."""
    here = 0
    while True:
        found = [(at, mark) for mark in ("<!--", "<![CDATA[") if (at := text.find(mark, here)) >= 0]
        if not found:
            yield here, len(text)
            return
        start, mark = min(found)
        yield here, start
        end = text.find("-->" if mark == "<!--" else "]]>", start)
        if end < 0:
            return
        here = end + 3


def _entries(root: Any) -> Iterator[Any]:
    """Elements ``item`` or ``entry``, not those inside of one."""
    if _local(root) in {"item", "entry"}:
        yield root
        return
    for child in root:
        if isinstance(child.tag, str) and _local(child) in {"item", "entry", "channel", "rss", "RDF", "feed", "items"}:
            yield from _entries(child)


def _title(root: Any) -> str | None:
    if root is None:
        return None
    for parent in (root, *(child for child in root if isinstance(child.tag, str) and _local(child) == "channel")):
        for child in parent:
            if isinstance(child.tag, str) and _local(child) == "title":
                return " ".join("".join(child.itertext()).split()) or None
    return None


def _local(element: Any) -> str:
    name: str = element.tag.rpartition("}")[2].rpartition(":")[2]
    return name


def _feeds_of_page(text: str, url: str) -> list[str]:
    from lxml import etree
    from lxml import html as lxml_html

    try:
        page = lxml_html.document_fromstring(text.encode(), parser=lxml_html.HTMLParser(encoding="utf-8"))
    except etree.ParserError:
        return []
    links = page.xpath('//link[@href and contains(@rel, "alternate") and re:test(@type, "rss|atom|feed")]/@href',
                       namespaces={"re": "http://exslt.org/regular-expressions"})  # fmt: skip
    return [sdk.shown_url(resolved(url, link)) for link in links[:_LINKS_SHOWN]]
