"""What a person sees when the window met an error nobody expected: a short text, and the details for a report."""

from __future__ import annotations

import platform
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from etl_studio import __version__
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from types import TracebackType


class CrashDialog(QMessageBox):
    """Says that an action failed and that the work is still here.

    Args:
        error: what was not expected.
        details: for a report.
    """

    def __init__(self, error: BaseException, details: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.details = details
        self.setIcon(QMessageBox.Icon.Warning)
        self.setWindowTitle("ETL Studio")
        self.setText(tr("Something unexpected happened."))
        self.setInformativeText(
            tr(
                "The last action may not be complete, but your pipeline is still here. "
                "Save it, and please report this: {error}.",
                error=type(error).__name__,
            )
        )
        self.copy_button = self.addButton(tr("Copy details"), QMessageBox.ButtonRole.ActionRole)
        self.copy_button.clicked.disconnect()
        self.copy_button.clicked.connect(self.copy_details)
        self.addButton(QMessageBox.StandardButton.Close)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def copy_details(self) -> None:
        """Put the details on the clipboard."""
        QGuiApplication.clipboard().setText(self.details)


class CrashGuard(QObject):
    """Takes what nobody caught, on any thread, and shows one dialog at a time instead of dying.

    Args:
        window: the dialog's parent.
    """

    _met = Signal(object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: CrashDialog | None = None
        self._hooks = (sys.excepthook, threading.excepthook)
        self._met.connect(self._show)

    def install(self) -> None:
        """Begin."""
        sys.excepthook = self.take
        threading.excepthook = self._take_from_thread

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._hooks

    def take(self, kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
        """Take an exception as ``sys.excepthook`` does."""
        if error is None or issubclass(kind, KeyboardInterrupt):
            self._hooks[0](kind, error, where)
            return
        self._met.emit(error)

    def _take_from_thread(self, facts: threading.ExceptHookArgs) -> None:
        self.take(facts.exc_type, facts.exc_value, facts.exc_traceback)

    def _show(self, error: BaseException) -> None:
        details = "".join(traceback.format_exception(error))
        details += f"\nETL Studio {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        print(details, file=sys.stderr)  # noqa: T201 - the terminal's copy of the report
        if self.dialog is not None:
            return
        self.dialog = CrashDialog(error, details, QApplication.activeWindow() or self._window)
        self.dialog.finished.connect(self._forget)
        self.dialog.open()

    def _forget(self) -> None:
        self.dialog = None
