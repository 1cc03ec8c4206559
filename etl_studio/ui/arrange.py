"""Where nodes go by themselves: in columns from left to right, as the rows flow, with few wires that cross.

The layered way of Sugiyama: a column for each step from the sources; a wire over several columns gets a place in each
of them, so that it passes beside the cards; each column is ordered by the mean place of its neighbours (barycentre),
to and fro; then each node moves to the height of its neighbours as far as the order leaves room.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from etl_studio.pipeline.diff import renamed_wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from etl_studio.pipeline.model import Pipeline, Place

COLUMN, ROW = 304.0, 112.0
"""Distance between columns, and between the tops of two cards of the usual height, in pixels at zoom 1."""
CARD = 64.0
"""The usual height of a card."""
LANE = 24.0
"""Room for a wire that passes between cards."""
APART = 40.0
"""Additional distance between parts of the pipeline that no wire joins."""
LEAST_SWEEPS, MOST_SWEEPS, SWEPT = 4, 12, 20_000
"""Times that each column is ordered from both sides: so often that so many places are looked at."""
MOST_LANES = 20_000
"""Places for passing wires; with more of them a wire has none, and the order is found by its ends alone."""


NOTE_WIDTH, NOTE_HEIGHT = 240.0, 120.0
"""Size of a note that has none yet."""
GAP = 16.0


def notes_placed(pipeline: Pipeline) -> dict[str, Place]:
    """A place for every note, in a row above the nodes."""
    places = [pipeline.layout[name] for name in pipeline.nodes if name in pipeline.layout]
    left = min((place[0] for place in places), default=0.0)
    top = min((place[1] for place in places), default=0.0) - NOTE_HEIGHT - 2 * GAP
    return {
        name: (left + number * (NOTE_WIDTH + GAP), top, NOTE_WIDTH, NOTE_HEIGHT)
        for number, name in enumerate(pipeline.notes)
    }


def contracted(pipeline: Pipeline, stand_ins: Mapping[str, str]) -> Pipeline:
    """The pipeline with one node in the place of several: for each of them the one that stands for it."""
    nodes = {name: spec for name, spec in pipeline.nodes.items() if stand_ins.get(name, name) == name}
    wires = (renamed_wire(wire, stand_ins) for wire in pipeline.wires)
    return replace(pipeline, nodes=nodes, wires=[wire for wire in wires if wire.source != wire.target])


def placed(pipeline: Pipeline) -> Pipeline:
    """Give a place to nodes and notes without one; a person who wrote the file by hand need not think of it."""
    if any(name not in pipeline.layout for name in pipeline.nodes):
        pipeline.layout = {**arranged(pipeline), **pipeline.layout}
    if any(name not in pipeline.layout for name in pipeline.notes):
        pipeline.layout = {**notes_placed(pipeline), **pipeline.layout}
    return pipeline


def arranged(
    pipeline: Pipeline, nodes: Collection[str] | None = None, heights: Mapping[str, float] | None = None
) -> dict[str, tuple[float, float]]:
    """A position for each node; the first column is at 0, the uppermost card, too.

    Args:
        pipeline: the nodes and their wires.
        nodes: those to arrange; all by default.
        heights: of cards that are higher than usual.
    """
    names = [name for name in pipeline.nodes if nodes is None or name in nodes]
    links = [(wire.source, wire.target) for wire in pipeline.wires if wire.source != wire.target]
    found: dict[str, tuple[float, float]] = {}
    top = 0.0
    for part in _parts(names, links):
        places = _Part(part, links, heights or {}).places()
        lowest = min(y for _, y in places.values())
        found |= {name: (x, round((y - lowest + top) / 8) * 8.0) for name, (x, y) in places.items()}
        top = max(y + (heights or {}).get(name, CARD) for name, (_, y) in found.items()) + ROW - CARD
        top += APART if len(part) > 1 else 0
    return {name: found[name] for name in names}


def _parts(names: Iterable[str], links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The nodes that wires join, largest parts first; those without wires last."""
    near: dict[str, list[str]] = {name: [] for name in names}
    for source, target in links:
        if source in near and target in near:
            near[source].append(target)
            near[target].append(source)
    parts, seen = [], set()
    for name in near:
        if name in seen:
            continue
        seen.add(name)
        part = [name]
        for node in part:
            fresh = dict.fromkeys(other for other in near[node] if other not in seen)
            seen.update(fresh)
            part.extend(fresh)
        inside = set(part)
        parts.append([name for name in near if name in inside] if len(part) > 1 else part)
    return sorted(parts, key=len, reverse=True)


@dataclass(slots=True)
class _Place:
    """A card, or the passage of a wire, in one column."""

    name: str
    height: float
    column: int = 0
    y: float = 0.0
    before: list[_Place] = field(default_factory=list)
    behind: list[_Place] = field(default_factory=list)


