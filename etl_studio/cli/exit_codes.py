"""What the command tells its caller by its exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of ``etl-studio``."""

    DONE = 0
    FAILED = 1
    """The run failed."""
    WRONG = 2
    """The pipeline or the call is wrong; nothing ran."""
    DEAD_LETTERS = 3
    """Done, and some rows are in the dead letters."""
    NO_WINDOW = 69
    """The window cannot open here."""
    INTERRUPTED = 130
