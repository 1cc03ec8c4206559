"""What a run may take of the machine: memory, shared by SQL and wires, and room on the disk that it spills to."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio.engine.events import MemorySample
from etl_studio.engine.inbox import Bounds
from etl_studio.errors import PermanentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MB = 2**20
SMALLEST = 256 * MB
SHARE = 0.75
"""Of the machine's memory, where nobody set a budget."""
SQL_SHARE = 0.6
WIRES_SHARE = 0.125
MARGIN = 1.1
"""A run fails when the process holds so many times its budget: beyond it, the machine begins to swap."""
DISK_FLOOR = 200 * MB
"""A run fails when less room is left: a full disk harms others, and what is committed needs room, too."""

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


@dataclass(frozen=True, slots=True)
class MemoryBudget:
    """How much memory a run may take.

    Attributes:
        bytes: of the whole process.
    """

    bytes: int

    @classmethod
    def parse(cls, text: str) -> MemoryBudget:
        """From a text such as ``2GB`` or ``512 MB``; a unit is 1,024 of the one before.

        Raises:
            UsageError: it is no size, or too small to work with.
        """
        found = _SIZE.fullmatch(text)
        if found is None:
            raise UsageError(f'"{text}" is no amount of memory.', hint="Write it as 512MB or 2GB.")
        size = int(float(found[1]) * _UNITS[found[2].lower()])
        if size < SMALLEST:
            raise UsageError(f"A run needs at least {SMALLEST // MB} MB of memory.", hint="Write it as 512MB or 2GB.")
        return cls(size)

    @classmethod
    def of_machine(cls) -> MemoryBudget:
        """Three quarters of what the machine, or the container, has."""
        return cls(max(SMALLEST, int(SHARE * (machine_memory() or 4096 * MB))))

    @property
    def sql(self) -> str:
        """DuckDB's part, beyond which it spills to disk."""
        return f"{int(self.bytes * SQL_SHARE) // MB}MiB"

    def bounds(self, wires: int) -> Bounds:
        """Of each of so many wires: together they hold at most an eighth."""
        fair = int(self.bytes * WIRES_SHARE) // max(wires, 1)
        return Bounds(bytes=max(MB, min(Bounds().bytes, fair)))


class Limits:
    """Looks whether a run still keeps within its budget and the disk has room.

    Args:
        budget: of the process.
        folders: where it writes; each may be on a disk of its own.
        resident: bytes that the process holds; None where the system does not tell.
        free: bytes of room left at a folder.
        sql: bytes that DuckDB holds, where known.
    """

    def __init__(
        self,
        budget: MemoryBudget,
        folders: Sequence[Path],
        *,
        sql: Callable[[], int | None],
        resident: Callable[[], int | None] | None = None,
        free: Callable[[Path], int | None] | None = None,
    ) -> None:
        self._budget = budget
        self._folders = folders
        self._sql = sql
        self._resident = resident or resident_memory
        self._free = free or free_room
        self.peak: int | None = None

    def read(self) -> MemorySample:
        """What is held now."""
        resident = self._resident()
        if resident is not None:
            self.peak = max(self.peak or 0, resident)
        return MemorySample(resident, self._sql(), self._budget.bytes)

    def check(self, sample: MemorySample) -> None:
        """Judge what was read, and the disks.

        Raises:
            PermanentError: the run must end before the machine suffers.
        """
        if sample.resident is not None and sample.resident > self._budget.bytes * MARGIN:
            raise PermanentError(
                f"The run holds {sample.resident // MB:,} MB of memory; its budget is {self._budget.bytes // MB:,} MB.",
                hint="Give it more with --memory, read smaller batches, or use fewer workers.",
            )
        for folder in self._folders:
            room = self._free(folder)
            if room is not None and room < DISK_FLOOR:
                raise PermanentError(
                    f'Only {room // MB:,} MB are free on the disk of "{folder}"; a run needs {DISK_FLOOR // MB} MB.',
                    hint="Free some room, or use a workspace on another disk.",
                )


def resident_memory() -> int | None:
    """Bytes that this process holds in memory; None where the system does not tell them cheaply."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def free_room(folder: Path) -> int | None:
    """Bytes of room on the disk of a folder; None while there is no such folder."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def machine_memory() -> int | None:
    """Bytes of memory of the machine, or of the container where that has less; None where the system does not tell."""
    found = []
    if sys.platform != "win32":
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            found.append(int(Path(file).read_text()))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return min(found, default=None)
