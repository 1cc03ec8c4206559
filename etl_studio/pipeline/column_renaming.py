"""Give a column another name where it begins, and in every setting that uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from etl_studio.errors import UsageError
from etl_studio.pipeline.column_tables import Column
from etl_studio.pipeline.lineage import Lineage, is_from_outside
from etl_studio.pipeline.model import NodeSpec, Pipeline
from etl_studio.pipeline.node_columns import Mention, has_own_rule
from etl_studio.pipeline.renaming import RENAME, SELECT, Change, Insertion, Renaming, apply
from etl_studio.pipeline.sql_words import exchanged, written
from etl_studio.pipeline.wire_text import default_output
from etl_studio.sdk.node import Sink
from etl_studio.sdk.ports import INPUT, OUT, REJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etl_studio.pipeline.lineage import Place
    from etl_studio.pipeline.wire_text import NodeTypes


def rename_column(  # noqa: PLR0913 - what is where
    pipeline: Pipeline,
    registry: NodeTypes,
    node: str,
    column: str,
    new: str,
    *,
    port: str | None = None,
    arriving: bool = False,
    known: Mapping[str, Sequence[str]] | None = None,
) -> Renaming:
    """Find what must change. The pipeline stays as it is: see ``apply``.

    Args:
        pipeline: the document.
        registry: the node types.
        node: a node that gives the column; the renaming begins where the column got its name.
        column: its name there.
        new: the new one.
        port: the output; None: the first one.
        arriving: it is the name with which the column arrives at the node.
        known: columns that nodes are known to give, such as those of their last preview.

    Raises:
        UsageError: the new name is none, or there is no such column.
    """
    if not new.strip() or "\0" in new or "${" in new:
        raise UsageError("A column needs a name.", hint="Write a name without ${ and control characters.")
    lineage = Lineage(pipeline, registry, known)
    begin = lineage.meaning(node, column, port, arriving=arriving)
    if not begin:
        raise UsageError(f'The node {node} gives no column "{column}".', hint="Look at its preview.")
    search = _Search(lineage, new)
    for place in lineage.origins(node, begin):
        search.begin(place, column)
    search.run()
    found = search.found()
    if not found.obstacles:
        found.obstacles = _other_meanings(pipeline, registry, known, lineage, search, found)
    return found


class _Search:
    """Follows a new name through the pipeline until nothing new is reached."""

    def __init__(self, lineage: Lineage, new: str) -> None:
        self.lineage, self.new = lineage, new
        self.renamed: dict[str, dict[Column, str]] = {}
        self.begun: dict[Place, None] = {}
        self.fixed: dict[str, None] = {}
        self.extended: dict[str, dict[str, str]] = {}
        self.inserted: dict[str, dict[str, str]] = {}
        self.obstacles: dict[str, None] = {}
        self.doubts: dict[str, None] = {}

    def begin(self, place: Place, name: str) -> None:
        """Rename where a column gets its name."""
        node, column = place
        if not is_from_outside(column):
            self.begun[place] = None
            return
        node_type = self.lineage.types[node]
        if node_type is not None and node_type.open_outputs:
            told = f'{node} gives rows of another pipeline. Rename "{name}" there, or with a Select behind it.'
            self.fixed[told] = None
            return
        name = next(iter(self.lineage.table(node, OUT.name).leaving(column)), name)
        wires = [wire for wire in self.lineage.wires_out_of(node) if wire.source_port == OUT.name]
        only = wires[0].target if len(wires) == 1 else None
        if only and self.lineage.pipeline.nodes[only].type == SELECT and self._leaves_unchanged(only, name):
            self.extended.setdefault(only, {})[name] = self.new
        else:
            self.inserted.setdefault(node, {})[name] = self.new

    def _leaves_unchanged(self, node: str, name: str) -> bool:
        column = Column(INPUT.name, name.lower())
        return name.lower() in (given.lower() for given in self.lineage.nodes[node].gives.leaving(column))

    def mark(self, node: str, column: Column, new: str) -> None:
        """A column in a node gets another name."""
        here = self.renamed.setdefault(node, {})
        if column in here:
            if here[column] != new:
                self.obstacles[f'{node}: "{column.name}" would have two names, "{here[column]}" and "{new}".'] = None
            return
        here[column] = new

    def _mark_with(self, node: str, column: Column) -> None:
        """Columns that must be called as this one: of the other input of a join, of other wires into one input."""
        lineage = self.lineage
        for tied in lineage.nodes[node].ties:
            if column in tied:
                for other in lineage.origins(node, [one for one in tied if one != column]):
                    self._begin_too(other, column.name)
        if column.port:
            wires = lineage.wires_into(node, column.port)
            if len(wires) > 1:
                for wire in wires:
                    table = lineage.table(wire.source, wire.source_port)
                    if table.has(column.name):
                        for other in lineage.origins(wire.source, table.find(column.name)):
                            self._begin_too(other, column.name)
                    elif table.has(column.name) is None:
                        self.doubts[
                            f"{node} puts rows of several wires together: check the column in {wire.source}."
                        ] = None

    def _begin_too(self, place: Place, name: str) -> None:
        behind = [wire.target for wire in self.lineage.wires_out_of(place[0])]
        extended = any(name in self.extended.get(node, ()) for node in behind)
        if place not in self.begun and name not in self.inserted.get(place[0], ()) and not extended:
            self.begin(place, name)

    def run(self) -> None:
        """Go through the pipeline, again wherever a column elsewhere has to take the new name, too."""
        begun = -1
        while begun != self._begun():
            begun = self._begun()
            self.renamed, self.obstacles, self.doubts = {}, {}, {}
            for node, column in self.begun:
                self.mark(node, column, self.new)
            for node in self.lineage.nodes:
                for column in list(self.renamed.get(node, ())):
                    self._mark_with(node, column)
                for wire in self.lineage.wires_out_of(node):
                    for before, after in self.leaving(node, wire.source_port).items():
                        self.mark(wire.target, Column(wire.target_port, before.lower()), after)

    def _begun(self) -> int:
        return len(self.begun) + sum(len(names) for part in (self.extended, self.inserted) for names in part.values())

    def leaving(self, node: str, port: str) -> dict[str, str]:
        """Old and new names of what leaves by an output, where they differ."""
        here, found = self.renamed.get(node, {}), self.lineage.nodes[node]
        table = self.lineage.table(node, port)
        names: dict[str, str] = {name: new for column, new in here.items() for name in table.leaving(column)}
        node_type = self.lineage.types[node]
        if port == REJECTS.name:
            return names
        if node_type is not None and has_own_rule(node_type):
            settings = self.lineage.pipeline.nodes[node].config
            known = {at: list(arriving.named()) for at, arriving in found.arriving.items()}
            now = {at: [here.get(Column(at, n.lower()), n) for n in all_] for at, all_ in known.items()}
            config = {key: self._renamed_list(node, key, value) for key, value in settings.items()}
            for at, all_ in known.items():
                for name, new in zip(all_, now[at], strict=True):
                    before = node_type.leaves_as(name, at, settings, known)
                    after = node_type.leaves_as(new, at, config, now)
                    if before and after and before != after:
                        names[before] = after
        names |= self.extended.get(node, {})
        return names | self.inserted.get(node, {}) if port == OUT.name else names

    def _renamed_list(self, node: str, key: str, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        mentions = [
            mention
            for mention in self.lineage.nodes[node].mentions
            if (mention.section, mention.path[0]) == ("config", key)
        ]
        new = {mention.path: self._new(node, mention)[0] for mention in mentions}
        return [new.get((key, str(number))) or item for number, item in enumerate(value)]

    def _new(self, node: str, mention: Mention) -> tuple[str | None, bool]:
        """The new name of a mention, None: the old one; and whether that is sure."""
        here = self.renamed.get(node, {})
        new = dict.fromkeys(here[column] for column in mention.columns if column in here)
        if len(new) > 1:
            self.obstacles[f'{node}: "{mention.name}" would have to be called {" and ".join(new)}.'] = None
        return next(iter(new), None), all(column in here for column in mention.columns)

    def edits(self, node: str) -> Iterator[tuple[Mention, str, bool]]:
        """The mentions that change, their new texts and whether that is sure."""
        spec = self.lineage.pipeline.nodes[node]
        for mention in self.lineage.nodes[node].mentions:
            new, sure = self._new(node, mention)
            if new is not None:
                old = "" if mention.prefix else text_at(spec, mention)[mention.start : mention.end]
                yield mention, mention.prefix + (written(new, like=old) if mention.is_sql else new), sure

    def found(self) -> Renaming:
        """All changes."""
        result = Renaming(extensions=self.extended)
        room = Pipeline(nodes=dict(self.lineage.pipeline.nodes))
        for source, names in self.inserted.items():
            new = room.new_id(RENAME)
            room.nodes[new] = NodeSpec(new, SELECT)
            result.insertions.append(Insertion(source, new, names))
        for node in self.lineage.pipeline.nodes:
            result.changes += self._changes(node)
            self._check_names(node)
            node_type = self.lineage.types[node]
            if node_type is not None and node_type.open_outputs and self.renamed.get(node):
                self.doubts[f"{node} hands it to another pipeline, which may know it by its old name."] = None
            if node_type is not None and issubclass(node_type, Sink) and self.renamed.get(node):
                given = ", ".join(dict.fromkeys(self.renamed[node].values()))
                self.doubts[f"{node} writes it as {given} from then on; what is there keeps the old name."] = None
        result.changes += self._notes()
        result.obstacles, result.doubts = [*self.fixed, *self.obstacles], list(self.doubts)
        return result

    def _changes(self, node: str) -> Iterator[Change]:
        spec = self.lineage.pipeline.nodes[node]
        by_text: dict[tuple[str, tuple[str, ...], bool], list[tuple[Mention, str, bool]]] = {}
        for edit in self.edits(node):
            by_text.setdefault((edit[0].section, edit[0].path, edit[0].is_key), []).append(edit)
        for (_, path, is_key), edits in by_text.items():
            before, section = text_at(spec, edits[0][0]), edits[0][0].section
            after = exchanged(before, [(mention.start, mention.end, new) for mention, new, _ in edits])
            found = self.lineage.nodes[node]
            for place, start, end in found.unnamed:
                if place == path and any(start <= mention.start < end for mention, _, _ in edits):
                    self.doubts[
                        f"{node}: {before[start:end]} has no name of its own; the name of its column changes, too."
                    ] = None
            if path in found.unclear:
                self.doubts[f"{node}: a part of the SQL in {path[0]} could not be followed. Look at it."] = None
            if before != after:
                yield Change(node, path, is_key, before, after, all(sure for _, _, sure in edits), section)

    def _notes(self) -> Iterator[Change]:
        """Notes that name the column; in code it is surely meant."""
        names = {column.name: new for here in self.renamed.values() for column, new in here.items()}
        for here in (*self.extended.values(), *self.inserted.values()):
            names |= here
        word = re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(name) for name in names)})(?!\w)", re.IGNORECASE)
        by_key = {name.lower(): new for name, new in names.items()}
        for note in self.lineage.pipeline.notes.values():
            found = list(word.finditer(note.text)) if names else []
            if found:
                after = word.sub(lambda one: by_key[one[0].lower()], note.text)
                sure = all(note.text[one.start() - 1 : one.end() + 1] == f"`{one[0]}`" for one in found)
                yield Change(note.id, ("text",), False, note.text, after, sure, "note")

    def _check_names(self, node: str) -> None:
        """A new name must be free wherever the column goes."""
        found = self.lineage.nodes[node]
        for port, arriving in found.arriving.items():
            mine = {c.name: new for c, new in self.renamed.get(node, {}).items() if c.port == port}
            self._check_free(node, mine, {name.lower() for name in arriving.named()})
        port_out = default_output(self.lineage.types[node])
        if port_out is not None:
            names = {name.lower() for name in found.gives.named()}
            self._check_free(node, {k.lower(): v for k, v in self.leaving(node, port_out).items()}, names)

    def _check_free(self, node: str, new: Mapping[str, str], taken: set[str]) -> None:
        left = taken - set(new)
        for name in new.values():
            if name.lower() in left:
                self.obstacles[f'{node} has a column "{name}" already.'] = None


def text_at(spec: NodeSpec, mention: Mention) -> str:
    """The text that a mention is in."""
    if mention.is_key:
        return mention.path[-1]
    here: Any = getattr(spec, mention.section)
    for part in mention.path:
        here = here[int(part)] if isinstance(here, list) else here[part]
    return str(here)


def _other_meanings(  # noqa: PLR0913 - before and after
    pipeline: Pipeline,
    registry: NodeTypes,
    known: Mapping[str, Sequence[str]] | None,
    lineage: Lineage,
    search: _Search,
    found: Renaming,
) -> list[str]:
    """Nodes in which a name would mean another column than before, such as the variable of a lambda."""
    now = {node: list(names) for node, names in (known or {}).items()}
    for node, names in now.items():
        changed = {} if node in search.inserted else search.leaving(node, OUT.name)
        now[node] = [changed.get(name, name) for name in names]
    after = Lineage(apply(pipeline, found), registry, now)
    obstacles = []
    for node in dict.fromkeys(change.node for change in found.changes if change.section == "config"):
        before = [_shape(mention, search.renamed.get(node, {})) for mention in lineage.nodes[node].mentions]
        later = [_shape(mention, {}) for mention in after.nodes[node].mentions]
        if before != later:
            new = ", ".join(dict.fromkeys(search.renamed[node].values()))
            obstacles.append(f'{node}: its SQL uses the name "{new}" for something else.')
    return obstacles


def _shape(mention: Mention, renamed: Mapping[Column, str]) -> Any:
    """What a mention is, without the places that change."""
    columns = {(c.port, renamed.get(c, c.name).lower(), bool(c.place)) for c in mention.columns}
    return mention.is_key, mention.makes, mention.prefix == "", columns
