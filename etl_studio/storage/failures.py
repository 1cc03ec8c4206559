"""What SQLite's errors mean for people, and whether trying again can help. One mapping for all of storage."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import apsw
from peewee import PeeweeException

from etl_studio.errors import Cancelled, EtlError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNCHANGED = " The tables are as they were."
_CONSTRAINT = re.compile(r"(?P<kind>UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (?P<what>.*))?")
_CONSTRAINT_HINTS = {
    "UNIQUE": "Such a row is there already: use write_disposition: merge with a key, or deduplicate the rows first.",
    "NOT NULL": "Fill the empty values with a Derive node, or filter those rows out.",
    "CHECK": "Filter out the rows that the table does not allow.",
    "FOREIGN KEY": "Load the rows that are referred to first.",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn errors of SQLite inside the block into errors for people.

    Args:
        path: the database file, for the text.

    Raises:
        TransientError: the file is locked, or could not be read or written just now.
        PermanentError: everything else.
        Cancelled: the query was interrupted.
    """
    try:
        yield
    except (apsw.Error, PeeweeException) as error:
        raise explained(error, path) from error


def explained(error: Exception, path: Path) -> EtlError:  # noqa: C901, PLR0911 - one line per kind
    """The error for people that an error of SQLite or Peewee stands for."""
    cause = error
    while hasattr(cause, "orig"):  # Peewee wraps an error again where its calls are nested
        cause = cause.orig
    match cause:
        case apsw.BusyError() | apsw.LockedError():
            return TransientError(
                f'The database "{path}" is locked by another program.',
                hint="Close the program that writes to it, or try again later.",
            )
        case apsw.ReadOnlyError():
            return read_only(path)
        case apsw.CantOpenError():
            return _cannot_open(path)
        case apsw.NotADBError():
            return PermanentError(f'"{path}" is no SQLite database.', hint="Choose another file.")
        case apsw.CorruptError():
            return PermanentError(
                f'The database "{path}" is damaged ({cause}).', hint="Restore a copy, or recover it: sqlite3 .recover."
            )
        case apsw.FullError():
            return PermanentError(
                f'There is no room left to write to "{path}": the disk is full.{UNCHANGED}',
                hint="Free some space and run again.",
            )
        case apsw.IOError():
            return TransientError(
                f'"{path}" could not be read or written ({cause}).{UNCHANGED}',
                hint="Check the disk or the network drive and its free space.",
            )
        case apsw.NoMemError():
            return PermanentError(
                f'There is not enough memory to work with "{path}".{UNCHANGED}',
                hint="Close other programs and run again.",
            )
        case apsw.InterruptError():
            return Cancelled("The query was stopped.")
        case apsw.ConstraintError():
            return _constraint(str(cause), path)
        case apsw.ConnectionClosedError() | apsw.ThreadingViolationError() | apsw.CursorClosedError():
            return PermanentError(f'The database "{path}" was closed meanwhile.', hint="Open it again.")
    return PermanentError(f'The database "{path}" refused: {cause}.')


def read_only(path: Path) -> PermanentError:
    """The file may not be written."""
    return PermanentError(
        f'The database "{path}" is read-only.', hint="Allow writing to the file and its folder, or choose another file."
    )


def _cannot_open(path: Path) -> PermanentError:
    if path.is_dir():
        return PermanentError(f'"{path}" is a folder, not a database.', hint="Give the name of a file.")
    if not path.parent.is_dir():
        return PermanentError(f'There is no folder "{path.parent}" for the database.', hint="Create it, or correct it.")
    return PermanentError(
        f'The database "{path}" cannot be opened.', hint="Check that you may read and write the file and its folder."
    )


def _constraint(text: str, path: Path) -> PermanentError:
    found = _CONSTRAINT.search(text)
    if found is None:
        return PermanentError(f'The database "{path}" refused the rows: {text}.')
    what = found["what"] or ""
    columns = ", ".join(part.strip().rpartition(".")[2] for part in what.split(","))
    place = f" ({what})" if what else ""
    return PermanentError(
        f"A row breaks the table's {found['kind']} rule{place}. Nothing was loaded.",
        hint=_CONSTRAINT_HINTS[found["kind"]],
        column=columns or None,
    )
