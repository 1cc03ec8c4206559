"""Fetches pages of a table in a thread of its own, one at a time, the newest wish first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThread, Signal, Slot

from etl_studio.errors import EtlError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Order:
    """Something to fetch. ``ticket`` comes back with the answer."""

    ticket: Any
    fetch: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was fetched, or the text of the error."""

    ticket: Any
    value: Any = None
    error: str | None = None


class _Clerk(QObject):
    """Lives in the loader's thread."""

    answered = Signal(object)

    @Slot(object)
    def serve(self, order: Order) -> None:
        try:
            self.answered.emit(Answer(order.ticket, order.fetch()))
        except EtlError as error:
            self.answered.emit(Answer(order.ticket, error=str(error)))
        except Exception as error:  # noqa: BLE001 - a database that breaks must not end the thread
            self.answered.emit(Answer(order.ticket, error=f"{type(error).__name__}: {error}"))


class PageLoader(QObject):
    """Serves orders in a thread.

    Attributes:
        answered: an ``Answer``, on the thread of this object.
    """

    answered = Signal(object)
    _ordered = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = QThread()
        self._thread.setObjectName("results")
        self._clerk = _Clerk()
        self._clerk.moveToThread(self._thread)
        self._ordered.connect(self._clerk.serve)
        self._clerk.answered.connect(self.answered)

    def order(self, ticket: Any, fetch: Callable[[], Any]) -> None:
        """Call ``fetch`` in the thread and answer with ``ticket``."""
        if not self._thread.isRunning():
            self._thread.start()
        self._ordered.emit(Order(ticket, fetch))

    def shut_down(self) -> None:
        """End the thread after the fetch that runs now."""
        self._thread.quit()
        self._thread.wait()
