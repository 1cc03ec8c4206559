"""Addresses of a crawl: which are the same page, which lie inside it, and which are a trap."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import translate
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

Scope = Literal["host", "domain", "listed", "anywhere"]

LONGEST = 2_048
"""Characters of an address; what is longer was most likely made by a page that adds to its own address."""
MOST_SEGMENTS = 32
MOST_PARAMETERS = 16
REPEATS = 3
"""How often a part of a path may follow itself."""
YEARS_AHEAD = 2
"""A calendar leads to the future for ever; so many years of it are read."""
_ENDINGS = """
7z aac ai aif apk avi avif bin bmp bz2 cab css dmg doc docx eot eps epub exe flac flv gif gz heic ico ics iso jar jpeg
jpg js json m4a m4v mid mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv opus otf pdf png ppt pptx ps psd rar rpm rss
rtf svg swf tar tgz tif tiff ttf wasm wav webm webp wma wmv woff woff2 xls xlsx xz zip
"""
NO_PAGES = frozenset(_ENDINGS.split())
"""Endings of files that are no web pages."""
SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gouv", "ne", "net", "or", "org"})
"""What stands before the two letters of a country where a registered domain has three labels."""
LABELS, COUNTRY = 2, 2

_DATE = re.compile(r"(?:[/=?&_-]|^)(20\d\d|2[1-9]\d\d)(?:[/_.-](?:0?[1-9]|1[0-2]))?(?=[/=?&_.-]|$)")
_DATE_WORD = re.compile(r"calend|event|date|month|year|week|agenda|archive|day=", re.IGNORECASE)


def canonical(url: str) -> str:
    """An address in the one form in which all that lead to the same page are equal: no fragment, query in order.

    Raises:
        ValueError: it is no address.
    """
    from w3lib.url import canonicalize_url

    return canonicalize_url(url)


def key_of(url: str) -> bytes:
    """16 bytes that stand for a canonical address."""
    return blake2b(url.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def host_of(url: str) -> str:
    """Host and port, as politeness counts them; without user and password.

    Raises:
        ValueError: it is no address.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    return host if port is None or port == {"http": 80, "https": 443}.get(parts.scheme) else f"{host}:{port}"


def name_of(host: str) -> str:
    """A host without its port."""
    return host[: host.index("]") + 1] if host.startswith("[") else host.partition(":")[0]


@lru_cache(maxsize=4_096)
def domain_of(host: str) -> str:
    """The registered domain of a host: its last two labels, three under such as ``co.uk``; an IP address is its own."""
    name = name_of(host)
    labels = name.split(".")
    if name.startswith("[") or name.replace(".", "").isdecimal() or len(labels) <= LABELS:
        return name
    kept = LABELS + (labels[-2] in SECOND_LEVEL and len(labels[-1]) == COUNTRY)
    return ".".join(labels[-kept:])


class Pattern:
    """A pattern of addresses.

    Args:
        text: with ``*`` for anything, over the whole address, or over path and query when it begins with ``/``;
            after ``re:`` a regular expression that is searched in the address.

    Raises:
        ValueError: it is no regular expression.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._in_path = text.startswith("/")
        try:
            self._found: Callable[[str], object] = (
                re.compile(text[3:]).search if text.startswith("re:") else re.compile(translate(text)).match
            )
        except re.error as error:
            raise ValueError(f'"{text}" is no regular expression: {error}') from None

    def matches(self, url: str) -> bool:
        """Whether an absolute address fits."""
        if self._in_path:
            start = url.find("/", url.find("://") + 3)
            url = url[start:] if start > 0 else "/"
        return self._found(url) is not None


class Territory:
    """What lies inside a crawl.

    Args:
        starts: the addresses at which it begins.
        scope: ``host``: their hosts; ``domain``: their domains with all subdomains; ``listed``: ``domains``;
            ``anywhere``.
        domains: further domains, with their subdomains.
    """

    def __init__(self, starts: Iterable[str], scope: Scope, domains: Iterable[str] = ()) -> None:
        hosts = {host_of(url) for url in starts}
        self._anywhere = scope == "anywhere"
        self._hosts = hosts if scope == "host" else set()
        self._domains = {domain_of(host) for host in hosts} if scope == "domain" else set()
        self._listed = tuple(name.lower().lstrip(".") for name in domains)

    def admit(self, host: str) -> None:
        """Pages of a host belong to it from now on."""
        self._hosts.add(host)

    def holds(self, host: str) -> bool:
        """Whether pages of a host belong to it."""
        if self._anywhere or host in self._hosts or (self._domains and domain_of(host) in self._domains):
            return True
        name = name_of(host)
        return any(one in (name, host) or name.endswith(f".{one}") for one in self._listed)


class Traps:
    """Finds addresses that pages make without end.

    Args:
        variants: most addresses that differ in their query alone.
        today: for calendars.
    """

    def __init__(self, variants: int, today: dt.date) -> None:
        self._variants = variants
        self._last_year = today.year + YEARS_AHEAD
        self._queries: Counter[int] = Counter()

    def reason(self, url: str) -> str | None:
        """Why an address is not visited; None: it is none. Each address is to be asked for once."""
        if len(url) > LONGEST:
            return f"longer than {LONGEST:,} characters"
        parts = urlsplit(url)
        segments = [part for part in parts.path.split("/") if part]
        if len(segments) > MOST_SEGMENTS or _repeats(segments):
            return "a path that repeats itself"
        if parts.query and parts.query.count("&") >= MOST_PARAMETERS // 2:
            names = Counter(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
            if names.total() > MOST_PARAMETERS or max(names.values(), default=0) > REPEATS:
                return "a query that grows"
        where = f"{parts.path}?{parts.query}"
        if _DATE_WORD.search(where) and any(int(year) > self._last_year for year in _DATE.findall(where)):
            return "a calendar's future"
        if parts.query:
            path = hash((parts.netloc, parts.path))
            self._queries[path] += 1
            if self._queries[path] > self._variants:
                return f"more than {self._variants:,} queries of one path"
        return None


def is_no_page(path: str) -> bool:
    """Whether a path ends as a file that is no web page."""
    name = path.rpartition("/")[2]
    return "." in name and name.rpartition(".")[2].lower() in NO_PAGES


def _repeats(segments: list[str]) -> bool:
    """Whether one to three parts of a path follow themselves more often than pages mean it."""
    for width in (1, 2, 3):
        needed = REPEATS * width
        for start in range(len(segments) - needed):
            block = segments[start : start + width]
            if all(segments[start + n * width : start + (n + 1) * width] == block for n in range(REPEATS + 1)):
                return True
    return len(segments) > 8 and max(Counter(segments).values()) > 4  # noqa: PLR2004 - /a/b/a/c/a/...
