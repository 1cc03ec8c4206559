"""Lines of dead letters, tried again, perhaps mended by a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.nodes.extract._again import rejected
from etl_studio.nodes.extract._csv_parser import BATCH_ROWS, SHOWN_RECORD
from etl_studio.sdk import Problem, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from etl_studio.nodes.extract._csv_parser import CsvParser

_BYTES = re.compile(r"\\x[89a-f][0-9a-f]")
"""How a letter shows a byte that is no text in the file's encoding."""


def lines_again(tried: Iterable[Mapping[str, Any]], parser: CsvParser) -> Iterator[pa.RecordBatch | Rejected]:
    """Give the rows of lines; a line that still fails is rejected as it came.

    Args:
        tried: rows with the text of a line in ``record``, and its number in ``line``.
        parser: knows columns and dialect.
    """
    batches: list[pa.RecordBatch] = [pa.RecordBatch.from_pylist([], schema=parser.schema)]
    refused: list[tuple[Mapping[str, Any], Problem]] = []
    for item in tried:
        found, problem = _line(str(item.get("record", "")), int(item.get("line") or 1), parser)
        if problem is not None:
            refused.append((item, problem))
        batches += found
    yield from pa.Table.from_batches(batches).combine_chunks().to_batches(BATCH_ROWS) or batches
    if refused:
        yield rejected(refused)


def _line(text: str, line: int, parser: CsvParser) -> tuple[list[pa.RecordBatch], Problem | None]:
    """The rows of one text, or what is wrong with it: then it gives none."""
    if text.endswith("…") and len(text) > SHOWN_RECORD:
        return [], Problem(
            "cut", "Only the beginning of the line was kept. Mend it in the file and run again.", None, line
        )
    if match := _BYTES.search(text):
        message = f"{match[0]} stands for a byte that is no text in the file's encoding. Write the right letter there."
        return [], Problem("encoding", message, None, line, match[0])
    data = text.encode("utf-8", "replace") + b"\n"
    parsed = list(parser.parse(lambda _: b"", data, line=line, piece=len(data), stopping=bool))
    problem = next((item.problems[0] for item in parsed if isinstance(item, Rejected)), None)
    batches = [item for item in parsed if isinstance(item, pa.RecordBatch) and item.num_rows]
    if problem is None and not batches:
        problem = Problem("empty", "The line is empty. Write the fields, or discard it.", None, line)
    return ([], problem) if problem else (batches, None)
