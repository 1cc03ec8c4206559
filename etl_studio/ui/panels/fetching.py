"""Work in a thread of its own for a panel: asked for in the window's thread, answered there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal

from etl_studio.errors import EtlError, PipelineError
from etl_studio.ui.run.qt_workers import thread_locals_dropped

if TYPE_CHECKING:
    from collections.abc import Callable


class _Call(QThread):
    """One piece of work. It belongs to nobody, so that no widget's end can destroy it while it runs."""

    came = Signal(int, object)
    broke = Signal(int, str)

    def __init__(self, number: int, work: Callable[[], Any], cancel: Callable[[], None] | None) -> None:
        super().__init__()
        self.number = number
        self._work, self._cancel = work, cancel

    def cancel(self) -> None:
        if self._cancel is not None and not self.isFinished():
            self._cancel()

    def run(self) -> None:
        with thread_locals_dropped():
            self._answer()

    def _answer(self) -> None:
        try:
            self.came.emit(self.number, self._work())
        except PipelineError as error:
            problems = "\n".join(str(problem) for problem in error.problems)
            self.broke.emit(self.number, f"{error}\n{problems}" if problems else str(error))
        except EtlError as error:
            self.broke.emit(self.number, str(error))
        except Exception as error:  # noqa: BLE001 - whatever happened, the panel tells it and lives on
            self.broke.emit(self.number, f"{type(error).__name__}: {error}")


def _end(calls: set[_Call]) -> None:
    for call in calls:
        call.cancel()
    for call in calls:
        call.wait()


class Fetcher(QObject):
    """Does one thing at a time in a thread; a new request makes the answer to the one before worthless.

    Signals:
        fetched: the answer to the last request.
        failed: why there is none, for people.

    Args:
        parent: its parent.
    """

    fetched = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._calls: set[_Call] = set()
        self._last = 0
        # destroyed comes after Python's methods are gone: a plain function that holds the calls themselves
        self.destroyed.connect(partial(_end, self._calls))
        QCoreApplication.instance().aboutToQuit.connect(self.close)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return any(call.number == self._last for call in self._calls)

    def ask(self, work: Callable[[], Any], cancel: Callable[[], None] | None = None) -> None:
        """Do ``work`` in a thread; ``cancel`` makes it end early and may be called from the window's thread."""
        self.cancel()
        self._last += 1
        call = _Call(self._last, work, cancel)
        call.came.connect(self._came)
        call.broke.connect(self._broke)
        call.finished.connect(self._ended)
        self._calls.add(call)
        call.start()

    def cancel(self) -> None:
        """Forget the last request; no answer will come."""
        for call in self._calls:
            call.cancel()
        self._last += 1

    def close(self) -> None:
        """Cancel and wait until no thread runs."""
        self.cancel()
        _end(self._calls)
        self._calls.clear()

    def _came(self, number: int, answer: object) -> None:
        if number == self._last:
            self.fetched.emit(answer)

    def _broke(self, number: int, message: str) -> None:
        if number == self._last:
            self.failed.emit(message)

    def _ended(self) -> None:
        for call in [call for call in self._calls if call.isFinished()]:
            self._calls.discard(call)
            call.deleteLater()
