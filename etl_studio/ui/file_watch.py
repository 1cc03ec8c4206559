"""Notices when another program changes or deletes the file of the open document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.ui.document import PipelineDocument

AFTER = 150
"""Milliseconds of quiet before the file is read: editors write in several steps."""


def read_text(path: Path) -> str | None:
    """What a file says; None: it is not there, or cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


class FileWatch(QObject):
    """Compares the file with what the document knows of it, whenever it may have changed.

    Looks when the system tells of a change and when the program comes to the front: not every file system tells.

    Args:
        document: its file is watched.
        parent: its parent.

    Signals:
        changed: the file says something else; its text.
        gone: the file is not there any more.
        settled: the file says again what the document knows.
    """

    changed = Signal(str)
    gone = Signal()
    settled = Signal()

    def __init__(self, document: PipelineDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._told: str | None = document.saved_text
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=AFTER)
        self._timer.timeout.connect(self.look)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._compare)
        self._watcher.fileChanged.connect(self._soon)
        self._watcher.directoryChanged.connect(self._soon)
        for signal in (document.reset, document.path_changed, document.saved):
            signal.connect(self._follow)
        QGuiApplication.instance().applicationStateChanged.connect(self._on_state)
        self._follow()

    def look(self) -> None:
        """Read the file, and tell where it is not what it was."""
        path = self._document.path
        if path is not None and self._document.saved_text is not None:
            self._watch_again()
            self._fetcher.ask(lambda: read_text(path))

    def look_anew(self) -> None:
        """Read the file, and tell again what was told before."""
        self._told = self._document.saved_text
        self.look()

    def close(self) -> None:
        """Watch nothing any more, and wait until nothing is read."""
        self._timer.stop()
        self._unwatch()
        self._fetcher.close()

    def _follow(self) -> None:
        """Another file, or another text in it by our own hand: what was read before is out of date."""
        self._fetcher.cancel()
        self._timer.stop()
        self._told = self._document.saved_text
        self._unwatch()
        self._watch_again()

    def _unwatch(self) -> None:
        if watched := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(watched)

    def _watch_again(self) -> None:
        """An editor that replaces the file by another one takes the watch away with the old one."""
        path = self._document.path
        if path is None:
            return
        watched = {*self._watcher.files(), *self._watcher.directories()}
        missing = [str(one) for one in (path, path.parent) if one.exists() and str(one) not in watched]
        if missing:
            self._watcher.addPaths(missing)

    def _soon(self) -> None:
        self._timer.start()

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.look()

    def _compare(self, text: str | None) -> None:
        if text == self._told:
            return
        self._told = text
        if text is None:
            self.gone.emit()
        elif text == self._document.saved_text:
            self.settled.emit()
        else:
            self.changed.emit(text)
