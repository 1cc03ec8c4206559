"""Addresses from sitemaps: XML (also an index of others), plain text, and both gzipped."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass, field

MOST_BYTES = 50 * 1024 * 1024
"""Of one sitemap, unpacked; the protocol allows no more."""
MOST_ADDRESSES = 50_000
"""In one sitemap, as the protocol says."""
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
"""It tells an encoding that the text then has no more."""


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap says.

    Attributes:
        pages: addresses of pages.
        sitemaps: addresses of further sitemaps.
        fault: why it was not read to its end; empty: it was.
    """

    pages: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    fault: str = ""


def read_sitemap(content: bytes) -> Sitemap:
    """Read a sitemap, however broken: what stands before the fault counts."""
    fault = ""
    if content[:2] == b"\x1f\x8b":
        content, fault = _unpacked(content)
    if len(content) > MOST_BYTES:
        content, fault = content[:MOST_BYTES], f"it is larger than {MOST_BYTES // 2**20} MB"
    content = _in_utf8(content)
    content = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    found = _of_xml(content) if content[:1] == b"<" else _of_text(content)
    return Sitemap(found.pages, found.sitemaps, found.fault or fault)


def _of_xml(content: bytes) -> Sitemap:
    from lxml import etree

    pages: list[str] = []
    sitemaps: list[str] = []
    steps = etree.iterparse(
        io.BytesIO(content),
        events=("end",),
        tag=("{*}loc", "{*}url", "{*}sitemap"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=True,
    )
    fault = ""
    try:
        for _, element in steps:
            name = etree.QName(element).localname
            if name == "loc":
                parent = element.getparent()
                into = sitemaps if parent is not None and etree.QName(parent).localname == "sitemap" else pages
                address = " ".join((element.text or "").split())
                inside = parent is not None and etree.QName(parent).localname in {"url", "sitemap"}
                if inside and address.startswith(("http://", "https://")):
                    into.append(address)
                    if len(into) >= MOST_ADDRESSES:
                        fault = f"it has more than {MOST_ADDRESSES:,} addresses"
                        break
            else:
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except (etree.XMLSyntaxError, ValueError) as error:
        fault = str(error).partition(" (")[0] or "it is no XML"
    return Sitemap(pages, sitemaps, fault)


def _of_text(content: bytes) -> Sitemap:
    lines = content.decode("utf-8-sig", "replace").split("\n", MOST_ADDRESSES)
    found = [line.strip() for line in lines[:MOST_ADDRESSES]]
    return Sitemap([line for line in found if line.startswith(("http://", "https://")) and " " not in line])


def _in_utf8(content: bytes) -> bytes:
    """Texts in UTF-16, with a byte order mark or without, in UTF-8."""
    wide = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(content[:2])
    if wide is None:
        return content
    text = content.decode(wide, "replace")
    return _DECLARATION.sub("", text, count=1).encode("utf-8", "replace")


def _unpacked(content: bytes) -> tuple[bytes, str]:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(content, MOST_BYTES + 1)
    except zlib.error:
        return b"", "its gzip is damaged"
    return unpacked, "" if unpacking.eof or len(unpacked) > MOST_BYTES else "its gzip is cut off"
