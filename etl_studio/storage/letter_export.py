"""Dead letters as a file: CSV to look at, JSON lines with all that is known."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from dataclasses import asdict
from typing import IO, TYPE_CHECKING, Any

from etl_studio.errors import PermanentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from etl_studio.storage.letters import DeadLetterRecord

ENDINGS = (".csv", ".jsonl")
FACTS = ("id", "run", "node", "error_type", "message", "attempts", "first_at", "at", "line", "row_number")


def export_letters(letters: Sequence[DeadLetterRecord], path: Path) -> int:
    """Write letters to a file; it appears when it is complete. How many there were.

    Args:
        letters: them.
        path: ends in ``.csv`` (``_id``, ``_node`` and so on before the columns of the rows) or ``.jsonl``.

    Raises:
        UsageError: another ending.
        PermanentError: the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f'Dead letters cannot be written as "{path.name}".', hint="End its name in .csv or .jsonl.")
    with _written(path) as file:
        if ending == ".jsonl":
            for letter in letters:
                file.write(json.dumps(asdict(letter), ensure_ascii=False, default=str) + "\n")
        else:
            _write_csv(letters, file)
    return len(letters)


def _write_csv(letters: Sequence[DeadLetterRecord], file: IO[str]) -> None:
    names = list(dict.fromkeys(name for letter in letters for name in letter.payload))
    lines = csv.writer(file)
    lines.writerow([*(f"_{name}" for name in FACTS), *names])
    for letter in letters:
        facts = [getattr(letter, name) for name in FACTS]
        lines.writerow([*facts, *(_cell(letter.payload.get(name)) for name in names)])


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


@contextmanager
def _written(path: Path) -> Iterator[IO[str]]:
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        raise PermanentError(f"{path} cannot be written: {reason}.", hint="Choose another place.") from error
