"""About, and what every key does."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from etl_studio import __version__
from etl_studio.ui.actions import ACTIONS, MENUS, plain
from etl_studio.ui.theme.tokens import SPACE

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from etl_studio.ui.actions import Actions
    from etl_studio.ui.theme.theme import Theme

CANVAS_KEYS = (
    ("Tab", "Search for a node to add behind the selected one"),
    ("Alt and arrow keys", "Walk from node to node; with Shift select them, too"),
    ("Home, End", "Go to the first node, to the last"),
    ("Arrow keys", "Move the selection; with Shift further"),
    ("C, Shift+C", "Connect the node, or choose what feeds it"),
    ("Ctrl+Shift+Down", "Connect what the node rejects"),
    ("W, Shift+W", "Go through the wires of the node"),
    ("Return", "Open the settings of the selected node; Esc leads back"),
    ("Menu, Shift+F10", "What can be done with the node"),
    ("Alt and drag", "Move without grid and guides"),
    ("Space and drag", "Move the canvas"),
    ("Ctrl and wheel", "Zoom where the pointer is"),
    ("Esc", "Give up a drag, or select nothing"),
)
LETTER_KEYS = (
    ("Return", "Edit the row; in the row, the value"),
    ("Ctrl and Return", "Replay what is selected, or all that are shown"),
    ("Delete", "Discard what is selected; in the row, make the value NULL"),
    ("Ctrl+F", "Filter"),
    ("Esc", "Give up what is typed; from the row back to the list"),
)


class AboutDialog(QDialog):
    """Name, version and licence.

    Args:
        theme: draws the picture.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About ETL Studio")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picture = QLabel()
        picture.setPixmap(theme.pixmap("etl-studio", size=72))
        name = QLabel("ETL Studio")
        name.setProperty("role", "heading")
        facts = QLabel(f"Version {__version__}  ·  Python {platform.python_version()}  ·  Qt {qVersion()}")
        facts.setProperty("role", "muted")
        words = QLabel("Build data pipelines on a canvas, run them, watch them live. MIT licence.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8 * SPACE, 6 * SPACE, 8 * SPACE, 4 * SPACE)
        layout.setSpacing(2 * SPACE)
        for widget in (picture, name, facts, words):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        layout.addSpacing(3 * SPACE)
        layout.addWidget(buttons)


def all_keys(actions: Actions) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each menu and part of the window with its keys and what they do, as they are now."""
    groups = []
    for menu in MENUS:
        keys = [(shown_keys(actions[spec.id]), plain(spec.text)) for spec in ACTIONS if spec.menu == menu]
        groups.append((plain(menu), [pair for pair in keys if pair[0]]))
    return [*groups, ("On the canvas", list(CANVAS_KEYS)), ("In dead letters", list(LETTER_KEYS))]


def shown_keys(action: QAction) -> str:
    """The keys of an action as this system writes them."""
    return ", ".join(keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts())
