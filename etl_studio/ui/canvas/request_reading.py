"""Recordings and descriptions of APIs on the canvas: read in a thread, then a person chooses what becomes a node."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QPointF, QTimer, Signal
from PySide6.QtWidgets import QFileDialog

from etl_studio.pipeline.request_files import read_request_file, read_requests
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.request_picker import RequestPicker
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.pipeline.request_files import RequestChoice
    from etl_studio.ui.canvas.editing import Editing
    from etl_studio.ui.canvas.navigation import Navigation
    from etl_studio.ui.theme.theme import Theme

SUFFIXES = (".har", ".json", ".yaml", ".yml")
"""Endings of files that may be a recording or a description."""
SOON = 300
"""Milliseconds after which a person is told that a file is being read."""


class RequestReading(QObject):
    """Reads files and texts one after the other and asks what to take of each.

    Args:
        window: over which the question opens.
        editing: adds the nodes.
        navigation: what is in sight.
        theme: colours of the question.

    Attributes:
        picker: the question that is open.
    """

    other_found = Signal(object, QPointF)
    """A file (``Path``) is neither a recording nor a description; and the place where it was dropped."""

    def __init__(self, window: QWidget, editing: Editing, navigation: Navigation, theme: Theme) -> None:
        super().__init__(window)
        self._window, self._editing, self._navigation, self._theme = window, editing, navigation, theme
        self._waiting: list[tuple[str | Path, QPointF]] = []
        self._current: tuple[str | Path, QPointF] | None = None
        self.picker: RequestPicker | None = None
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._take)
        self._fetcher.failed.connect(self._refuse)
        self._slow = QTimer(self, singleShot=True, interval=SOON)
        self._slow.timeout.connect(self._tell_slow)

    @staticmethod
    def may_take(path: Path) -> bool:
        """Whether a file may be one, by its ending."""
        return path.suffix.lower() in SUFFIXES

    def open(self) -> None:
        """Ask for a file; what is chosen is added in the middle of what is in sight."""
        kinds = tr("Recordings and descriptions of APIs (*.har *.json *.yaml *.yml)")
        chosen, _ = QFileDialog.getOpenFileName(self._window.window(), tr("Add from HAR or OpenAPI"), "", kinds)
        if chosen:
            self.read(Path(chosen), self._navigation.sight().center())

    def read(self, what: str | Path, at: QPointF) -> None:
        """Read a text or a file, after those before it; nodes are added at a point of the scene."""
        self._waiting.append((what, at))
        self._next()

    def _next(self) -> None:
        if self._current is None and self._waiting:
            self._current = self._waiting.pop(0)
            self._slow.start()
            self._fetcher.ask(_reads(self._current[0]))

    def _take(self, choices: list[RequestChoice] | None) -> None:
        self._slow.stop()
        assert self._current is not None  # noqa: S101 - nothing is read otherwise
        what, at = self._current
        if choices is None:
            self._done()
            self.other_found.emit(what, at)
            return
        name = what.name if isinstance(what, Path) else tr("the clipboard")
        self.picker = RequestPicker(name, choices, self._theme, self._window.window())
        self.picker.picked.connect(self._add)
        self.picker.finished.connect(self._done)
        self.picker.open()

    def _add(self, chosen: list[RequestChoice]) -> None:
        assert self._current is not None  # noqa: S101 - the question is about it
        self._editing.add_drafts([choice.draft for choice in chosen], self._current[1])

    def _refuse(self, message: str) -> None:
        self._slow.stop()
        at = self._current[1] if self._current else QPointF()
        self._editing.noticed.emit(message, at)
        self._done()

    def _tell_slow(self) -> None:
        if self._current is not None:
            what, at = self._current
            name = what.name if isinstance(what, Path) else tr("the clipboard")
            self._editing.noticed.emit(tr("Reading {file}…", file=name), at)

    def _done(self) -> None:
        self.picker = self._current = None
        self._next()


def _reads(what: str | Path) -> Callable[[], Any]:
    return partial(read_request_file, what) if isinstance(what, Path) else partial(read_requests, what)
