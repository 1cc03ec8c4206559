"""What is marked in all views of a page: items, values, and the element that was chosen."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from etl_studio.ui.workshop.listing import Listing


class Marks(QObject):
    """One truth for tree, source and text.

    Attributes:
        items: numbers of the elements that are items, in the order of the page.
        values: numbers of those that the selector in hand takes.
        current: the element that was chosen.

    Signals:
        changed: something else is marked.
        current_changed: another element was chosen; its number.
    """

    changed = Signal()
    current_changed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.items: Sequence[int] = ()
        self.values: Sequence[int] = ()
        self.current: int | None = None
        self._items: frozenset[int] = frozenset()
        self._values: frozenset[int] = frozenset()

    def mark(self, items: Iterable[int], values: Iterable[int]) -> None:
        """Mark other elements."""
        items, values = tuple(items), tuple(sorted(values))
        if (items, values) != (self.items, self.values):
            self.items, self.values = items, values
            self._items, self._values = frozenset(items), frozenset(values)
            self.changed.emit()

    def choose(self, number: int | None) -> None:
        """Choose an element."""
        if number != self.current:
            self.current = number
            self.changed.emit()
            if number is not None:
                self.current_changed.emit(number)

    def clear(self) -> None:
        """Another page has come."""
        self.current = None
        self.mark((), ())
        self.changed.emit()

    def is_item(self, number: int) -> bool:
        """Whether an element is an item."""
        return number in self._items

    def is_value(self, number: int) -> bool:
        """Whether an element is taken by the selector in hand."""
        return number in self._values

    def places_in(self, listing: Listing, numbers: Sequence[int], start: int, end: int) -> Iterator[tuple[int, int]]:
        """The characters of marked elements that a row shows; both follow the order of the page."""
        first = bisect_left(numbers, start, key=lambda number: (listing.place(number) or (0, 0))[1])
        for number in numbers[max(first - 1, 0) :]:
            place = listing.place(number)
            if place is None or place[1] <= start:
                continue
            if place[0] >= end:
                return
            yield place
