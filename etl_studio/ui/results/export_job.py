"""One export in a thread, with progress and cancel."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.errors import Cancelled, EtlError
from etl_studio.ui.run.qt_workers import QtWorker
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Export = Callable[[Path, Callable[[int, int], None], Callable[[], bool]], int]


class ExportJob(QObject):
    """Writes one table to one file.

    Args:
        export: writes the rows; takes the path, progress (rows done, rows in all) and whether to give up; returns the
            number of rows. Called in a thread.
        path: the file.

    Attributes:
        progressed: rows done, rows in all.
        done: rows written.
        failed: why there is no file, for people.
        cancelled: it was given up; there is no file.
    """

    progressed = Signal(int, int)
    done = Signal(int)
    failed = Signal(str)
    cancelled = Signal()

    def __init__(self, export: Export, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.path = path
        self._export = export
        self._giving_up = threading.Event()
        self._worker = QtWorker("export", self._work)

    def start(self) -> None:
        """Begin."""
        self._worker.start()

    def cancel(self) -> None:
        """Give up soon."""
        self._giving_up.set()

    def close(self) -> None:
        """Give up and wait."""
        self.cancel()
        self._worker.join()

    def _work(self) -> None:
        try:
            rows = self._export(self.path, self.progressed.emit, self._giving_up.is_set)
        except Cancelled:
            self.cancelled.emit()
        except EtlError as error:
            self.failed.emit(str(error))
        except OSError as error:
            why = error.strerror
            self.failed.emit(tr("The file cannot be written: {why}. Choose another place.", why=why))
        except Exception as error:  # noqa: BLE001 - whatever happened, the panel tells it and lives on
            self.failed.emit(f"{type(error).__name__}: {error}")
        else:
            self.done.emit(rows)
