"""A window of its own process in which somebody edits without rest.

Start it with ``python -m tests.ui.e2e.editing_child DATA SEED [FILE]``. It says each
state of the document as a line ``STATE`` with its text as JSON, and ``KEPT`` when the journal is up to date.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from random import Random

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication

from etl_studio.pipeline.file_format import UNTITLED, dumps, name_of
from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.opening import Opening
from etl_studio.ui.theme.theme import Theme
from tests.ui.canvas.test_undo_fuzz import Monkey

SAVES = 0.03
LONGEST = 120
"""Milliseconds between two edits."""


class Editor:
    """Edits the document of a window, drawn by a seed."""

    def __init__(self, window: MainWindow, seed: int) -> None:
        bench = window.workbench or window.opener.new()
        self.document = bench.document
        self.draw = Random(seed)
        self.monkey = Monkey(self.document, seed)
        bench.life.autosave.kept.connect(lambda: say("KEPT"))
        self.say_state()
        self.edit()

    def edit(self) -> None:
        if self.document.path and self.draw.random() < SAVES:
            self.document.save()
        else:
            self.monkey.step()
        self.say_state()
        QTimer.singleShot(self.draw.randrange(LONGEST), self.edit)

    def say_state(self) -> None:
        path = self.document.path
        text = dumps(self.document.pipeline, self.document.registry, name=name_of(path) if path else UNTITLED)
        say(f"STATE {time.monotonic()} {json.dumps(text)}")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - its way to talk


def main(data: str, seed: str, file: str = "") -> int:
    app = QApplication([])
    window = MainWindow(Theme("light"), QSettings(f"{data}/child.ini", QSettings.Format.IniFormat), Path(data))
    opening = Opening(window, Path(file) if file else None)
    editors = []
    opening.finished.connect(lambda: editors.append(Editor(window, int(seed))))
    window.show()
    return app.exec()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
