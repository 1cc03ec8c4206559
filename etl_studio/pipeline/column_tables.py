"""Columns and the tables that have them, as far as they are known without a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


OUTSIDE = ("outside",)
"""Place of a column that comes into a source under its name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column inside of a node.

    Attributes:
        port: the input by which it arrives; empty: the node makes it.
        name: as it is compared, in small letters.
        place: where the node makes it, which tells apart columns of one name.
    """

    port: str
    name: str
    place: tuple[str, ...] = ()


class Arriving:
    """The columns that arrive by an input.

    Args:
        port: the input; empty: a source gets them from outside.
        names: those that are known.
        complete: whether there are no others.
    """

    def __init__(self, port: str, names: Iterable[str] = (), *, complete: bool = False) -> None:
        self.port, self._place = port, () if port else OUTSIDE
        self.names = {name.lower(): name for name in names}
        self.complete = complete

    def has(self, name: str) -> bool | None:
        """Whether it has a column; None: nobody knows."""
        return True if name.lower() in self.names else False if self.complete else None

    def find(self, name: str) -> tuple[Column, ...]:
        """What a name means here."""
        return () if self.has(name) is False else (Column(self.port, name.lower(), self._place),)

    def learn(self, name: str) -> None:
        """A column that must be there, since something uses it; where all are known, it is a mistake."""
        if not self.complete:
            self.names.setdefault(name.lower(), name)

    def leaving(self, column: Column) -> Iterator[str]:
        """The names under which a column is in it."""
        if (column.port, column.place) == (self.port, self._place) and self.has(column.name) is not False:
            yield self.names.get(column.name, column.name)

    def named(self) -> Iterator[str]:
        """The names that are known."""
        yield from self.names.values()


@dataclass(slots=True)
class Star:
    """All columns of a table but some (in small letters)."""

    table: Table
    without: frozenset[str] = frozenset()


@dataclass(slots=True)
class Made:
    """A table that a node or a query makes.

    Attributes:
        columns: name as written and what it may stand for, by the name in small letters.
        stars: tables whose columns it has, too; a column of its own covers theirs.
    """

    columns: dict[str, tuple[str, tuple[Column, ...]]] = field(default_factory=dict)
    stars: list[Star] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all columns are known."""
        return all(star.table.complete for star in self.stars)

    def add(self, name: str, columns: tuple[Column, ...]) -> None:
        """Give it a column; the first of a name counts."""
        self.columns.setdefault(name.lower(), (name, columns))

    def has(self, name: str) -> bool | None:
        """Whether it has a column; None: nobody knows."""
        if name.lower() in self.columns:
            return True
        answers = [star.table.has(name) for star in self.stars if name.lower() not in star.without]
        return True if True in answers else None if None in answers else False

    def find(self, name: str) -> tuple[Column, ...]:
        """What a name means here."""
        if name.lower() in self.columns:
            return self.columns[name.lower()][1]
        return look_up([star.table for star in self.stars if name.lower() not in star.without], name)

    def learn(self, name: str) -> None:
        """A column that must be there; where it comes from is only sure if there is one table."""
        tables = [star.table for star in self.stars if name.lower() not in star.without]
        if name.lower() not in self.columns and len(tables) == 1:
            tables[0].learn(name)

    def leaving(self, column: Column) -> Iterator[str]:
        """The names under which a column is in it."""
        yield from (name for name, columns in self.columns.values() if column in columns)
        for star in self.stars:
            for name in star.table.leaving(column):
                if name.lower() not in star.without and name.lower() not in self.columns:
                    yield name

    def named(self) -> Iterator[str]:
        """The names that are known."""
        yield from (name for name, _ in self.columns.values())
        for star in self.stars:
            for name in star.table.named():
                if name.lower() not in star.without and name.lower() not in self.columns:
                    yield name


Table = Arriving | Made


def look_up(tables: Iterable[Table], name: str) -> tuple[Column, ...]:
    """What a name may stand for where several tables are in sight: those that have it, or else those that may."""
    answers = [(table, table.has(name)) for table in tables]
    chosen = [table for table, has in answers if has] or [table for table, has in answers if has is None]
    return tuple(dict.fromkeys(column for table in chosen for column in table.find(name)))
