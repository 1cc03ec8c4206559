"""What the settings of one node do with columns: which they name, which leave it, and under which names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from etl_studio.pipeline.column_tables import Arriving, Column, Made, Star, Table
from etl_studio.pipeline.setting_fields import SQL_EDITORS, Text, texts_of
from etl_studio.pipeline.sql_columns import SqlColumns, expression_columns, query_columns
from etl_studio.sdk.config import names_of
from etl_studio.sdk.node import Node, Sink, Source
from etl_studio.sdk.policy import Policy
from etl_studio.sdk.row_template import places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.model import NodeSpec

ARRIVING = ("uses", "picks", "keeps")
_ANY = "\N{REPLACEMENT CHARACTER}"
"""A name that no column has."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A column's name in the settings of a node.

    Attributes:
        path: the setting; for a key, of its value.
        is_key: whether it is in the key of a map.
        start, end: where in that text (characters).
        name: as it is meant, without quotes.
        columns: what it stands for; several where that cannot be told, or where they must be called the same.
        makes: the column gets its name here.
        is_sql: whether it is part of an SQL text.
        prefix: what has to stand before a name that is put in.
        section: of the node: its settings or its policy.
    """

    path: tuple[str, ...]
    is_key: bool
    start: int
    end: int
    name: str
    columns: tuple[Column, ...]
    makes: bool = False
    is_sql: bool = False
    prefix: str = ""
    section: Literal["config", "policy"] = "config"


@dataclass(slots=True)
class NodeColumns:
    """The columns in and behind a node.

    Attributes:
        mentions: in the order of the settings.
        arriving: the tables at its inputs.
        gives: the table at its first output.
        sources: what each column that it makes is computed from.
        same: of these, those that only are another name.
        ties: columns that must have the same name.
        unnamed: SQL texts with a column that nobody has named, and where in them.
        unclear: SQL texts that could not be followed to the end.
    """

    arriving: dict[str, Arriving]
    mentions: list[Mention] = field(default_factory=list)
    gives: Made = field(default_factory=Made)
    sources: dict[Column, set[Column]] = field(default_factory=dict)
    same: set[Column] = field(default_factory=set)
    ties: list[tuple[Column, ...]] = field(default_factory=list)
    unnamed: list[tuple[tuple[str, ...], int, int]] = field(default_factory=list)
    unclear: list[tuple[str, ...]] = field(default_factory=list)


def node_columns(
    node_type: type[Node] | None, spec: NodeSpec, arriving: dict[str, Arriving], outside: Arriving
) -> NodeColumns:
    """Look at a node.

    Args:
        node_type: its type; None: unknown, then all columns are taken to pass it.
        spec: its settings and its policy, as written.
        arriving: the tables at its inputs, by port.
        outside: what a source is known to give.
    """
    found = NodeColumns(arriving)
    if node_type is None:
        found.gives.stars = [Star(table) for table in arriving.values()]
        return found
    _Reading(node_type, spec.config, found, outside).read()
    for text in texts_of(spec.policy, (Policy,)):
        columns = tuple(column for table in arriving.values() for column in table.find(text.text))
        if text.names in ARRIVING and columns and "${" not in text.text:
            mention = Mention(text.path, text.is_key, 0, len(text.text), text.text, columns, section="policy")
            found.mentions.append(mention)
    return found


def has_own_rule(node_type: type[Node]) -> bool:
    """Whether a type tells by ``leaves_as`` under which names columns leave it."""
    return node_type.leaves_as.__func__ is not Node.leaves_as.__func__  # type: ignore[attr-defined]


class _Reading:
    """Goes through the settings of a node once."""

    def __init__(
        self, node_type: type[Node], settings: Mapping[str, Any], found: NodeColumns, outside: Arriving
    ) -> None:
        self.node_type, self.settings, self.found, self.outside = node_type, settings, found, outside
        self.picked: list[str] = []
        self.made: dict[str, tuple[str, tuple[Column, ...]]] = {}
        self.renamed: dict[str, str] = {}
        self.query: Made | None = None
        self.passing = Made()
        self.roles = {role for one in node_type.Config.model_fields.values() for role in names_of(one)}

    def read(self) -> None:
        """Find all mentions, then what leaves the node."""
        texts = list(texts_of(dict(self.settings), (self.node_type.Config,)))
        for text in texts:  # known before anything is asked
            if text.names in ARRIVING and text.text and "${" not in text.text:
                self._learn(text.text)
            elif text.names == "fills":
                for _, _, name in places(text.text):
                    self._learn(name)
        self.passing = self._passing()
        for text in sorted(texts, key=lambda one: one.names == "mentions"):
            if text.editor in SQL_EDITORS and not text.is_key:
                self._read_sql(text)
            elif text.names == "fills":
                self._read_template(text)
            elif text.names is not None and text.text and "${" not in text.text:
                self._read_name(text)
        order = {text.path: number for number, text in enumerate(texts)}
        self.found.mentions.sort(key=lambda one: order[one.path])
        if not issubclass(self.node_type, Sink):
            self.found.gives = self._given()

    def _passing(self) -> Made:
        """What arrives and leaves by itself."""
        arriving = self.found.arriving
        if not has_own_rule(self.node_type):
            return Made(stars=[Star(table) for table in arriving.values()])
        known = {port: list(table.named()) for port, table in arriving.items()}
        columns: dict[str, tuple[str, tuple[Column, ...]]] = {}
        stars = []
        for port, names in known.items():
            for name in names:
                given = self.node_type.leaves_as(name, port, self.settings, known)
                if given is not None:
                    before = columns.get(given.lower(), (given, ()))
                    columns[given.lower()] = (before[0], (*before[1], Column(port, name.lower())))
            if self.node_type.leaves_as(_ANY, port, self.settings, known) is not None:
                stars.append(Star(arriving[port], frozenset(name.lower() for name in names)))
        return Made(columns, stars)

    def _learn(self, name: str) -> None:
        for table in self.found.arriving.values():
            table.learn(name)

    def _read_template(self, text: Text) -> None:
        for start, end, name in places(text.text):
            if columns := self._arriving(name):
                self.found.mentions.append(Mention(text.path, False, start, end, name, columns))

    def _read_name(self, text: Text) -> None:
        name, arriving = text.text, self.found.arriving
        columns: tuple[Column, ...] = ()
        if text.names in ARRIVING:
            tables = [table for table in arriving.values() if table.has(name) is not False]
            columns = tuple(column for table in tables for column in table.find(name))
            if len(columns) > 1:
                self.found.ties.append(columns)
            if text.names in ("picks", "keeps"):
                self.picked.append(name)
        elif text.names in ("makes", "sets"):
            columns = (Column("", name.lower(), text.path),)
            if text.keys in ARRIVING:
                self.renamed[text.path[-1].lower()] = name
                self.found.sources[columns[0]] = set(self._arriving(text.path[-1]))
                self.found.same.add(columns[0])
            if text.names == "makes":
                self.made.setdefault(name.lower(), (name, columns))
        elif text.names == "mentions":
            columns = self.made[name.lower()][1] if name.lower() in self.made else self.outside.find(name)
            self.outside.learn(name)
        makes = text.names in ("makes", "sets")
        mention = Mention(text.path, text.is_key, 0, len(name), name, columns, makes)
        if columns:
            self.found.mentions.append(mention)

    def _read_sql(self, text: Text) -> None:
        if not self.found.arriving or issubclass(self.node_type, Source):
            return
        key = text.path[-1].lower()
        if text.editor == "sql_query":
            read = query_columns(text.text, self.found.arriving, text.path)
            self.query = read.made
        else:
            earlier = {name: columns for name, (_, columns) in self.made.items() if name != key and text.keys}
            tables: Mapping[str, Table] = self.found.arriving
            if text.keys == "sets":
                tables = dict.fromkeys(self.found.arriving, self.passing)
            read = expression_columns(text.text, tables, text.path, earlier)
        self._take(read, text)
        if text.keys in ("makes", "sets"):
            column = Column("", key, text.path)
            self.found.sources[column] = {one for name in read.names for one in name.columns}
            if text.keys == "sets":
                self.passing = Made({key: (text.path[-1], (column,))}, [Star(self.passing)])

    def _take(self, read: SqlColumns, text: Text) -> None:
        found = self.found
        found.mentions += [
            Mention(text.path, False, one.start, one.end, one.name, one.columns, one.makes, True, one.prefix)
            for one in read.names
        ]
        found.sources.update(read.sources)
        found.same |= read.same
        found.ties += read.ties
        found.unnamed += [(text.path, *place) for place in read.unnamed]
        if not read.exact:
            found.unclear.append(text.path)

    def _given(self) -> Made:
        if self.query is not None:
            return self.query
        if self.node_type.open_outputs:  # another pipeline gives them
            return Made(stars=[Star(self.outside)])
        if issubclass(self.node_type, Source):
            return Made(dict(self.made), [] if "makes" in self.roles else [Star(self.outside)])
        new = {key: value for key, value in self.made.items() if value[0] not in self.renamed.values()}
        if self.picked or "keeps" in self.roles:
            given = Made()
            for name in self.picked:
                given.add(*self._renamed(name))
            given.columns |= new
            return given
        given = Made({}, [Star(self.passing, frozenset(self.renamed))])
        for old in self.renamed:
            given.add(*self._renamed(old))
        given.columns |= new
        return given

    def _renamed(self, name: str) -> tuple[str, tuple[Column, ...]]:
        """A column under the name that it leaves by."""
        new = self.renamed.get(name.lower())
        return (name, self._arriving(name)) if new is None else self.made[new.lower()]

    def _arriving(self, name: str) -> tuple[Column, ...]:
        return tuple(column for table in self.found.arriving.values() for column in table.find(name))
