"""Finds out from the first answer how an API cuts its items into pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.nodes.extract._pagination.counted import OffsetPagination, PagePagination
from etl_studio.nodes.extract._pagination.following import CursorPagination, LinkPagination, next_link
from etl_studio.nodes.extract._pagination.steps import End, Page, Pages, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEEPEST = 4
"""Objects into which facts about pages and items are looked for."""

_ITEMS = ("items", "data", "results", "records", "value", "values", "rows", "entries", "docs", "content", "list")
_NEXT = {"next", "nexturl", "nextlink", "nextpageurl", "nextpagelink", "nexthref", "odata.nextlink", "nexturi"}
_INSIDE_NEXT = {"href", "url", "link", "uri"}
_CURSORS = {
    "nextcursor", "endcursor", "nextpagetoken", "nexttoken", "continuationtoken", "nextcontinuationtoken",
    "continuation", "nextmarker", "nextpagecursor", "scrollid", "nextpageid", "nextafter", "bookmark", "cursornext",
    "afternext",
}  # fmt: skip
_CURSORS_INSIDE = {"after", "cursor", "token", "next", "nextcursor"}
_PARENTS = {
    "next",
    "cursors",
    "cursor",
    "paging",
    "pagination",
    "pageinfo",
    "meta",
    "page",
    "links",
    "responsemetadata",
}
_HAS_MORE = {"hasmore", "hasnext", "hasnextpage", "more", "moreavailable", "hasmoreitems", "morerecords"}
_TOTALS = {
    "total", "totalcount", "totalitems", "totalresults", "totalelements", "totalrecords", "numfound", "nbhits", "count",
    "recordcount", "odata.count", "totalrows", "totalhits", "itemcount",
}  # fmt: skip
_TOTAL_PAGES = {"totalpages", "pagecount", "lastpage", "nbpages", "pages", "numpages", "pagestotal"}
_PAGES = {"page", "currentpage", "pagenumber", "pageindex", "pagenum", "pageno", "number"}
_OFFSETS = {"offset", "skip", "start", "startat", "startindex", "from", "firstresult"}
_SIZES = {"limit", "perpage", "pagesize", "size", "maxresults", "take", "rows", "top", "count", "itemsperpage"}
_TOTAL_HEADERS = {"x-total-count": "items", "x-total": "items", "x-wp-total": "items", "x-total-pages": "pages"}
_NEXT_HEADERS = {
    "x-next-page": "page", "x-next-cursor": "cursor", "x-next-token": "token",
    "x-continuation-token": "continuationToken", "x-next-page-token": "page_token", "next-page-token": "page_token",
    "x-cursor": "cursor", "next-cursor": "cursor",
}  # fmt: skip
_WHOLE = re.compile(r"\d{1,9}")


class AutoPagination(Pages):
    """Found out from the first answer: Link header, next address, cursor, page number or offset.

    The log says what was found; a second page that holds the same items shows that it was wrong, and the next best
    guess is tried.
    """

    kind: Literal["auto"] = "auto"

    def after(self, page: Page) -> Step | End:
        """Nothing is known without a guess."""
        return End("nothing in the answer tells of further pages", _doubt(page))

    def guesses(self, page: Page, asked: Mapping[str, Any], body: Mapping[str, Any] | None) -> Iterator[Guess]:
        """What the first answer tells, the best guess first.

        Args:
            page: the first page.
            asked: the parameters with which it was asked for.
            body: what was posted for it.
        """
        found = _Evidence(page, asked, body)
        own = self.model_dump(exclude={"kind"}, exclude_defaults=True)
        for guess in found.guesses():
            yield Guess(guess.pagination.model_copy(update={**found.sent, **own}), guess.why)


@dataclass(frozen=True, slots=True)
class Guess:
    """How an API may cut its items into pages, and what tells so."""

    pagination: Pages
    why: str


def items_path(body: Any) -> str:
    """Where an answer most likely holds its items; empty: it is the list itself, or one item."""
    if not isinstance(body, dict):
        return ""
    lists = [(path, value) for path, value in _leaves(body) if isinstance(value, list)]
    full = [(path, value) for path, value in lists if value and all(isinstance(item, dict) for item in value)]

    def rank(found: tuple[str, list[Any]]) -> tuple[bool, int, int]:
        path, value = found
        return path.rpartition(".")[2].lower() not in _ITEMS, path.count("."), -len(value)

    named = [found for found in lists if not found[1] and not rank(found)[0]]
    return min(full or named, key=rank, default=("", []))[0]


class _Evidence:
    """Facts of one answer that may tell of pages."""

    def __init__(self, page: Page, asked: Mapping[str, Any], body: Mapping[str, Any] | None) -> None:
        self._page = page
        self._asked = asked
        self._posted = dict(_leaves(body)) if body else {}
        self._facts = [(path, value) for path, value in _leaves(page.body) if not isinstance(value, list)]
        self._total, self._total_of, self._total_in = self._find_total()
        posts = body is not None and not any(_plain(name) in _PAGES | _OFFSETS for name in asked)
        self.sent = {"send_in": "body"} if posts else {}

    def guesses(self) -> Iterator[Guess]:
        yield from self._links()
        yield from self._cursors()
        yield from self._counts()

    def _links(self) -> Iterator[Guess]:
        if next_link(self._page.headers.get("link", "")):
            yield Guess(LinkPagination(), "the Link header")
        for path, value in self._facts:
            name, parent = _plain(path), _plain(path.rpartition(".")[0])
            leads = name in _NEXT or (parent in _NEXT and name in _INSIDE_NEXT)
            if leads and isinstance(value, str) and value.startswith(("http://", "https://", "/", "?")):
                yield Guess(LinkPagination(next=path), f'the next address in "{path}"')
        for name, value in self._page.headers.items():
            if name.startswith("x-next") and value.startswith(("http://", "https://", "/")):
                yield Guess(LinkPagination(next=name, found_in="header"), f'the next address in the header "{name}"')

    def _cursors(self) -> Iterator[Guess]:
        for name, param in _NEXT_HEADERS.items():
            value = self._page.headers.get(name, "")
            if value and not value.startswith(("http://", "https://", "/")):
                sent = self._param(param)
                guess = CursorPagination(cursor=name, cursor_param=sent, found_in="header")
                yield Guess(guess, f'the header "{name}", sent as "{sent}"')
        has_more = self._path(_HAS_MORE)
        for path, value in self._facts:
            name, parent = _plain(path), _plain(path.rpartition(".")[0])
            leads = name in _CURSORS or (parent in _PARENTS and name in _CURSORS_INSIDE)
            if leads and value and isinstance(value, str | int) and not isinstance(value, bool):
                if has_more and self._fact(has_more) is False:
                    continue
                sent = self._param(_asks_with(path))
                guess = CursorPagination(cursor=path, cursor_param=sent, has_more=has_more)
                yield Guess(guess, f'the cursor in "{path}", sent as "{sent}"')

    def _counts(self) -> Iterator[Guess]:
        has_more = self._path(_HAS_MORE)
        rest = {"has_more": has_more, "total": self._total, "total_of": self._total_of, "total_in": self._total_in}
        if not has_more and not self._total:
            rest = {}
        if self._ended(has_more):
            return
        size_param, size = self._number(_SIZES, asked_only=True)
        size_facts = {"size_param": size_param, "size": max(1, size)} if size_param else {}
        offset, start = self._number(_OFFSETS)
        page, first = self._number(_PAGES)
        if offset and (not page or offset in self._names()):
            sized = size_facts or {"size_param": ""}
            yield Guess(OffsetPagination(offset_param=offset, start=start, **rest, **sized), f'the offset "{offset}"')
        if page:
            yield Guess(PagePagination(page_param=page, start=first, **rest, **size_facts), f'the page "{page}"')
        if not offset and not page and (rest or self._looks_cut()):
            why = f'"{self._total or has_more}" tells of more' if rest else "as many items as a page may have"
            if not rest:
                return
            yield Guess(PagePagination(**rest, **size_facts), f'{why}; "page" is tried')
            sized = size_facts or {"size_param": ""}
            yield Guess(OffsetPagination(**rest, **sized), f'{why}; "offset" is tried')

    def _ended(self, has_more: str) -> bool:
        if has_more:
            return not self._fact(has_more)
        if not self._total:
            return not self._page.items
        total = int(self._page.headers[self._total] if self._total_in == "header" else self._fact(self._total))
        return total <= (len(self._page.items) if self._total_of == "items" else 1)

    def _find_total(self) -> tuple[str, str, str]:
        for name, kind in _TOTAL_HEADERS.items():
            if _WHOLE.fullmatch(self._page.headers.get(name, "")):
                return name, kind, "header"
        for names, kind in ((_TOTAL_PAGES, "pages"), (_TOTALS, "items")):
            for path, value in self._facts:
                least = 1 if kind == "pages" else len(self._page.items)
                # A count that is just that of this page tells of nothing.
                whole = isinstance(value, int) and not isinstance(value, bool) and value >= least
                if whole and _plain(path) in names and not (_plain(path) == "count" and value == least):
                    return path, kind, "body"
        return "", "items", "body"

    def _number(self, names: set[str], *, asked_only: bool = False) -> tuple[str, int]:
        """Name of a parameter and its value on the first page: as it was asked for, or as the answer repeats it."""
        for name, value in (*self._asked.items(), *self._posted.items()):
            if _plain(name) in names and _WHOLE.fullmatch(str(value)):
                return name, int(value)
        if asked_only:
            return "", 0
        for path, value in self._facts:
            if _plain(path) in names and isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1:
                return _asks_with(path), value
        return "", 0

    def _names(self) -> set[str]:
        return {*self._asked, *self._posted}

    def _param(self, likely: str) -> str:
        """A parameter of the request that is called so, however it is written; in a GraphQL body the one inside."""
        known = next((name for name in self._names() if _plain(name) == _plain(likely)), None)
        if known is not None:
            return known
        return f"variables.{likely}" if "query" in self._posted and self._posts_graphql() else likely

    def _posts_graphql(self) -> bool:
        return any(word in str(self._posted["query"]) for word in ("{", "query "))

    def _path(self, names: set[str]) -> str:
        found = (path for path, value in self._facts if _plain(path) in names and isinstance(value, bool))
        return next(found, "")

    def _fact(self, path: str) -> Any:
        return dict(self._facts)[path]

    def _looks_cut(self) -> bool:
        return _doubt(self._page) is not None


def _leaves(value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every value that is no object, with its path; lists are not entered."""
    if not isinstance(value, dict) or depth > DEEPEST:
        if path:
            yield path, value
        return
    for name, inner in value.items():
        yield from _leaves(inner, f"{path}.{name}" if path else name, depth + 1)


def _plain(path: str) -> str:
    """The last name of a path without what only spells it: ``meta.next_page`` is ``nextpage``."""
    name = path if path.startswith(("@odata.", "odata.")) else path.rpartition(".")[2]
    return re.sub(r"[_\-@$]", "", name).lower()


def _asks_with(path: str) -> str:
    """The parameter that most likely takes what is at a path: ``next_page_token`` goes into ``page_token``."""
    name = path.rpartition(".")[2]
    plain = _plain(path)
    if plain in _PAGES:
        return "page" if plain in ("currentpage", "number") else name
    if plain in ("next", "nextcursor", "cursornext"):
        return "cursor"
    if plain == "endcursor":
        return "after"
    shorter = re.sub(r"^next_?", "", name)
    return shorter[:1].lower() + shorter[1:] if shorter and plain != "nexttoken" else name


def _doubt(page: Page) -> str | None:
    count = len(page.items)
    if count >= 10 and count % 10 == 0:  # noqa: PLR2004 - how pages are cut
        return (
            f"There are exactly {count} items, which may be a page of more. Nothing in the answer tells how to ask for "
            "the next one: choose the kind of pages yourself."
        )
    return None
