"""An API in memory that cuts its items into pages in any of the usual ways, and can misbehave."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from etl_studio import sdk
from etl_studio.errors import TransientError
from tests.nodes.extract.read_ahead import read_ahead

URL = "http://api.example/things"


@dataclass
class PagedApi:
    """Answers requests; as a client of a node it tries again what fails, as a policy would.

    Args:
        count: how many items there are, ``{"id": 0}`` and so on.
        size: items of a page.
        style: how it pages; one of ``STYLES``.
        fails: how often each page (from 1) fails before it answers.
        attempts: how often a request is sent.
    """

    count: int
    size: int
    style: str
    fails: dict[int, int] = field(default_factory=dict)
    attempts: int = 4
    sent: list[sdk.HttpRequest] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def send(self, request):
        return self.read(request, lambda response: None)[0]

    def read_many(self, requests, parse, *, concurrency):
        return read_ahead(self, requests, parse, concurrency)

    def read(self, request, parse):
        for attempt in range(1, self.attempts + 1):
            try:
                response = self.answer(request)
                return response, parse(response)
            except TransientError:
                if attempt == self.attempts:
                    raise
        raise AssertionError

    def answer(self, request):
        self.sent.append(request)
        query = {**dict(parse_qsl(urlsplit(request.url).query)), **request.params, **(request.body or {})}
        start = STYLES[self.style].place(self, {**query, **request.headers})
        page = -(-start // self.size) + 1
        self.pages.append(page)
        self.starts.append(start)
        if self.fails.get(page, 0) > 0:
            self.fails[page] -= 1
            raise TransientError("It failed.", status=503)
        items = [{"id": number} for number in range(start, min(start + self.size, self.count))]
        body, headers = STYLES[self.style].answer(self, items, start)
        return sdk.HttpResponse(request.url, 200, headers, json.dumps(body).encode())


class Style:
    """One way of paging.

    Attributes:
        settings: what reads it.
        extra: further requests behind the last page with items, which only an empty page tells of.
    """

    def __init__(self, settings, place, answer, *, extra=False, items="items", **node):
        self.settings = settings
        self.place = place
        self.answer = answer
        self.extra = extra
        self.node = {"items": items, **node}


def by_page(api, query, name="page", first=1):
    return (int(query.get(name, first)) - first) * api.size


def by_offset(api, query):
    return int(query.get("offset", 0))


def by_cursor(api, query, name="cursor"):
    return int(str(query.get(name, "c0"))[1:])


def more(api, start):
    return start + api.size < api.count


def cursor(api, start):
    return f"c{start + api.size}" if more(api, start) else None


def posted(api, query):
    return by_cursor(api, query.get("variables", {}), "after")


def linked(api, start):
    target = f"{URL}?{urlencode({'page': start // api.size + 2})}"
    return target if more(api, start) else None


COUNTED = {"kind": "page"}
STYLES = {
    "page until empty": Style(COUNTED, by_page, lambda api, items, start: ({"items": items}, {}), extra=True),
    "page from 0": Style(
        {"kind": "page", "start": 0, "has_more": "more"},
        lambda api, query: by_page(api, query, first=0),
        lambda api, items, start: ({"items": items, "more": more(api, start)}, {}),
    ),
    "page with has_more": Style(
        {"kind": "page", "has_more": "has_more"},
        by_page,
        lambda api, items, start: ({"items": items, "has_more": more(api, start), "page": start // api.size + 1}, {}),
    ),
    "page with total": Style(
        {"kind": "page", "total": "meta.total"},
        by_page,
        lambda api, items, start: ({"items": items, "meta": {"total": api.count, "page": start // api.size + 1}}, {}),
    ),
    "page with number of pages": Style(
        {"kind": "page", "total": "total_pages", "total_of": "pages"},
        by_page,
        lambda api, items, start: (
            {"items": items, "total_pages": -(-api.count // api.size), "current_page": start // api.size + 1},
            {},
        ),
    ),
    "page with total in a header": Style(
        {"kind": "page", "total": "X-Total-Count", "total_in": "header"},
        by_page,
        lambda api, items, start: (items, {"x-total-count": str(api.count)}),
        items="",
    ),
    "offset with total": Style(
        {"kind": "offset", "total": "total"},
        by_offset,
        lambda api, items, start: ({"items": items, "offset": start, "total": api.count}, {}),
    ),
    "offset until empty": Style(
        {"kind": "offset"}, by_offset, lambda api, items, start: ({"items": items}, {}), extra=True
    ),
    "cursor": Style(
        {"kind": "cursor"},
        by_cursor,
        lambda api, items, start: ({"items": items, "next_cursor": cursor(api, start)}, {}),
    ),
    "cursor and has_more": Style(
        {"kind": "cursor", "cursor": "page.after", "cursor_param": "after", "has_more": "page.has_more"},
        lambda api, query: by_cursor(api, query, "after"),
        lambda api, items, start: (
            {"items": items, "page": {"after": f"c{start + api.size}", "has_more": more(api, start)}},
            {},
        ),
    ),
    "cursor in a header": Style(
        {"kind": "cursor", "cursor": "X-Next-Cursor", "found_in": "header"},
        by_cursor,
        lambda api, items, start: (
            {"items": items},
            {"x-next-cursor": cursor(api, start)} if more(api, start) else {},
        ),
    ),
    "cursor sent in a header": Style(
        {"kind": "cursor", "cursor_param": "X-Cursor", "send_in": "header"},
        lambda api, query: by_cursor(api, query, "X-Cursor"),
        lambda api, items, start: ({"items": items, "next_cursor": cursor(api, start)}, {}),
    ),
    "last item": Style(
        {
            "kind": "cursor",
            "cursor": "id",
            "found_in": "last_item",
            "cursor_param": "starting_after",
            "has_more": "more",
        },
        lambda api, query: int(query.get("starting_after", -1)) + 1,
        lambda api, items, start: ({"items": items, "more": more(api, start)}, {}),
    ),
    "graphql": Style(
        {
            "kind": "cursor",
            "cursor": "data.things.pageInfo.endCursor",
            "cursor_param": "variables.after",
            "has_more": "data.things.pageInfo.hasNextPage",
            "send_in": "body",
        },
        posted,
        lambda api, items, start: (
            {
                "data": {
                    "things": {
                        "nodes": items,
                        "pageInfo": {"endCursor": f"c{start + api.size}", "hasNextPage": more(api, start)},
                    }
                }
            },
            {},
        ),
        items="data.things.nodes",
        method="POST",
        body={"query": "query ($after: String) { things }", "variables": {"first": 5}},
    ),
    "link header": Style(
        {"kind": "link"},
        by_page,
        lambda api, items, start: (items, {"link": f'<{linked(api, start)}>; rel="next"'} if more(api, start) else {}),
        items="",
    ),
    "next address": Style(
        {"kind": "link", "next": "links.next"},
        by_page,
        lambda api, items, start: ({"items": items, "links": {"next": linked(api, start)}}, {}),
    ),
    "next address in a header": Style(
        {"kind": "link", "next": "X-Next", "found_in": "header"},
        by_page,
        lambda api, items, start: (items, {"x-next": linked(api, start)} if more(api, start) else {}),
        items="",
    ),
}
GUESSABLE = [
    name for name, style in STYLES.items() if name not in
    {"page until empty", "page from 0", "offset until empty", "cursor sent in a header", "last item"}
]  # fmt: skip
