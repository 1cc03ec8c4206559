"""The undo stack of a document: the one gate that every edit goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QUndoStack

if TYPE_CHECKING:
    from PySide6.QtGui import QUndoCommand


class UndoStack(QUndoStack):
    """Takes no command while the document is only looked at.

    Attributes:
        read_only: whether it is.
        refused: a command was not taken.
    """

    refused = Signal()
    read_only = False

    def push(self, command: QUndoCommand) -> None:
        if self.read_only:
            self.refused.emit()
        else:
            super().push(command)

    def beginMacro(self, text: str) -> None:
        if not self.read_only:
            super().beginMacro(text)

    def endMacro(self) -> None:
        if not self.read_only:
            super().endMacro()
