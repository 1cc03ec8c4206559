"""A decoder with bugs, to see that they are found: input 2 crashes, 4 loses a row, 6 hangs."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from tests.fuzz.decoders import Csv, Input

if TYPE_CHECKING:
    from pathlib import Path


class Planted(Csv):
    """``csv_source`` on a good day, but for what is planted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.number = 0

    def make(self, random) -> Input:
        self.number = int(random.name.split()[1])
        return Input(b"a,b\n1,2\n3,4\n", {"path": "data.csv"}, "data.csv")

    def _read(self, *arguments):
        found = super()._read(*arguments)
        if self.number == 2:
            ctypes.string_at(0)
        if self.number == 4:
            del found.rows[0]
        while self.number == 6:
            pass
        return found
