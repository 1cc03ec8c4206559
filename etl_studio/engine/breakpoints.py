"""Where a debugged run halts: at a node or a wire, at each batch or at rows that meet a condition."""

from __future__ import annotations

from dataclasses import dataclass

from etl_studio.pipeline.flat import SEPARATOR, outer_node

ARROW = " -> "
"""In the text of a wire, and in no id of a node."""


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A place where a run halts.

    Attributes:
        node: halts before a batch enters it; for a source, before a batch leaves it.
        wire: halts before a batch leaves this wire, by its text (``a.out -> b.input``); one of the two is given.
        condition: an SQL expression on the columns there; halts at each row that meets it. Empty: at each batch.
        enabled: whether it halts at all.
    """

    node: str = ""
    wire: str = ""
    condition: str = ""
    enabled: bool = True

    @property
    def place(self) -> str:
        """The node or the wire."""
        return self.wire or self.node

    def covers(self, node: str, wire: str) -> bool:
        """Whether it stands where a batch is about to enter ``node`` by ``wire``.

        At a sub-pipeline, that is where a batch comes into it from outside.
        """
        if self.wire == wire if self.wire else self.node == node:
            return True
        if SEPARATOR not in wire:
            return False
        source, target = _ends(wire)
        if outer_node(source[0]) == outer_node(target[0]):
            return False
        if not self.wire:
            return outer_node(node) == self.node
        return all(
            outer_node(inner[0]) == mine[0] and (SEPARATOR in inner[0] or inner == mine)
            for inner, mine in zip((source, target), _ends(self.wire), strict=True)
        )


def _ends(wire: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Node and port at both ends of a wire."""
    source, target = (end.rpartition(".") for end in wire.split(ARROW))
    return (source[0], source[2]), (target[0], target[2])
