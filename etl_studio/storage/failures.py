"""SQLite's errors in words for people: which file, what is wrong, what to do, and whether trying again may help."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import apsw
import peewee

from etl_studio.errors import Cancelled, EtlError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def failures_of(path: Path) -> Iterator[None]:
    """Turn errors of APSW and Peewee inside the block into ours.

    Raises:
        TransientError: another program holds the lock.
        PermanentError: anything else.
        Cancelled: the statement was interrupted.
    """
    try:
        yield
    except (apsw.Error, peewee.PeeweeException) as error:
        raise translated(error, path) from error


def translated(error: BaseException, path: Path) -> EtlError:  # noqa: C901 - one case for each code of SQLite
    """One error as ours."""
    cause = error
    if isinstance(error, peewee.PeeweeException):
        cause = next((c for c in (error.__cause__, error.__context__) if isinstance(c, apsw.Error)), error)
    text = str(cause)
    match cause:
        case apsw.BusyError() | apsw.LockedError():
            return TransientError(
                f"The database {path} is locked by another program.",
                hint="Close the program that has it open, or wait until it is done.",
            )
        case apsw.InterruptError() | apsw.AbortError():
            return Cancelled("The statement was stopped.")
        case apsw.FullError():
            return PermanentError(f"The disk is full: {path} cannot grow.", hint="Make room and run again.")
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return PermanentError(
                f"The database {path} is read-only.", hint="Change the file's permissions or choose another file."
            )
        case apsw.CantOpenError():
            return PermanentError(f"The database {path} cannot be opened.", hint=_why_not_open(path))
        case apsw.NotADBError():
            return PermanentError(f"{path} is no SQLite database.", hint="Choose another file.")
        case apsw.CorruptError():
            return PermanentError(f"The database {path} is damaged.", hint="Restore it from a backup.")
        case apsw.IOError():
            return PermanentError(
                f"Reading or writing {path} failed: {text}.", hint="Check the disk: it may be full or gone."
            )
        case apsw.ConstraintError():
            return PermanentError(
                f"The table refuses a row: {text}.", hint="Mend the rows before, or the table's constraint."
            )
        case _:
            return PermanentError(f"The database {path} refused a statement: {text}.")


def _why_not_open(path: Path) -> str:
    if path.is_dir():
        return "It is a folder; name a file in it."
    if not path.parent.is_dir():
        return f"There is no folder {path.parent}; create it."
    return "Check the permissions of the file and its folder."
