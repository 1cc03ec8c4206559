"""Which columns the names in an SQL text stand for, by DuckDB's own syntax tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.column_tables import Column, Made, Star, Table, look_up
from etl_studio.pipeline.sql_tree import NOWHERE, syntax_tree
from etl_studio.pipeline.sql_words import Word, with_literals, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_ENDS = {
    "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "QUALIFY", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "USING",
}  # fmt: skip
"""Keywords behind a list of columns."""


@dataclass(frozen=True, slots=True)
class NameAt:
    """A name in a text, from ``start`` to ``end`` (characters).

    Attributes:
        name: without quotes.
        columns: what it stands for; several where that cannot be told.
        makes: the column gets its name here.
        prefix: what has to stand before a name that is put in (an alias that was not there).
    """

    start: int
    end: int
    name: str
    columns: tuple[Column, ...]
    makes: bool = False
    prefix: str = ""


@dataclass(slots=True)
class SqlColumns:
    """What a text does with columns.

    Attributes:
        names: in the order of the text.
        made: the columns that it gives.
        sources: what each column is computed from.
        same: columns that only are another name for the one source that they have.
        ties: columns that must have the same name.
        unnamed: places of computed columns that nobody has named: DuckDB calls them by their text.
        exact: False where a part could not be followed.
    """

    names: list[NameAt] = field(default_factory=list)
    made: Made = field(default_factory=Made)
    sources: dict[Column, set[Column]] = field(default_factory=dict)
    same: set[Column] = field(default_factory=set)
    ties: list[tuple[Column, ...]] = field(default_factory=list)
    unnamed: list[tuple[int, int]] = field(default_factory=list)
    exact: bool = True


def expression_columns(
    text: str,
    tables: Mapping[str, Table],
    place: tuple[str, ...] = (),
    aliases: Mapping[str, tuple[Column, ...]] | None = None,
) -> SqlColumns:
    """What one SQL expression does.

    Args:
        text: as written, with its ``${parameters}``.
        tables: those in sight, by name.
        place: where the text is, for the columns that it makes.
        aliases: names (in small letters) that other expressions have, for columns that the tables do not have.
    """
    opening = "SELECT (\n"
    reader = _Reader(f"{opening}{text}\n)", tables, place, shift=len(opening))
    statement = reader.statement()
    if statement is not None:
        reader.expression(statement["select_list"], _Scope(dict(tables), aliases=dict(aliases or {})))
    return reader.found()


def query_columns(text: str, tables: Mapping[str, Table], place: tuple[str, ...] = ()) -> SqlColumns:
    """What one SELECT does; arguments as for ``expression_columns``."""
    reader = _Reader(text, tables, place)
    statement = reader.statement()
    if statement is not None:
        reader.result.made = reader.query(statement, None)
    return reader.found()


@dataclass(slots=True)
class _Scope:
    """What names can mean at a place of a query."""

    tables: dict[str, Table]
    outer: _Scope | None = None
    aliases: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    aliases_first: bool = False


class _Reader:
    def __init__(self, text: str, tables: Mapping[str, Table], place: tuple[str, ...], shift: int = 0) -> None:
        self.text = with_literals(text)
        self.tables = {name.lower(): table for name, table in tables.items()}
        self.place, self.shift = place, shift
        self.result = SqlColumns()
        self.names: dict[tuple[int, int], NameAt] = {}
        self._bytes = None if self.text.isascii() else self.text.encode()
        self._with: list[dict[str, Table]] = []

    def statement(self) -> dict[str, Any] | None:
        """The tree of the only statement; None where the text is wrong."""
        tree = syntax_tree(self.text)
        if tree.get("error") or len(tree["statements"]) != 1:
            self.result.exact = False
            return None
        node: dict[str, Any] = tree["statements"][0]["node"]
        return node

    def found(self) -> SqlColumns:
        """All of it, seen from the text as it was given."""
        kept = sorted(self.names.values(), key=lambda name: name.start)
        shift = self.shift
        self.result.names = [
            NameAt(one.start - shift, one.end - shift, one.name, one.columns, one.makes, one.prefix) for one in kept
        ]
        self.result.unnamed = [(start - shift, end - shift) for start, end in self.result.unnamed]
        return self.result

    # -- queries ----------------------------------------------------------------------------------------------

    def query(self, node: dict[str, Any], outer: _Scope | None) -> Made:
        """The table that a query makes."""
        self._with.append({})
        try:
            for entry in node.get("cte_map", {}).get("map", ()):
                self._common_table(entry["key"], entry["value"], outer)
            kind = node["type"]
            if kind == "SELECT_NODE":
                return self._select(node, outer)
            if kind == "SET_OPERATION_NODE":
                return self._set_operation(node, outer)
            self.result.exact = False
            return Made()
        finally:
            self._with.pop()

    def _common_table(self, name: str, value: dict[str, Any], outer: _Scope | None) -> None:
        query = value.get("query_node") or value.get("query", {}).get("node")
        if value.get("aliases") or query is None:
            self.result.exact = False
        if query is not None:
            self._with[-1][name.lower()] = self.query(query, outer)

    def _set_operation(self, node: dict[str, Any], outer: _Scope | None) -> Made:
        children = node.get("children") or [node["left"], node["right"]]
        first, *others = [self.query(child, outer) for child in children]
        if "BY_NAME" in str(node.get("setop_type", "")) or node.get("setop_by_name"):
            for other in others:
                for name in first.named():
                    self._tie((*first.find(name), *other.find(name)))
        elif any(table.stars for table in (first, *others)):
            # By position: nobody knows which columns lie side by side, but all must be there.
            self.result.exact = self.result.exact and first.complete
        scope = _Scope({"": first}, outer, aliases_first=True)
        self.expression(node.get("modifiers"), scope)
        return first

    def _select(self, node: dict[str, Any], outer: _Scope | None) -> Made:
        scope = _Scope({}, outer)
        self._from(node["from_table"], scope)
        made = Made()
        items = node["select_list"]
        ends = self._item_ends(items)
        for number, item in enumerate(items):
            self._item(item, ends.get(number), scope, made)
        for part in ("where_clause", "group_expressions", "having", "qualify", "sample"):
            self.expression(node.get(part), scope)
        ordered = _Scope(scope.tables, outer, scope.aliases, aliases_first=True)
        self.expression(node.get("modifiers"), ordered)
        return made

    def _item(self, item: dict[str, Any], span: tuple[int, int] | None, scope: _Scope, made: Made) -> None:
        if item["class"] == "STAR":
            self._star(item, scope, made)
            return
        before = set(self.names)
        self.expression(item, scope)
        used = {column for place in self.names.keys() - before for column in self.names[place].columns}
        alias = item.get("alias") or ""
        if not alias and item["class"] == "COLUMN_REF":
            name = item["column_names"][-1]
            columns = self._meaning(item["column_names"], scope)[1]
            is_field = self._meaning(item["column_names"], scope)[0] != len(item["column_names"]) - 1
            if not is_field:
                made.add(name, columns)
                scope.aliases.setdefault(name.lower(), columns)
                return
            alias = name
        at = span or (0, 0)
        column = Column("", alias.lower(), (*self.place, f"#{len(self.result.sources)}"))
        self.result.sources[column] = used
        if item["class"] == "COLUMN_REF" and item.get("alias"):
            self.result.same.add(column)
        if not alias:
            self.result.unnamed.append(at)
            return
        made.add(alias, (column,))
        scope.aliases.setdefault(alias.lower(), (column,))
        if span is not None:
            self._alias(alias, span, column, written=bool(item.get("alias")))

    def _alias(self, alias: str, span: tuple[int, int], column: Column, *, written: bool) -> None:
        """Where a column of the list gets its name."""
        if not written:
            self._name(span[1], span[1], alias, (column,), makes=True, prefix=" AS ")
            return
        found = [word for word in words(self.text, *span) if word.is_name]
        first, last = found[0], found[-1]
        rest = self.text[first.end : span[1]].lstrip()
        if first.name == alias and rest.startswith(":") and not rest.startswith("::"):
            self._name(first.start, first.end, alias, (column,), makes=True)
        elif last.name == alias and last.end == span[1]:
            self._name(last.start, last.end, alias, (column,), makes=True)
        else:
            self.result.exact = False

    def _star(self, item: dict[str, Any], scope: _Scope, made: Made) -> None:
        if item.get("columns") or item.get("expr") is not None:
            self.result.exact = False
        wanted = item.get("relation_name", "").lower()
        tables = [table for name, table in scope.tables.items() if not wanted or name == wanted]
        excluded = [name.lower() for name in item.get("exclude_list", ())]
        excluded += [entry["column"].lower() for entry in item.get("qualified_exclude_list", ())]
        replaced = {entry["key"].lower(): entry["value"] for entry in item.get("replace_list", ())}
        renamed = {entry["key"]["column"].lower(): entry["value"] for entry in item.get("rename_list", ())}
        for name, value in replaced.items():
            before = set(self.names)
            self.expression(value, scope)
            column = Column("", name, (*self.place, f"replace {name}"))
            self.result.sources[column] = {c for p in self.names.keys() - before for c in self.names[p].columns}
            made.add(name, (column,))
        for name, new in renamed.items():
            column = Column("", new.lower(), (*self.place, f"rename {name}"))
            self.result.sources[column] = set(look_up(tables, name))
            self.result.same.add(column)
            made.add(new, (column,))
        start, length = item["query_location"], item["query_location_length"]
        if start != NOWHERE and (excluded or replaced or renamed):
            self._star_names(self._at(start), self._at(start + length), tables, made)
        without = frozenset((*excluded, *replaced, *renamed))
        made.stars += [Star(table, without) for table in tables]

    def _star_names(self, start: int, end: int, tables: list[Table], made: Made) -> None:
        """The names in EXCLUDE, REPLACE and RENAME, which the tree does not place."""
        part, depth, is_new = "", 0, False
        for word in words(self.text, start, end):
            depth += (word.text in "([") - (word.text in ")]")
            if word.keyword in _STAR_PARTS and depth == 0:
                part = word.keyword
            elif word.keyword == "AS":
                is_new = depth == 1
            elif word.is_name and part and (is_new or (depth <= 1 and part != "REPLACE")):
                self._star_name(word, part, tables, made if is_new else None)
                is_new = False

    def _star_name(self, word: Word, part: str, tables: list[Table], made: Made | None) -> None:
        """One of these names; ``made`` for one that is new."""
        before = look_up(tables, word.name)
        columns = before if made is None else made.find(word.name)
        self._name(word.start, word.end, word.name, columns, makes=made is not None)
        if made is not None and part == "REPLACE":
            self._tie((*columns, *before))

    # -- FROM -------------------------------------------------------------------------------------------------

    def _from(self, node: dict[str, Any] | None, scope: _Scope) -> None:
        kind = "EMPTY" if node is None else node["type"]
        if node is None or kind == "EMPTY":
            return
        if kind == "BASE_TABLE":
            name = node["table_name"].lower()
            table = next((known[name] for known in reversed(self._with) if name in known), self.tables.get(name))
            self._add(scope, node.get("alias") or name, table or Made())
        elif kind == "SUBQUERY":
            query = node["subquery"]["node"]
            self._add(scope, node.get("alias") or "", self.query(query, scope.outer))
        elif kind == "JOIN":
            self._from(node["left"], scope)
            right = _Scope({}, scope)
            self._from(node["right"], right)
            self._using(node, list(scope.tables.values()), list(right.tables.values()))
            both = _Scope({**scope.tables, **right.tables}, scope.outer)
            self.expression(node.get("condition"), both)
            if node.get("join_type") not in ("SEMI", "ANTI"):
                scope.tables.update(right.tables)
            if node.get("ref_type") == "NATURAL":
                self.result.exact = False
        else:
            self._other(node, scope)
        if node.get("column_name_alias"):
            self.result.exact = False

    def _other(self, node: dict[str, Any], scope: _Scope) -> None:
        """PIVOT and UNPIVOT, whose results hang on values; functions and lists of values."""
        inner = _Scope({}, scope.outer)
        if "source" in node:
            self.result.exact = False
            self._from(node["source"], inner)
            for part in ("aggregates", "pivots"):
                self.expression(node.get(part), inner)
            for table in inner.tables.values():
                scope.tables.setdefault("", Made()).stars.append(Star(table))  # type: ignore[union-attr]
            return
        self.expression({key: value for key, value in node.items() if key != "alias"}, scope)
        self._add(scope, node.get("alias") or node.get("function", {}).get("function_name", ""), Made())

    def _using(self, node: dict[str, Any], left: list[Table], right: list[Table]) -> None:
        """The names of USING, which the tree does not place."""
        names = node.get("using_columns") or ()
        if not names:
            return
        start = self._at(node["query_location"])
        found = list(words(self.text, start, self._at(node["query_location"] + node["query_location_length"])))
        begin = max((number for number, word in enumerate(found) if word.keyword == "USING"), default=len(found))
        for word in found[begin + 1 :]:
            if word.text == ")":
                break
            if word.is_name:
                columns = (*look_up(left, word.name), *look_up(right, word.name))
                self._tie(columns)
                self._name(word.start, word.end, word.name, columns)
                for table in (*left, *right)[-1:] if len(left) > 1 else (*left, *right):
                    table.learn(word.name)

    @staticmethod
    def _add(scope: _Scope, name: str, table: Table) -> None:
        scope.tables[name.lower() or f" {len(scope.tables)}"] = table

    # -- expressions ------------------------------------------------------------------------------------------

    def expression(self, node: Any, scope: _Scope) -> None:
        """Place all names in a part of the tree."""
        if isinstance(node, list):
            for item in node:
                self.expression(item, scope)
        elif isinstance(node, dict):
            kind = node.get("class")
            if kind == "COLUMN_REF":
                self._reference(node, scope)
            elif kind == "LAMBDA":
                local = frozenset(name.lower() for name in _parameters(node["lhs"]))
                inner = _Scope(scope.tables, scope.outer, scope.aliases, scope.local | local, scope.aliases_first)
                self.expression(node["expr"], inner)
            elif kind == "SUBQUERY":
                self.query(node["subquery"]["node"], scope)
                self.expression(node.get("child"), scope)
            else:
                for value in node.values():
                    self.expression(value, scope)

    def _reference(self, node: dict[str, Any], scope: _Scope) -> None:
        names, location = node["column_names"], node["query_location"]
        part, columns = self._meaning(names, scope)
        if location == NOWHERE or not columns:
            return
        start = self._at(location)
        chain = _chain(words(self.text, start))
        if len(chain) > part and chain[part].name == names[part]:
            word = chain[part]
            self._name(word.start, word.end, word.name, columns)

    def _meaning(self, names: list[str], scope: _Scope) -> tuple[int, tuple[Column, ...]]:
        """Which part of a dotted name is the column, and what that may stand for."""
        here: _Scope | None = scope
        guess: tuple[int, tuple[Column, ...]] = (0, ())
        while here is not None:
            first = names[0].lower()
            if first in here.local:
                return 0, ()
            if len(names) > 1 and first in here.tables:
                here.tables[first].learn(names[1])
                return 1, here.tables[first].find(names[1])
            tables = list(here.tables.values())
            sure = any(table.has(first) for table in tables)
            if first in here.aliases and (here.aliases_first or not sure):
                return 0, here.aliases[first]
            columns = look_up(tables, first)
            if sure:
                return 0, columns
            if columns and not guess[1]:
                guess = 0, columns
                if len(tables) == 1 and here.outer is None:
                    tables[0].learn(names[0])
            here = here.outer
        return guess

    # -- places -----------------------------------------------------------------------------------------------

    def _item_ends(self, items: list[dict[str, Any]]) -> dict[int, tuple[int, int]]:
        """Where each column of a SELECT stands: between commas that are in no brackets."""
        placed = [location for location in map(_location, items) if location is not None]
        if not placed:
            return {}
        first = self._at(min(placed))
        begin = next((w.end for w in reversed(list(words(self.text, 0, first))) if w.keyword in _OPENS), 0)
        spans: list[tuple[int, int]] = []
        depth, start, end = 0, None, begin
        for word in words(self.text, begin):
            if depth == 0 and (word.text in ",);" or word.keyword in _ENDS) and not _is_name(word, self.text):
                if start is not None:
                    spans.append((start, end))
                if word.text != ",":
                    return dict(enumerate(spans))
                start = None
                continue
            depth += (word.text in "([{") - (word.text in ")]}")
            start, end = word.start if start is None else start, word.end
        return dict(enumerate([*spans, (start, end)] if start is not None else spans))

    def _name(  # noqa: PLR0913 - a place has many parts
        self, start: int, end: int, name: str, columns: tuple[Column, ...], *, makes: bool = False, prefix: str = ""
    ) -> None:
        if columns:
            self.names.setdefault((start, end), NameAt(start, end, name, columns, makes, prefix))

    def _tie(self, columns: Iterable[Column]) -> None:
        tied = tuple(dict.fromkeys(columns))
        if len(tied) > 1:
            self.result.ties.append(tied)

    def _at(self, location: int) -> int:
        """The character of a byte."""
        return location if self._bytes is None else len(self._bytes[:location].decode(errors="ignore"))


_STAR_PARTS = ("EXCLUDE", "EXCEPT", "REPLACE", "RENAME")
_OPENS = ("SELECT", "DISTINCT", "ALL")


def _is_name(word: Word, text: str) -> bool:
    """Whether a keyword is only part of a dotted name."""
    return word.is_name and text[word.start - 1 : word.start] == "."


def _chain(found: Iterator[Word]) -> list[Word]:
    """The identifiers of a dotted name."""
    chain: list[Word] = []
    for word in found:
        if not word.is_name:
            break
        chain.append(word)
        dot = next(found, None)
        if dot is None or dot.text != ".":
            break
    return chain


def _parameters(node: dict[str, Any]) -> Iterator[str]:
    """The names before the colon of a lambda."""
    if node.get("class") == "COLUMN_REF":
        yield from node["column_names"]
    for argument in node.get("arguments", node.get("children", ())):
        yield from _parameters(argument.get("expression", argument))


def _location(node: Any) -> int | None:
    """The first place in a part of the tree."""
    if isinstance(node, list):
        found = [place for place in map(_location, node) if place is not None]
    elif isinstance(node, dict):
        found = [place for place in map(_location, node.values()) if place is not None]
        own = node.get("query_location", NOWHERE)
        found += [own] if own != NOWHERE else []
    else:
        return None
    return min(found, default=None)
