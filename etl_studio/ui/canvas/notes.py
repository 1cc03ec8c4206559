"""The notes of a scene: items that follow the document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.ui.canvas.items.note import NoteItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PySide6.QtWidgets import QGraphicsScene

    from etl_studio.ui.canvas.items.sprites import Sprites
    from etl_studio.ui.document import PipelineDocument


class Notes(QObject):
    """Makes, moves and removes the items of notes.

    Args:
        scene: where they are.
        document: the notes.
        sprites: fonts and colours.

    Attributes:
        items: by id.
    """

    gone = Signal(bool)
    """A note is not there any more; whether it was selected."""

    def __init__(self, scene: QGraphicsScene, document: PipelineDocument, sprites: Sprites) -> None:
        super().__init__(scene)
        self._scene = scene
        self._document = document
        self._sprites = sprites
        self.items: dict[str, NoteItem] = {}
        self._document.note_added.connect(self._on_added)
        self._document.note_removed.connect(self._on_removed)
        self._document.note_changed.connect(self._on_changed)
        self._document.note_moved.connect(self._on_moved)

    def renew(self) -> None:
        """The scene is empty: make all items."""
        self.items.clear()
        for name in self._document.pipeline.notes:
            self._on_added(name)

    def repaint(self) -> None:
        """The theme has other colours."""
        for name in self.items:
            self._on_changed(name)

    def chosen(self) -> list[str]:
        """Ids of the selected notes, in the order of the document."""
        return [name for name in self._document.pipeline.notes if name in self.items and self.items[name].chosen]

    def choose(self, names: Iterable[str]) -> None:
        """Select exactly these."""
        chosen = set(names)
        for name, item in self.items.items():
            item.show_chosen(chosen=name in chosen)

    def _on_added(self, name: str) -> None:
        item = self.items[name] = NoteItem(self._sprites)
        self._scene.addItem(item)
        self._on_changed(name)
        self._on_moved(name)

    def _on_removed(self, name: str) -> None:
        item = self.items.pop(name)
        self._sprites.faces.forget(item)
        self._scene.removeItem(item)
        self.gone.emit(item.chosen)

    def _on_changed(self, name: str) -> None:
        self.items[name].show_note(self._document.pipeline.notes[name])

    def _on_moved(self, name: str) -> None:
        if place := self._document.pipeline.layout.get(name):
            self.items[name].show_place(place)
