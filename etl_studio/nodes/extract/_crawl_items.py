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
        columns: names of the fields of all kinds, in the order of a row; by default those of this one.

    Attributes:
        misses: how many items lacked each field.
        items: how many there were.
        pages: pages that it was looked for on.
    """

    def __init__(
        self,
        name: str,
        match: str,
        item: str,
        fields: Mapping[str, str],
        columns: Sequence[str] | None = None,
    ) -> None:
        self.name, self.item, self.selectors = name, item, dict(fields)
        columns = list(columns or fields)
        self._width = len(columns)
        self._places = {field: columns.index(field) for field in fields}
        self._match = Pattern(match) if match else None
        self._find = item_of(item)
        # An object of JSON-LD has no elements.
        simples = {} if item.startswith(JSON_LD) else {field: simple(text) for field, text in fields.items()}
        walked = [
            (self._places[field], found, Selector(fields[field]))
            for field, found in simples.items()
            if found is not None
        ]
        self._walk = ItemWalk(walked) if walked else None
        self._by_path = [
            (self._places[field], field_of(text)) for field, text in fields.items() if simples.get(field) is None
        ]
        self.misses: Counter[str] = Counter()
        self.items = 0
        self.pages = 0

    def take(self, facts: PageFacts, into: Rows) -> None:
        """Put the items of a page into rows.

        Raises:
            PermanentError: the items stand in each other without end, or a selector cannot be used.
        """
        page = facts.page
        if self._match is not None and not self._match.matches(page.url):
            return
        self.pages += 1
        items = self._find(facts)
        if len(items) > MOST_NESTED and not isinstance(items[0], dict) and is_nested(list(items)):
            raise PermanentError(
                f"The items on {page.shown} stand in each other, more than {MOST_NESTED} deep.",
                hint="Its tags are never closed, or the selector is wrong.",
                column="item",
                value=self.item,
            )
        rows: list[list[str | None]] = []
        width, by_path, base = self._width, self._by_path, page.base
        fill = self._walk.fill if self._walk is not None else None
        for item in items:
            values: list[str | None] = [None] * width
            if fill is not None:
                fill(values, item, base)
            for at, find_value in by_path:
                values[at] = find_value(item, facts)
            if None in values:
                if not self.item and not any(values):
                    continue
                for name, at in self._places.items():
                    if values[at] is None:
                        self.misses[name] += 1
            rows.append(values)
        self.items += len(rows)
        into.add(rows, facts, self.name)

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
                if self.misses[name] == self.items:
                    context.log("warning", f'The field "{name}"{of} ({text}) matched nothing in {self.items:,} items.')

    def rates(self) -> dict[str, float]:
        """The share of the items that have each field."""
        return {name: 1 - self.misses[name] / self.items for name in self.selectors} if self.items else {}


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
        self._rows: list[list[str | None]] = []
        self._types: list[str] = []
        self._pages: list[tuple[int, str, int, dt.datetime, str | None]] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._rows)

    def add(self, rows: list[list[str | None]], facts: PageFacts, kind: str) -> None:
        """Items of one kind from one page."""
        if rows:
            self._rows += rows
            # Not the page itself: a batch would hold a hundred of them.
            self._pages.append((len(rows), facts.page.shown, facts.depth, facts.fetched, facts.parent))
            if self._typed:
                self._types += [kind] * len(rows)

    def taken(self) -> dict[str, Sequence[Any]]:
        """All columns, of equal length; it is empty afterwards."""
        columns: dict[str, Sequence[Any]] = {"_type": self._types} if self._typed else {}
        found = zip(*self._rows, strict=True) if self._rows else ((),) * len(self._names)
        columns |= zip(self._names, found, strict=True)
        for at, name in enumerate(("_url", "_depth", "_fetched_at", "_parent"), 1):
            if name != "_parent" or self._parents:
                columns[name] = [page[at] for page in self._pages for _ in range(page[0])]
        self._clear()
        return columns


def _path(text: str, prefix: str) -> str:
    path = text.removeprefix(prefix).strip()
    if not path or any(not part for part in path.split(".")):
        raise ValueError(f'"{text}" needs a path behind the colon, such as {prefix}offers.price')
    return path
