"""The JSON API of the demo shop: one collection in the four usual paginations, orders, search and two traps."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from etl_studio.demo.answers import Address, Answer, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from etl_studio.demo.goods import Goods

MOST = 500
"""Items that one page of the API may hold."""


class Api:
    """Answers the addresses below ``/api``."""

    def __init__(self, goods: Goods) -> None:
        self._products = [product.as_json() for product in goods.products]
        self._orders = list(goods.orders)
        self._routes: dict[str, Callable[[Address], Answer]] = {
            "/api/products": lambda address: _pages(self._products, address),
            "/api/orders": lambda address: _pages(self._orders, address),
            "/api/offset": lambda address: _offsets(self._products, address),
            "/api/cursor": lambda address: _cursors(self._products, address),
            "/api/link": lambda address: _links(self._products, address),
            "/api/loop": lambda address: _loop(self._products, address),
            "/api/html": _html,
        }

    def answer(self, method: str, address: Address, body: bytes) -> Answer | None:
        """The answer to a request, or None where there is no such address."""
        try:
            if address.path == "/api/search":
                return self._search(method, address, body)
            route = self._routes.get(address.path)
            return route(address) if route else None
        except ValueError as error:
            return json_answer({"error": {"message": str(error)}}, 400)

    def _search(self, method: str, address: Address, body: bytes) -> Answer:
        if method != "POST":
            return json_answer({"error": {"message": "Search by POST."}}, 405, Allow="POST")
        asked = json.loads(body or b"{}")
        if not isinstance(asked, dict):
            raise ValueError("The body must be a JSON object.")  # noqa: TRY004 - every wrong request is a ValueError
        words = str(asked.pop("query", "")).casefold()
        found = [product for product in self._products if words in product["name"].casefold()]
        return _pages(
            found, Address(address.path, {**address.query, **{key: str(value) for key, value in asked.items()}})
        )


def _pages(items: Sequence[Any], address: Address) -> Answer:
    page, size = address.number("page", 1), address.number("per_page", 20, most=MOST)
    found = items[(page - 1) * size : page * size]
    more = page * size < len(items)
    return json_answer(
        {"data": {"items": found}, "page": page, "per_page": size, "total": len(items), "has_more": more}
    )


def _offsets(items: Sequence[Any], address: Address) -> Answer:
    offset, limit = address.number("offset", 0, least=0), address.number("limit", 20, most=MOST)
    return json_answer({"items": items[offset : offset + limit], "offset": offset, "limit": limit, "total": len(items)})


def _cursors(items: Sequence[Any], address: Address) -> Answer:
    limit = address.number("limit", 20, most=MOST)
    start = _position(address.query.get("cursor", ""))
    end = start + limit
    following = base64.urlsafe_b64encode(f"after:{end}".encode()).decode() if end < len(items) else None
    return json_answer({"items": items[start:end], "next_cursor": following})


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("after:"))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError("The cursor is none of ours.") from error


def _links(items: Sequence[Any], address: Address) -> Answer:
    page, size = address.number("page", 1), address.number("per_page", 20, most=MOST)
    last = max(1, -(-len(items) // size))
    links = [f'<{address.with_query(page=1)}>; rel="first"', f'<{address.with_query(page=last)}>; rel="last"']
    if page < last:
        links.insert(0, f'<{address.with_query(page=page + 1)}>; rel="next"')
    return json_answer(items[(page - 1) * size : page * size], Link=", ".join(links))


def _loop(items: Sequence[Any], address: Address) -> Answer:
    here = address.with_query() if address.query else address.path
    return json_answer(
        {"items": items[:20], "next": here, "next_cursor": "again", "has_more": True}, Link=f'<{here}>; rel="next"'
    )


def _html(address: Address) -> Answer:
    del address
    return Answer(body=b"<!doctype html><title>Sign in</title><h1>Please sign in</h1><p>Your session has ended.")
