"""Whether the process that began a run still lives."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

QUERY_LIMITED_INFORMATION, STILL_ACTIVE = 0x1000, 259
"""Windows' numbers: the right to ask, and the exit code of a process that has none yet."""


@cache
def this_process() -> tuple[int, float]:
    """Id and start of this process; together they name it even when ids are used again."""
    return os.getpid(), _started(os.getpid()) or time.time()


def is_alive(process: int, started: float) -> bool:
    """Whether that very process still runs."""
    if process == os.getpid():
        return abs(started - this_process()[1]) < 1
    now = _started(process)
    if now is None:
        return False
    return now < 0 or abs(now - started) < 1


def _started(process: int) -> float | None:
    """Start of a process in seconds; None: it is gone; negative: it lives, but its start cannot be told here."""
    if sys.platform.startswith("linux"):
        try:
            fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return None
        # Field 22 of proc(5): ticks since boot.
        return int(fields[19]) / os.sysconf("SC_CLK_TCK") + 1
    if sys.platform == "win32":
        return -1.0 if _lives_on_windows(process) else None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except OSError:
        return -1.0
    return -1.0


def _lives_on_windows(process: int) -> bool:
    """There, ``os.kill`` would end the process or send it Ctrl+C."""
    import ctypes

    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(QUERY_LIMITED_INFORMATION, False, process)
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not known or code.value == STILL_ACTIVE
