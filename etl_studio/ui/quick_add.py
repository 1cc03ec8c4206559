"""Quick add: a popup that searches for a node type; whoever opened it is told which one was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Signal

from etl_studio.ui.node_row import NodeRow
from etl_studio.ui.node_search import search
from etl_studio.ui.search_popup import SearchPopup
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.sdk import Node, Registry
    from etl_studio.ui.theme.theme import Theme

SEARCH = N_("Search for a node")


def anything(node_type: type[Node]) -> bool:
    """Every type is offered."""
    del node_type
    return True


def alike(node_type: type[Node]) -> int:
    """No type comes before another."""
    del node_type
    return 0


class QuickAdd(SearchPopup):
    """Type a name, press Enter.

    Args:
        registry: the node types.
        theme: colours and icons.
        parent: the widget over which it opens.
    """

    node_chosen = Signal(str)
    """Name of the chosen type."""

    def __init__(self, registry: Registry, theme: Theme, parent: QWidget) -> None:
        super().__init__(tr(SEARCH), parent)
        self._registry = registry
        self._fits: Callable[[type[Node]], bool] = anything
        self._rank: Callable[[type[Node]], int] = alike
        self.results.setItemDelegate(NodeRow(theme, self.results))

    def ask(
        self,
        pixel: QPoint,
        *,
        fits: Callable[[type[Node]], bool] = anything,
        rank: Callable[[type[Node]], int] = alike,
        prompt: str = SEARCH,
    ) -> None:
        """Open beside a point.

        Args:
            pixel: the point, in pixels of the parent.
            fits: which types are offered.
            rank: which of them come first, the smallest first.
            prompt: what is asked, in English.
        """
        prompt = tr(prompt)
        self._fits, self._rank = fits, rank
        self.search.setPlaceholderText(prompt)
        self.search.setAccessibleName(prompt)
        self.open_at(pixel)

    def fill(self, query: str) -> None:
        """Show the types that match."""
        found = search(query, filter(self._fits, self._registry), self._rank)
        self.show_rows([(tr(node_type.title), node_type) for node_type in found])

    def choose(self, row: type[Node]) -> None:
        """Tell which type was chosen."""
        self.close_popup()
        self.node_chosen.emit(row.type)
