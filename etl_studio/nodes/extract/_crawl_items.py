"""From pages to rows: which items a page holds and what their fields are, compiled once."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError
from etl_studio.nodes.extract._crawl_addresses import Pattern
from etl_studio.nodes.extract._item_walk import ItemWalk, simple
from etl_studio.nodes.extract._selectors import MOST_NESTED, Selector, is_nested
from etl_studio.nodes.extract._structured_data import (
    find_in,
    is_of_type,
    json_ld,
    microdata_items,
    microdata_value,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from etl_studio import sdk
    from etl_studio.nodes.extract._html_page import HtmlPage

JSON_LD, MICRODATA = "jsonld:", "microdata:"


class PageFacts:
    """A page with what several fields ask of it.

    Attributes:
        page: the page.
        depth: links from a start address.
        fetched: when it came, in UTC.
        parent: address of the page that led to it.
    """

    def __init__(self, page: HtmlPage, depth: int, fetched: dt.datetime, parent: str | None) -> None:
        self.page, self.depth, self.fetched, self.parent = page, depth, fetched, parent

    @cached_property
    def objects(self) -> list[dict[str, Any]]:
        """The objects of its JSON-LD."""
        return json_ld(self.page)


def field_of(text: str) -> Callable[[Any, PageFacts], str | None]:
    """What finds the value of a field in an item.

    Args:
        text: a selector; ``jsonld:`` and a path of keys; or ``microdata:`` and a path of properties.

    Raises:
        ValueError: it is none of them.
    """
    if text.startswith(JSON_LD):
        path = _path(text, JSON_LD)
        return lambda item, facts: find_in(item, path) if isinstance(item, dict) else find_in(facts.objects, path)
    if text.startswith(MICRODATA):
        path = _path(text, MICRODATA)
        return lambda item, facts: microdata_value(
            facts.page.root if isinstance(item, dict) else item, path, facts.page.base
        )
    find = Selector(text).first
    return lambda item, facts: find(facts.page.root if isinstance(item, dict) else item, facts.page.base)


def item_of(text: str) -> Callable[[PageFacts], Sequence[Any]]:
    """What finds the items of a page: elements, or objects of its JSON-LD.

    Args:
        text: a selector; ``jsonld:`` or ``microdata:`` and the name of a type; empty: the page itself.

    Raises:
        ValueError: it is none of them.
    """
    if not text:
        return lambda facts: [facts.page.root]
    if text.startswith(JSON_LD):
        name = text.removeprefix(JSON_LD).strip()
        return lambda facts: [each for each in facts.objects if not name or is_of_type(each, name)]
    if text.startswith(MICRODATA):
        kind = text.removeprefix(MICRODATA).strip()
        return lambda facts: microdata_items(facts.page, kind)
    find = Selector(text).elements
    return lambda facts: find(facts.page.root)


class ItemType:
    """One kind of item.

    Args:
        name: what rows say of it; empty: they do not.
        match: pattern of the addresses of its pages; empty: all.
        item: selector of its items; empty: the page.
        fields: selectors by name.

    Attributes:
        hits: how many items had each field.
        items: how many there were.
        pages: pages that it was looked for on.
    """

    def __init__(self, name: str, match: str, item: str, fields: Mapping[str, str]) -> None:
        self.name, self.item, self.selectors = name, item, dict(fields)
        self._match = Pattern(match) if match else None
        self._find = item_of(item)
        walked = [
            (at, found, Selector(text))
            for at, text in enumerate(fields.values())
            if item and not item.startswith(JSON_LD) and (found := simple(text)) is not None
        ]
        self._walk = ItemWalk(walked) if walked else None
        self._by_path = [
            (at, field_of(text))
            for at, text in enumerate(fields.values())
            if at not in {place for place, _, _ in walked}
        ]
        self.hits: Counter[str] = Counter()
        self.items = 0
        self.pages = 0

    def take(self, facts: PageFacts, into: Rows) -> int:
        """Put the items of a page into columns; how many there were.

        Raises:
            PermanentError: the items stand in each other without end, or a selector cannot be used.
        """
        page = facts.page
        if self._match is not None and not self._match.matches(page.url):
            return 0
        self.pages += 1
        items = self._find(facts)
        if len(items) > MOST_NESTED and not isinstance(items[0], dict) and is_nested(list(items)):
            raise PermanentError(
                f"The items on {page.shown} stand in each other, more than {MOST_NESTED} deep.",
                hint="Its tags are never closed, or the selector is wrong.",
                column="item",
                value=self.item,
            )
        count = 0
        names, hits = list(self.selectors), self.hits
        columns = [into.columns[name] for name in names]
        for item in items:
            values: list[str | None] = [None] * len(names)
            if self._walk is not None:
                self._walk.fill(values, item, page.base)
            for at, find_value in self._by_path:
                values[at] = find_value(item, facts)
            if not self.item and not any(values):
                continue
            for name, column, value in zip(names, columns, values, strict=True):
                column.append(value)
                if value is not None:
                    hits[name] += 1
            count += 1
        self.items += count
        into.filled(count, facts, self)
        return count

    def conclude(self, context: sdk.RunContext, title: str) -> None:
        """Tell what matched nothing.

        Args:
            context: the run.
            title: of the last page, which tells of a sign-in or a robot check.
        """
        of = f' of "{self.name}"' if self.name else ""
        pages = f"{self.pages:,} page{'s' if self.pages != 1 else ''}"
        if not self.pages:
            context.log("warning", f"No page has an address that the items{of} match.")
        elif not self.items:
            what = f'The item selector "{self.item}"' if self.item else "The fields' selectors"
            context.log(
                "warning",
                f"{what}{of} matched nothing on {pages}; the title of the last one is {title!r}. The site may have "
                "changed, want a sign-in, or fill its pages by script.",
            )
        else:
            for name, text in self.selectors.items():
                if not self.hits[name]:
                    context.log("warning", f'The field "{name}"{of} ({text}) matched nothing in {self.items:,} items.')

    def rates(self) -> dict[str, float]:
        """The share of the items that have each field."""
        return {name: self.hits[name] / self.items for name in self.selectors} if self.items else {}


class Rows:
    """The rows of some pages, column by column.

    Args:
        names: of the fields of all item types.
        typed: whether rows tell their item type.
        parents: whether rows tell the page that led to theirs.
    """

    def __init__(self, names: Sequence[str], *, typed: bool, parents: bool) -> None:
        self._names, self._typed, self._parents = tuple(names), typed, parents
        self._clear()

    def _clear(self) -> None:
        self.columns: dict[str, list[str | None]] = {name: [] for name in self._names}
        self._types: list[str] = []
        self._pages: list[tuple[int, PageFacts]] = []
        self.count = 0

    def filled(self, count: int, facts: PageFacts, kind: ItemType) -> None:
        """An item type has appended so many values to the columns of its fields."""
        if not count:
            return
        self.count += count
        self._pages.append((count, facts))
        if self._typed:
            self._types += [kind.name] * count
        for name, column in self.columns.items():
            if name not in kind.selectors:
                column.extend([None] * count)

    def taken(self) -> dict[str, list[Any]]:
        """All columns, as lists of equal length; it is empty afterwards."""
        counts = self._pages
        columns: dict[str, list[Any]] = {"_type": self._types} if self._typed else {}
        columns |= self.columns
        columns["_url"] = [facts.page.shown for count, facts in counts for _ in range(count)]
        columns["_depth"] = [facts.depth for count, facts in counts for _ in range(count)]
        columns["_fetched_at"] = [facts.fetched for count, facts in counts for _ in range(count)]
        if self._parents:
            columns["_parent"] = [facts.parent for count, facts in counts for _ in range(count)]
        self._clear()
        return columns


def _path(text: str, prefix: str) -> str:
    path = text.removeprefix(prefix).strip()
    if not path or any(not part for part in path.split(".")):
        raise ValueError(f'"{text}" needs a path behind the colon, such as {prefix}offers.price')
    return path
