"""Reads many malformed inputs in a process of its own, so that a crash or a hang is seen, and blamed on its input.

    python -m tests.fuzz.child DECODER FIRST COUNT    # DECODER may be "planted": one with bugs

Input number n is the same on every machine. One line of JSON comes before each input and one at the end; a last line
``{"started": n}`` without ``done`` means that n killed the process.
"""

from __future__ import annotations

import faulthandler
import json
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz.catalogue import DECODERS
from tests.fuzz.planted import Planted

CPU_SECONDS = 5
"""An input may use so much; counted for the process, so that other programs on the machine do not matter."""
STUCK_SECONDS = 120
"""After so long a process that waits for something will wait for ever."""


def say(**facts) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def guard() -> None:
    """End the process, with a traceback, when the input that begins now takes too long."""
    faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)


def main(name: str, first: int, count: int) -> None:
    faulthandler.enable()
    if hasattr(signal, "SIGPROF"):
        faulthandler.register(signal.SIGPROF, chain=True)  # the traceback, then the death that the signal means
    kinds: Counter[str] = Counter()
    slowest, bytes_read, rows, refused = (0.0, -1), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        decoder = (Planted if name == "planted" else DECODERS[name])(Path(folder))
        for number in range(first, first + count):
            chance = random.Random(f"{name} {number}")
            chance.name = f"{name} {number}"
            given = decoder.make(chance)
            say(started=number)
            guard()
            begun = time.process_time()
            try:
                found = decoder.check(given)
                kinds[found.kind] += 1
                rows, refused = rows + len(found.rows), refused + found.refused
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                say(
                    failed=number,
                    why=f"{type(error).__name__}: {str(error)[:500]}",
                    trace=traceback.format_exc()[-2000:],
                )
            slowest = max(slowest, (time.process_time() - begun, number))
            bytes_read += len(given.content)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)
        decoder.close()
    say(done=count, kinds=kinds, slowest=slowest, bytes=bytes_read, rows=rows, refused=refused, runs=decoder.runs)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
