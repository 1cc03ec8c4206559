"""Brings events from the engine's threads to the window's, without ever drowning it."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from etl_studio.engine.events import DeadLettered, LogWritten, RetryScheduled, Sampled

if TYPE_CHECKING:
    from etl_studio.engine.events import Event

WAITING_LIMIT = 2_000
"""Events about single rows that may wait; more are left to the workspace's tables, which hold all of them."""

SLICE_SECONDS = 0.008
"""How long the window hands out events before it looks at mouse and keyboard again."""


class EventMailbox(QObject):
    """Takes events on any thread and gives them in order on the window's.

    Of samples that wait only the newest counts.

    Attributes:
        delivered: one event, on the thread of this object.
    """

    delivered = Signal(object)
    _filled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self._woken = False
        self._filled.connect(self._empty, Qt.ConnectionType.QueuedConnection)

    def put(self, event: Event) -> None:
        """Take an event; callable from every thread, returns at once."""
        with self._lock:
            if isinstance(event, Sampled) and self._waiting and isinstance(self._waiting[-1], Sampled):
                self._waiting.pop()
            elif isinstance(event, DeadLettered | LogWritten | RetryScheduled) and len(self._waiting) >= WAITING_LIMIT:
                return
            self._waiting.append(event)
            if self._woken:
                return
            self._woken = True
        self._filled.emit()

    def flush(self) -> None:
        """Deliver all that waits now."""
        while (event := self._next()) is not None:
            self.delivered.emit(event)

    def _empty(self) -> None:
        until = time.monotonic() + SLICE_SECONDS
        while (event := self._next()) is not None:
            self.delivered.emit(event)
            if time.monotonic() > until:
                QTimer.singleShot(0, self, self._empty)
                return

    def _next(self) -> Event | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._woken = False
            return None
