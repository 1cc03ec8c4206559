"""What a page says about itself for machines: JSON-LD and microdata (https://schema.org)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from etl_studio.nodes.extract._selectors import resolved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etl_studio.nodes.extract._html_page import HtmlPage

MOST_OBJECTS = 10_000
"""Of one page."""
DEEPEST = 32


def json_ld(page: HtmlPage) -> list[dict[str, Any]]:
    """The objects in a page's JSON-LD, those in lists, in ``@graph`` and inside other objects included."""
    found: list[dict[str, Any]] = []
    for script in page.root.iter("script"):
        if (script.get("type") or "").partition(";")[0].strip().lower() != "application/ld+json":
            continue
        try:
            value = json.loads((script.text or "").strip(" \t\r\n;"), strict=False)
        except (ValueError, RecursionError):
            continue
        for each in _objects(value, 0):
            found.append(each)
            if len(found) >= MOST_OBJECTS:
                return found
    return found


def is_of_type(value: dict[str, Any], name: str) -> bool:
    """Whether an object of JSON-LD has a type, with or without the address of its vocabulary."""
    types = value.get("@type")
    texts = types if isinstance(types, list) else [types]
    return any(isinstance(text, str) and _last(text) == name for text in texts)


def find_in(value: Any, path: str) -> str | None:
    """The first text at a path of keys with dots between; a list on the way is looked through."""
    for each in _values(value, path.split(".")):
        if isinstance(each, bool):
            return "true" if each else "false"
        if isinstance(each, dict | list):
            return json.dumps(each, ensure_ascii=False)
        if each is not None and (text := " ".join(str(each).split())):
            return text
    return None


def microdata_items(page: HtmlPage, name: str) -> list[Any]:
    """The elements that are items of a type; empty: of any."""
    items = page.root.iterfind(".//*[@itemscope]")
    return [item for item in items if not name or any(_last(one) == name for one in item.get("itemtype", "").split())]


def microdata_value(item: Any, path: str, base: str) -> str | None:
    """The first value of a property of an item; ``offers.price`` is a property of the item in a property."""
    places = [item]
    for name in path.split("."):
        places = [found for place in places for found in _properties(place, name)]
    for place in places:
        if text := _content(place, base):
            return text
    return None


def _objects(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _objects(each, depth + 1)
    elif isinstance(value, dict):
        if "@type" in value or depth == 0:
            yield value
        for each in value.values():
            if isinstance(each, dict | list):
                yield from _objects(each, depth + 1)


def _values(value: Any, keys: list[str]) -> Iterator[Any]:
    if isinstance(value, list) and keys:
        for each in value:
            yield from _values(each, keys)
    elif not keys:
        yield value
    elif isinstance(value, dict) and keys[0] in value:
        yield from _values(value[keys[0]], keys[1:])


def _properties(item: Any, name: str) -> Iterator[Any]:
    """Elements that are a property of an item itself, not of an item inside it."""
    for element in item.iterdescendants():
        if name in (element.get("itemprop") or "").split():
            owner = next((outer for outer in element.iterancestors() if outer.get("itemscope") is not None), None)
            if owner is item or (owner is None and item.get("itemscope") is None):
                yield element


def _content(element: Any, base: str) -> str:
    for name in ("content", "datetime"):
        if (text := element.get(name)) is not None:
            return " ".join(text.split())
    for name in ("href", "src", "data"):
        if element.get(name) and element.tag in {"a", "area", "link", "img", "audio", "video", "source", "object"}:
            return resolved(base, element.get(name).strip())
    return " ".join("".join(element.itertext()).split())


def _last(address: str) -> str:
    return address.rstrip("/#").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]
