"""Many malformed inputs in child processes, and what came of them.

python -m tests.fuzz.bulk 10000 [DECODER ...]    # prints the numbers
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IN_ONE_CHILD = 500
BLAMED = 20
"""So many wrong inputs are enough, and are shown."""


@dataclass
class Report:
    """What came of the inputs of one decoder.

    Attributes:
        wrong: by number of the input: what must not be.
        slowest: CPU seconds, and the number of the input.
    """

    decoder: str
    inputs: int = 0
    bytes: int = 0
    rows: int = 0
    refused: int = 0
    runs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)
    wrong: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.most_common())
        seconds, number = self.slowest
        head = (
            f"{self.decoder}: {self.inputs:,} inputs ({self.bytes / 2**20:,.0f} MB), {self.runs} also as whole runs: "
            f"{kinds}; {self.rows:,} rows and {self.refused:,} rejects; the slowest took {seconds:.2f} CPU seconds "
            f"(number {number}); {len(self.wrong)} wrong"
        )
        return "\n".join([head, *(f"  {number}: {why}" for number, why in list(self.wrong.items())[:BLAMED])])


def read_inputs(decoder: str, count: int, first: int = 0) -> Report:
    """Read inputs ``first`` and so on; one that kills its process is blamed, and the others go on."""
    report = Report(decoder)
    number, end = first, first + count
    while number < end and len(report.wrong) < BLAMED:
        number = _child(report, number, min(IN_ONE_CHILD, end - number))
    return report


def _child(report: Report, first: int, count: int) -> int:
    """Run a child; gives the number of the first input that it did not come to."""
    command = [sys.executable, "-m", "tests.fuzz.child", report.decoder, str(first), str(count)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    last = first - 1
    for line in child.stdout.splitlines():
        facts = json.loads(line)
        last = facts.get("started", last)
        if "failed" in facts:
            report.wrong[facts["failed"]] = facts["why"]
        if "done" in facts:
            report.inputs += facts["done"]
            report.kinds.update(facts["kinds"])
            report.slowest = max(report.slowest, tuple(facts["slowest"]))
            for name in ("bytes", "rows", "refused", "runs"):
                setattr(report, name, getattr(report, name) + facts[name])
    if child.returncode:
        report.inputs += last + 1 - first
        report.wrong[last] = f"it killed its process ({child.returncode}): {child.stderr[-3000:]}"
    return last + 1


if __name__ == "__main__":
    from tests.fuzz.catalogue import DECODERS

    for name in sys.argv[2:] or DECODERS:
        sys.stdout.write(f"{read_inputs(name, int(sys.argv[1]))}\n")
        sys.stdout.flush()