class _Part:
    """The layout of nodes that wires join."""

    def __init__(self, names: list[str], links: Iterable[tuple[str, str]], heights: Mapping[str, float]) -> None:
        self._cards = {name: _Place(name, heights.get(name, CARD) + ROW - CARD) for name in names}
        links = dict.fromkeys(link for link in links if link[0] in self._cards and link[1] in self._cards)
        links = _without_loops(names, links)
        self._set_columns(links)
        self._columns: list[list[_Place]] = [[] for _ in range(1 + max(c.column for c in self._cards.values()))]
        for card in self._cards.values():
            self._columns[card.column].append(card)
        self._join(links)
        size = sum(len(column) for column in self._columns)
        self._sweeps = min(max(SWEPT // size, LEAST_SWEEPS), MOST_SWEEPS)

    def places(self) -> dict[str, tuple[float, float]]:
        """Top left corners, the first column at 0."""
        self._order()
        self._straighten()
        return {name: (card.column * COLUMN, card.y) for name, card in self._cards.items()}

    def _set_columns(self, links: list[tuple[str, str]]) -> None:
        """As many columns from the left as there are nodes before; a source stands just before what it feeds."""
        behind: defaultdict[str, list[str]] = defaultdict(list)
        waiting = dict.fromkeys(self._cards, 0)
        for source, target in links:
            behind[source].append(target)
            waiting[target] += 1
        sources = [name for name, count in waiting.items() if not count]
        order = list(sources)
        for name in order:
            for target in behind[name]:
                self._cards[target].column = max(self._cards[target].column, self._cards[name].column + 1)
                waiting[target] -= 1
                if not waiting[target]:
                    order.append(target)
        for name in sources:
            if behind[name]:
                self._cards[name].column = min(self._cards[target].column for target in behind[name]) - 1

    def _join(self, links: list[tuple[str, str]]) -> None:
        ends = [(self._cards[source], self._cards[target]) for source, target in links]
        with_lanes = sum(target.column - source.column - 1 for source, target in ends) <= MOST_LANES
        for source, target in ends:
            last = source
            for number in range(source.column + 1, target.column if with_lanes else 0):
                lane = _Place("", LANE, number)
                self._columns[number].append(lane)
                last.behind.append(lane)
                lane.before.append(last)
                last = lane
            last.behind.append(target)
            target.before.append(last)

    def _order(self) -> None:
        """Sweep to and fro, and keep the order with the fewest crossings: a sweep can make it worse."""
        for column in self._columns:
            _stack(column)
        best, fewest = self._heights(), self._crossings()
        for _ in range(self._sweeps):
            for column in self._columns[1:]:
                self._sort(column, [_mean(place.before, place.y) for place in column])
            for column in self._columns[-2::-1]:
                self._sort(column, [_mean(place.behind, place.y) for place in column])
            if (crossings := self._crossings()) < fewest:
                best, fewest = self._heights(), crossings
            if not fewest:
                break
        for column, heights in zip(self._columns, best, strict=True):
            column[:] = [place for place, _ in heights]
            for place, y in heights:
                place.y = y

    def _heights(self) -> list[list[tuple[_Place, float]]]:
        return [[(place, place.y) for place in column] for column in self._columns]

    def _crossings(self) -> int:
        """Pairs of wires that cross between two columns."""
        count = 0
        for column in self._columns[:-1]:
            ends: list[float] = []
            for place in column:
                arrivals = sorted(target.y for target in place.behind)
                count += sum(len(ends) - bisect_right(ends, y) for y in arrivals)
                for y in arrivals:
                    insort(ends, y)
        return count

    @staticmethod
    def _sort(column: list[_Place], wishes: list[float]) -> None:
        order = sorted(range(len(column)), key=wishes.__getitem__)
        column[:] = [column[index] for index in order]
        _settle(column, [wishes[index] for index in order])

    def _straighten(self) -> None:
        """Move places towards their neighbours, to and fro; the last look is from where the rows come."""
        for _ in range(LEAST_SWEEPS):
            for column in self._columns[-2::-1]:
                _settle(column, [_mean(place.behind, place.y) for place in column])
            for column in self._columns[1:]:
                _settle(column, [_mean([*place.before, *place.behind], place.y) for place in column])
        for column in self._columns:
            _settle(column, [_mean(place.before, _mean(place.behind, place.y)) for place in column])


def _mean(places: list[_Place], default: float) -> float:
    """Of the middles, as the top of a place would be that had no height."""
    return sum(place.y for place in places) / len(places) if places else default


def _stack(column: list[_Place]) -> None:
    """One below the other, around 0, so that columns of several lengths have their middles at one height."""
    y = -sum(place.height for place in column) / 2
    for place in column:
        place.y, y = y, y + place.height


def _settle(column: list[_Place], wishes: list[float]) -> None:
    """Give each place the height nearest to its wish that keeps the order and the distances.

    Places that push each other form a block at the mean of what they wish (pool adjacent violators): the sum of the
    squared distances from the wishes is as small as it can be.
    """
    offsets, offset = [], 0.0
    for place in column:
        offsets.append(offset)
        offset += place.height
    blocks: list[tuple[float, int]] = []  # the sum of the wishes, the number of places
    for wish, start in zip(wishes, offsets, strict=True):
        total, count = wish - start, 1
        while blocks and blocks[-1][0] * count > total * blocks[-1][1]:
            above, many = blocks.pop()
            total, count = total + above, count + many
        blocks.append((total, count))
    index = 0
    for total, count in blocks:
        for _ in range(count):
            column[index].y = total / count + offsets[index]
            index += 1


def _without_loops(names: Iterable[str], links: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Links without those that lead back, which a file that was written by hand may have."""
    behind: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in links:
        behind[source].append(target)
    state: dict[str, int] = {}  # 1: on the way, 2: done
    kept = []
    for root in names:
        if root in state:
            continue
        state[root] = 1
        way = [(root, iter(behind[root]))]
        while way:
            node, targets = way[-1]
            target = next(targets, None)
            if target is None:
                state[node] = 2
                way.pop()
            elif state.get(target) != 1:
                kept.append((node, target))
                if target not in state:
                    state[target] = 1
                    way.append((target, iter(behind[target])))
    return kept
