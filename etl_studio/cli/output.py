"""Writes tables, JSON and problems for people and programs."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etl_studio.errors import EtlError
    from etl_studio.pipeline.problems import Problem

WIDEST = 60
"""Columns that one cell of a table may take."""


def say(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_line(text: str = "") -> None:
    """A line of the result, on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """One value as one line on stdout; what JSON has no word for becomes text."""
    print_line(json.dumps(value, ensure_ascii=False, default=str))


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], widest: int = WIDEST) -> str:
    """Aligned columns, numbers to the right; cells longer than ``widest`` are cut."""
    values = [list(row) for row in rows]
    cells = [list(header), *([_cell(value, widest) for value in row] for row in values)]
    numbers = [all(isinstance(row[at], int | float) for row in values) and bool(values) for at in range(len(header))]
    widths = [max(_width(row[at]) for row in cells) for at in range(len(header))]
    lines = []
    for row in cells:
        padded = [
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(row, widths, numbers, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def problem_line(problem: Problem, file: str) -> str:
    """``orders.yaml:12:5: error: keep, config.where: what is wrong``, as compilers write it."""
    place = ":".join(str(part) for part in (problem.file or file, problem.line, problem.column) if part is not None)
    about = ", ".join(part for part in (problem.node, problem.field) if part)
    text = f"{about}: {problem.message}" if about else problem.message
    return f"{place}: {problem.severity}: {text}" + (f" {problem.hint}" if problem.hint else "")


def problem_facts(problem: Problem) -> dict[str, Any]:
    """A problem for programs."""
    return {name: getattr(problem, name) for name in problem.__dataclass_fields__}


def error_lines(error: EtlError, file: str | None = None) -> str:
    """The message of an error; one line for each problem where it carries several."""
    problems: Sequence[Problem] = getattr(error, "problems", ())
    if not problems:
        return f"etl-studio: {error}"
    name = file if file and file.endswith((".yaml", ".yml")) else error.pipeline or "pipeline"
    return "\n".join(problem_line(problem, name) for problem in problems)


def _cell(value: Any, widest: int) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value).replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t")
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= widest else text[: widest - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
