"""Compares two versions in a thread and shows what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.pipeline.diff_union import union
from etl_studio.pipeline.file_format import loads
from etl_studio.ui.arrange import placed
from etl_studio.ui.compare.dialog import CompareDialog
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtWidgets import QWidget

    from etl_studio.pipeline.diff_union import Union
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry
    from etl_studio.ui.theme.theme import Theme


def read_version(text: str, registry: Registry) -> Pipeline:
    """A pipeline from its text, each node with a place.

    Raises:
        PipelineError: it is none.
    """
    pipeline = loads(text, registry=registry, newer=True)
    return placed(pipeline)


class Comparing(QObject):
    """Shows one comparison at a time.

    Args:
        registry: the node types.
        theme: colours and icons.
        window: parent of the dialog; it owns this.

    Attributes:
        dialog: what is shown, or None.
        failed: there is nothing to compare, with the reason for people.
        shown: a dialog has opened.
    """

    failed = Signal(str)
    shown = Signal()

    def __init__(self, registry: Registry, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._registry, self._theme, self._window = registry, theme, window
        self.dialog: CompareDialog | None = None
        self._titles, self._accept = ("", ""), ""
        self._agreed: Callable[[], object] | None = None
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._show)
        self._fetcher.failed.connect(self.failed)

    def show(
        self,
        before: Callable[[], Pipeline],
        after: Callable[[], Pipeline],
        titles: tuple[str, str],
        *,
        accept: str = "",
        agreed: Callable[[], object] | None = None,
    ) -> None:
        """Compare two versions.

        Args:
            before: gives the earlier one; called in a thread.
            after: gives the later one; called in a thread.
            titles: what they are called.
            accept: text of a button that does something; none without a text.
            agreed: what it does.
        """
        self._titles, self._accept, self._agreed = titles, accept, agreed
        self._fetcher.ask(lambda: union(before(), after()))

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._fetcher.close()

    def _show(self, both: Union) -> None:
        if self.dialog is not None:
            self.dialog.close()
        dialog = CompareDialog(
            both, self._titles, self._registry, self._theme, self._window.window(), accept=self._accept
        )
        if self._agreed is not None:
            dialog.agreed.connect(self._agreed)
        dialog.finished.connect(self._forget)
        self.dialog = dialog
        dialog.open()
        self.shown.emit()

    def _forget(self) -> None:
        if self.dialog is self.sender():
            self.dialog = None
