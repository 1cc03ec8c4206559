"""What is wrong with a pipeline, with its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        severity: an ``error`` keeps the pipeline from running, a ``warning`` does not.
        message: one sentence: what is wrong.
        hint: one sentence: what to do; may be empty.
        node: id of the node, where it is about one.
        field: path of the setting in the node, such as ``config.where``.
        line, column: position in the file, counted from 1, where it is known.
        file: the file of a sub-pipeline that it is in; empty: the document's own.
    """

    severity: Literal["error", "warning"]
    message: str
    hint: str = ""
    node: str | None = None
    field: str | None = None
    line: int | None = None
    column: int | None = None
    file: str = ""

    @property
    def place(self) -> str:
        """``clean.yaml, line 3, column 5, clean/keep, config.where``, as far as it is known."""
        parts = [self.file] if self.file else []
        if self.line is not None:
            parts.append(f"line {self.line}")
            if self.column is not None:
                parts.append(f"column {self.column}")
        parts += [part for part in (self.node, self.field) if part]
        return ", ".join(parts)

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} {self.hint}" if self.hint else text
