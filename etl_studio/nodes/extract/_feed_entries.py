"""Entries of feeds as records: the same fields, whatever the feed calls them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from etl_studio.nodes.extract._selectors import resolved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

COLUMNS = {
    "id": "text",
    "title": "text",
    "link": "text",
    "published": "timestamptz",
    "updated": "timestamptz",
    "author": "text",
    "summary": "text",
    "content": "text",
    "categories": "json",
    "enclosure": "text",
    "enclosure_type": "text",
}
"""What is read of each entry, and its type. ``categories`` is a list of texts; dates are in UTC."""

_PREFIXES = {
    "http://www.w3.org/2005/Atom": "atom:",
    "http://purl.org/atom/ns#": "atom:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://purl.org/rss/1.0/modules/content/": "content:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
}
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_MAIL_AND_NAME = re.compile(r"\S+@\S+\s+\((.+)\)")
_SPACES = re.compile(r'(?<=[\w"]) xmlns(?::[\w.-]+)?="[^"<>]*"(?=[^<>]*>)')
_ISO_PARTS = re.compile(r"(\d{4})(?:-(\d\d?))?(?:-(\d\d?))?")


def moment(text: str | None) -> dt.datetime | None:
    """A date as feeds write it (RFC 822, RFC 3339, ISO 8601), in UTC; one without a zone is taken for UTC.

    Raises:
        ValueError: it is no date.
    """
    text = (text or "").strip()
    if not text:
        return None
    try:
        if parts := _ISO_PARTS.fullmatch(text):
            found = dt.datetime(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1))  # noqa: DTZ001 - set below
        elif text[:4].isdecimal():
            found = dt.datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", text))
        else:
            found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError, IndexError, TypeError) as error:
        raise ValueError(f'"{text}" is no date') from error


class EntryReader:
    """Makes records of entries, and counts dates that it cannot read."""

    def __init__(self) -> None:
        self.unread_dates: list[str] = []

    def of_element(self, entry: Any, base: str) -> dict[str, Any]:
        """An ``item`` of RSS or an ``entry`` of Atom.

        Args:
            entry: its lxml element.
            base: where relative links start, unless ``xml:base`` tells.
        """
        parts = _parts(entry)
        base = resolved(base, entry.base) if entry.base else base
        links = [*parts.get("link", ()), *parts.get("atom:link", ())]
        guid = _text(_first(parts, "guid", "id", "atom:id"), plain=True)
        link = _link(links, parts, guid)
        enclosed = [*parts.get("enclosure", ()), *(each for each in links if each.get("rel") == "enclosure")]
        enclosed += [each for each in parts.get("media:content", ()) if each.get("url")]
        attached = enclosed[0] if enclosed else None
        categories = [each.get("term") or _text(each, plain=True) for each in parts.get("category", ())]
        categories += [_text(each, plain=True) for each in parts.get("dc:subject", ())]
        address = None if attached is None else attached.get("url") or attached.get("href")
        return _whole(
            {
                "id": guid or entry.get(_ABOUT),
                "title": _text(_first(parts, "title", "atom:title", "dc:title", "media:title"), plain=True),
                "link": resolved(base, link) if link else None,
                "published": self._moment(
                    parts, "pubDate", "published", "issued", "created", "dc:date", "dcterms:issued", "atom:published"
                ),
                "updated": self._moment(parts, "updated", "modified", "atom:updated", "dcterms:modified"),
                "author": _authors(parts),
                "summary": _text(_first(parts, "description", "summary", "itunes:summary", "media:description")),
                "content": _text(_first(parts, "content:encoded", "content", "atom:content", "body")),
                "categories": list(dict.fromkeys(each for each in categories if each)) or None,
                "enclosure": resolved(base, address) if address else None,
                "enclosure_type": None if attached is None else attached.get("type"),
            }
        )

    def of_json(self, item: Mapping[str, Any], base: str) -> dict[str, Any]:
        """An item of a JSON Feed, 1.0 or 1.1."""

        def text(name: str, of: Mapping[str, Any] = item) -> str | None:
            value = of.get(name)
            return None if value is None or isinstance(value, dict | list) or value == "" else str(value)

        def objects(name: str) -> list[Mapping[str, Any]]:
            value = item.get(name)
            return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

        authors = objects("authors") or [item["author"] if isinstance(item.get("author"), dict) else {}]
        attached = (objects("attachments") or [{}])[0]
        link, address, tags = text("url") or text("external_url"), text("url", attached), item.get("tags")
        return _whole(
            {
                "id": text("id"),
                "title": text("title"),
                "link": resolved(base, link) if link else None,
                "published": self._read(text("date_published")),
                "updated": self._read(text("date_modified")),
                "author": ", ".join(name for each in authors if (name := text("name", each))) or None,
                "summary": text("summary"),
                "content": text("content_html") or text("content_text"),
                "categories": [str(tag) for tag in tags] if isinstance(tags, list) and tags else None,
                "enclosure": resolved(base, address) if address else None,
                "enclosure_type": text("mime_type", attached),
            }
        )

    def _moment(self, parts: Mapping[str, list[Any]], *names: str) -> dt.datetime | None:
        return self._read(_text(_first(parts, *names), plain=True))

    def _read(self, text: str | None) -> dt.datetime | None:
        try:
            return moment(text)
        except ValueError:
            self.unread_dates.append(str(text))
            return None


def _whole(record: dict[str, Any]) -> dict[str, Any]:
    """An entry without an id has its address as one, or else a digest of what it says."""
    if not record["id"]:
        said = "\n".join(str(record[name]) for name in ("title", "published", "summary", "content", "enclosure"))
        record["id"] = record["link"] or f"sha256:{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()}"
    return record


def _parts(entry: Any) -> dict[str, list[Any]]:
    """The children by name; those of other vocabularies than the entry's own have a prefix."""
    own = entry.tag.partition("}")[0] if entry.tag.startswith("{") else ""
    found: dict[str, list[Any]] = {}
    for child in entry:
        if not isinstance(child.tag, str):
            continue
        space, brace, name = child.tag.rpartition("}")
        if brace and space != own:
            name = _PREFIXES.get(space[1:], "?:") + name
        found.setdefault(name, []).append(child)
    return found


