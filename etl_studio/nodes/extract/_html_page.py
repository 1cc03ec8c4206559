"""A web page as a tree, from the bytes that a site answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._selectors import resolved

KINDS = ("text/html", "application/xhtml+xml", "text/xml", "application/xml", "text/plain")
"""Content types that are read as web pages."""
TITLE_SHOWN = 80
"""Characters of a page's title in messages."""


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """A parsed page.

    Attributes:
        root: its lxml element ``html``.
        base: address that its links start at.
        shown: its address as people and rows may see it.
        title: for messages.
        url: its address.
    """

    root: Any
    base: str
    shown: str
    title: str
    url: str = ""


def parse(response: sdk.HttpResponse, context: sdk.RunContext) -> HtmlPage:
    """Parse an answer, however broken its HTML is.

    The charset is, in this order, that of the byte order mark, the header, the page's meta element, UTF-8 or
    Windows-1252.

    Raises:
        PermanentError: it is no web page but JSON, an image or the like.
    """
    from lxml import etree

    shown = sdk.shown_url(response.url)
    _check_kind(response, shown)
    data = utf8(response, context)
    # Of a page that is nested deeper than it allows, the parser leaves out the rest: 2,048 levels instead of 256.
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
    try:
        root = etree.fromstring(data or b"<html/>", parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None:  # nothing but blanks or comments: a page on which nothing matches
        _refuse_incomplete(parser, shown)
        root = etree.fromstring(b"<html/>", parser)
    _refuse_incomplete(parser, shown)
    for behind in list(root.itersiblings()):  # what stands behind </html> is shown by browsers, too
        if isinstance(behind.tag, str):
            root.append(behind)
    title = " ".join((root.findtext(".//title") or "").split())[:TITLE_SHOWN]
    base = root.find(".//base[@href]")
    address = resolved(response.url, base.get("href")) if base is not None else response.url
    return HtmlPage(root, address, shown, title, response.url)


def utf8(response: sdk.HttpResponse, context: sdk.RunContext) -> bytes:
    """The page in UTF-8, whatever charset it has."""
    content_type = response.headers.get("content-type", "")
    known = _bytes_in_utf8(response.content, content_type)
    return known or _recoded(response.content, content_type, sdk.shown_url(response.url), context)


def _bytes_in_utf8(content: bytes, content_type: str) -> bytes | None:
    """The bytes as they are, where header and bytes agree that they are UTF-8."""
    if "utf-8" not in content_type.lower():
        return None
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"")


def _recoded(content: bytes, content_type: str, shown: str, context: sdk.RunContext) -> bytes:
    """The bytes in UTF-8, where they are in another charset, or it is not sure."""
    from w3lib.encoding import html_to_unicode

    try:
        _, text = html_to_unicode(content_type or None, content, auto_detect_fun=_utf8_or_latin)
    except (LookupError, ValueError):  # Python has codecs of that name that are none of texts, such as hex
        context.log("warning", f"{shown} names a charset that does not exist; its bytes tell another one.", url=shown)
        text = content.decode(_utf8_or_latin(content), "replace")
    if "\ufffd" in text and "\ufffd".encode() not in content:
        context.log("warning", f"Some bytes of {shown} do not fit its encoding; they became \ufffd.", url=shown)
    return text.replace("\0", "").encode("utf-8", "replace")


def _refuse_incomplete(parser: Any, shown: str) -> None:
    """Refuse a page at which the parser gave up: items may stand behind that place."""
    for entry in parser.error_log.filter_from_fatals():
        raise PermanentError(
            f"{shown} cannot be read to its end: {entry.message.partition(',')[0]}.",
            hint="The page is broken, or made to harm those who read it.",
            line=entry.line,
        )


def may_be_web_page(content_type: str) -> bool:
    """Whether an answer of a content type is read; one that says none is."""
    return not (kind := _kind(content_type)) or kind in KINDS


def is_web_page(response: sdk.HttpResponse) -> bool:
    """Whether an answer is read as a web page, by its content type or else by how it begins."""
    kind = _kind(response.headers.get("content-type", ""))
    return kind in KINDS or (not kind and response.content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b""))


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _check_kind(response: sdk.HttpResponse, shown: str) -> None:
    if is_web_page(response):
        return
    kind, content = _kind(response.headers.get("content-type", "")), response.content
    found = kind or ("JSON" if content.lstrip()[:1] in (b"{", b"[") else "something without a content type")
    is_json = "json" in found.lower()
    raise PermanentError(
        f"{shown} did not answer with a web page but with {found}.",
        hint="JSON is read by the node REST API." if is_json else "Check the address.",
    )


def _utf8_or_latin(content: bytes) -> str:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
