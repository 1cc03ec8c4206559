"""Ports: the named inputs and outputs of a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output.

    Attributes:
        name: identifier, as in ``keep.rejects``.
        title: label on the canvas.
        kind: what travels; a wire joins ports of the same kind.
        many: an input that takes several wires; their rows are unified by column name.
        optional: an input that may stay without a wire.
    """

    name: str
    title: str = ""
    kind: Literal["rows"] = "rows"
    many: bool = False
    optional: bool = False


INPUT = Port("input", "Rows")
OUT = Port("out", "Rows")
REJECTS = Port("rejects", "Rejects")
"""Rows that the node could not process, with the columns ``_error``, ``_error_type`` and ``_node`` added.
Never the default port of a wire."""