def _first(parts: Mapping[str, list[Any]], *names: str) -> Any:
    """The first child with one of these names that holds anything."""
    there = [element for name in names for element in parts.get(name, ())]
    return next((element for element in there if len(element) or (element.text or "").strip()), None)


def _text(element: Any, *, plain: bool = False) -> str | None:
    """What an element holds: its text, or the markup inside it."""
    if element is None:
        return None
    if not len(element):
        text = element.text or ""
    elif plain:
        text = "".join(element.itertext())
    else:
        text = _markup(element)
    return (" ".join(text.split()) if plain else text.strip()) or None


def _markup(element: Any) -> str:
    """Children as HTML; the ``div`` that Atom wants around XHTML is left out."""
    from lxml import etree

    names = [child for child in element if isinstance(child.tag, str)]
    if element.get("type") == "xhtml" and len(names) == 1:
        element = names[0]
    for child in element.iterdescendants():
        if isinstance(child.tag, str):
            child.tag = child.tag.rpartition("}")[2]
    parts = [etree.tostring(child, encoding="unicode", method="html") for child in element]
    return _SPACES.sub("", (element.text or "") + "".join(parts))


def _link(links: Iterable[Any], parts: Mapping[str, list[Any]], guid: str | None) -> str | None:
    for element in links:
        if element.get("href") and element.get("rel", "alternate") == "alternate":
            return str(element.get("href")).strip()
        if element.get("href") is None and (element.text or "").strip():
            return str(element.text).strip()
    permanent = any(each.get("isPermaLink", "true").lower() == "true" for each in parts.get("guid", ()))
    return guid if guid and permanent and guid.startswith(("http://", "https://")) else None


def _authors(parts: Mapping[str, list[Any]]) -> str | None:
    names = []
    for name in ("author", "atom:author", "dc:creator", "itunes:author"):
        for element in parts.get(name, ()):
            inner = _parts(element)
            found = _text(_first(inner, "name", "atom:name", "email", "atom:email") if inner else element, plain=True)
            if found:
                match = _MAIL_AND_NAME.fullmatch(found)
                names.append(match[1] if match else found)
    return ", ".join(dict.fromkeys(names)) or None
