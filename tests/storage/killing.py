"""A program that does the same again and again, killed one SQL statement later each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HARNESS = """
import os, signal
from pathlib import Path
import apsw
import pyarrow as pa
from etl_studio.sdk import WriteOptions
from etl_studio.storage import commit, dry_run, results, undo
from etl_studio.storage.databases import Databases

def count_down(steps):
    def trace(cursor, statement, bindings):
        nonlocal steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return True
    for connection in apsw.connections():
        connection.exec_trace = trace

for steps in range(1, 1000):
    child = os.fork()
    if child == 0:
        {work}
        os._exit(0)
    killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
    say("killed" if killed else "done")
    if not killed:
        break
    hear()
"""


def each_kill(program: Callable[..., object], work: str, *arguments: object) -> Iterator[int]:
    """Number each kill, and wait until the caller has looked at what is left; ends when the work was done.

    Args:
        program: starts it.
        work: lines of Python; ``count_down(steps)`` in them begins to count the statements.
        arguments: for the program.
    """
    indented = work.strip().replace("\n", "\n        ")
    running = program(HARNESS.replace("{work}", indented), *arguments)
    number = 0
    while running.hear() == "killed":
        number += 1
        yield number
        running.say()
