"""Power fails while a table is loaded: the write-ahead log is cut or garbled at random, and opened anew.

    python -m tests.e2e.torn_wal CUTS [--bug before|after] [--seed N]

A writer commits batches of rows, each with its mark, through the storage; after each commit the database and its log
are copied, as a disk might hold them. Then logs are spoilt and each is opened through the storage again. The rows in
the table must be those that the mark tells of. With ``--bug`` the mark is committed in a transaction of its own, before
or after the rows: then some must disagree.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from etl_studio.sdk import Mark
from etl_studio.storage.databases import Databases

RUN, NODE = "20260131-000000-aaaaaa", "save"
COMMITS, ROWS = 12, 40
HEADER, FRAME = 32, 24 + 4096
"""Bytes of the log's header, and of one page in it with its own header."""


@dataclass
class Report:
    """What the spoilt logs gave back.

    Attributes:
        epochs: how many logs led back to which commit.
        wrong: one sentence for each that did not agree.
    """

    cuts: int = 0
    epochs: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def write(folder: Path, bug: str | None) -> list[Path]:
    """Load; gives the copies of the database and its log after each commit."""
    copies = []
    with Databases() as databases:
        file = databases.open(folder / "data.db")
        file.connection().pragma("wal_autocheckpoint", 150)  # so that some commits are in the database already
        load = file.load_table("t", "append")
        for epoch in range(1, COMMITS + 1):
            load.write(batch(epoch))
            mark = Mark(RUN, NODE, epoch, epoch == COMMITS, {"cursors": {"read": epoch * ROWS}})
            if bug == "before":
                file.save_mark(mark)
            load.commit(None if bug else mark)
            if bug == "after":
                file.save_mark(mark)
            copy = folder / f"after_{epoch}"
            copy.mkdir()
            for name in ("data.db", "data.db-wal"):
                shutil.copy(folder / name, copy / name)
            copies.append(copy)
        load.abort()
    return copies


def batch(epoch: int) -> pa.RecordBatch:
    """Rows that take about a page for each four."""
    numbers = range((epoch - 1) * ROWS, epoch * ROWS)
    return pa.RecordBatch.from_pydict({"id": list(numbers), "text": ["x" * 900] * ROWS})


def spoil(log: bytes, chance: random.Random) -> bytes:
    """A log as power failure leaves it: cut, or with a tail of nothing, of noise, or of pages that came too late."""
    place = chance.randint(0, len(log)) if chance.random() < 0.5 else frame_end(log, chance)
    tail = log[place:]
    match chance.randrange(6):
        case 0 | 1:
            return log[:place]
        case 2:
            return log[:place] + bytes(len(tail))
        case 3:
            return log[:place] + chance.randbytes(len(tail))
        case 4:  # one bit
            spoilt = bytearray(log)
            spoilt[min(place, len(spoilt) - 1)] ^= 1 << chance.randrange(8)
            return bytes(spoilt)
        case _:  # a page in the middle was never written, those behind it were
            return log[:place] + bytes(min(FRAME, len(tail))) + log[place + FRAME :]


def frame_end(log: bytes, chance: random.Random) -> int:
    """Where a page begins."""
    return HEADER + chance.randint(0, max(len(log) - HEADER, 0) // FRAME) * FRAME


def look(folder: Path) -> tuple[int, list[str]]:
    """The epoch of the mark, and what does not agree with it."""
    with Databases() as databases:
        file = databases.open(folder / "data.db")
        check = file.query("PRAGMA integrity_check")
        mark = file.mark(RUN, NODE)
        there = file.query("SELECT 1 FROM main.sqlite_schema WHERE name = 't'")
        rows = [row[0] for row in file.query("SELECT id FROM t ORDER BY id")] if there else []
    told = mark.facts["cursors"]["read"] if mark else 0
    wrong = [] if check == [("ok",)] else [f"the file is damaged: {check}"]
    if rows != list(range(told)):
        wrong.append(f"the mark tells of {told} rows, the table has {len(rows)}")
    return (mark.epoch if mark else 0), wrong


def spoil_and_look(cuts: int, *, bug: str | None = None, seed: int = 1) -> Report:
    """Spoil so many logs and look at each."""
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        copies = write(place, bug)
        for number in range(cuts):
            chance = random.Random(f"{seed} {number}")
            folder = place / "spoilt"
            shutil.copytree(chance.choice(copies), folder)
            log = folder / "data.db-wal"
            log.write_bytes(spoil(log.read_bytes(), chance))
            epoch, wrong = look(folder)
            report.cuts += 1
            report.epochs[epoch] += 1
            report.wrong += [f"{number}: {text}" for text in wrong]
            shutil.rmtree(folder)
    return report


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("cuts", type=int)
    parser.add_argument("--bug", choices=["before", "after"])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    report = spoil_and_look(given.cuts, bug=given.bug, seed=given.seed)
    epochs = ", ".join(f"{count} to commit {epoch}" for epoch, count in sorted(report.epochs.items()))
    sys.stdout.write(f"{report.cuts:,} logs cut or garbled ({epochs}); {len(report.wrong)} do not agree\n")
    sys.stdout.writelines(f"  {text}\n" for text in report.wrong[:20])


if __name__ == "__main__":
    main()
