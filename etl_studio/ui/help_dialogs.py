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
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from etl_studio.ui.actions import Actions
    from etl_studio.ui.theme.theme import Theme

CANVAS_KEYS = (
    (N_("Tab"), N_("Search for a node to add behind the selected one")),
    (N_("Alt and arrow keys"), N_("Walk from node to node; with Shift select them, too")),
    (N_("F, +, -"), N_("Fit the pipeline, zoom in, zoom out")),
    (N_("Home, End"), N_("Go to the first node, to the last")),
    (N_("Arrow keys"), N_("Move the selection; with Shift further")),
    (N_("Ctrl+Shift+Down"), N_("Connect what the node rejects")),
    (N_("Return"), N_("Open the settings of the selected node; Esc leads back")),
    (N_("Menu, Shift+F10"), N_("What can be done with the node")),
    (N_("Alt and drag"), N_("Move without grid and guides")),
    (N_("Space and drag"), N_("Move the canvas")),
    (N_("Ctrl and wheel"), N_("Zoom where the pointer is")),
    (N_("Esc"), N_("Give up a drag, or select nothing")),
)
LETTER_KEYS = (
    (N_("Return"), N_("Edit the row; in the row, the value")),
    (N_("Ctrl and Return"), N_("Replay what is selected, or all that are shown")),
    (N_("Delete"), N_("Discard what is selected; in the row, make the value NULL")),
    (N_("Ctrl+F"), N_("Filter")),
    (N_("Esc"), N_("Give up what is typed; from the row back to the list")),
)


class AboutDialog(QDialog):
    """Name, version and licence.

    Args:
        theme: draws the picture.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("About ETL Studio"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picture = QLabel()
        picture.setPixmap(theme.pixmap("etl-studio", size=72))
        name = QLabel("ETL Studio")
        name.setProperty("role", "heading")
        facts = QLabel(
            tr(
                "Version {version}  ·  Python {python}  ·  Qt {qt}",
                version=__version__,
                python=platform.python_version(),
                qt=qVersion(),
            )
        )
        facts.setProperty("role", "muted")
        words = QLabel(tr("Build data pipelines on a canvas, run them, watch them live. MIT licence."))
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
        keys = [(shown_keys(actions[spec.id]), plain(tr(spec.text))) for spec in ACTIONS if spec.menu == menu]
        groups.append((plain(tr(menu)), [pair for pair in keys if pair[0]]))
    return [*groups, *fixed_keys()]


def fixed_keys() -> list[tuple[str, list[tuple[str, str]]]]:
    """Each part of the window with the keys that are always the same, and what they do."""
    parts = ((tr("On the canvas"), CANVAS_KEYS), (tr("In dead letters"), LETTER_KEYS))
    return [(title, [(tr(key), tr(text)) for key, text in keys]) for title, keys in parts]


def shown_keys(action: QAction) -> str:
    """The keys of an action as this system writes them."""
    return ", ".join(keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts())
