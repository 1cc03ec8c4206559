"""Opens the workshop for a node, and writes what comes of it into the document as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.ui.previews.runner import copied
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PySide6.QtWidgets import QWidget

    from etl_studio.app.scraping.asking import Draft
    from etl_studio.app.scraping.settings import ScraperSettings
    from etl_studio.app.studio import Studio
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workshop.dialog import WorkshopDialog


class Workshops(QObject):
    """One workshop at a time.

    Args:
        studio: loads pages.
        document: what is edited.
        theme: colours and icons.
        given: values of parameters that a person has given.
        flush: writes what is typed in the inspector into the document.
        window: the workbench; it owns this.

    Attributes:
        dialog: what is open, or None.
        tested: there is a new test.
    """

    tested = Signal()

    def __init__(  # noqa: PLR0913 - what a page is loaded with, and where it goes
        self,
        studio: Studio,
        document: PipelineDocument,
        theme: Theme,
        given: Callable[[], Mapping[str, str]],
        flush: Callable[[], object],
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._studio, self._document, self._theme = studio, document, theme
        self._given, self._flush, self._window = given, flush, window
        self._node = ""
        self.dialog: WorkshopDialog | None = None

    def can_open(self, node: str) -> bool:
        """Whether a node reads pages by selectors."""
        return self._settings(node) is not None

    def open(self, node: str) -> None:
        """Open the workshop of a node."""
        from etl_studio.ui.workshop.dialog import WorkshopDialog
        from etl_studio.ui.workshop.session import Session

        self._flush()
        settings = self._settings(node)
        if settings is None or self.dialog is not None:
            return
        config = self._document.pipeline.nodes[node].config
        self._node = node
        session = Session(self._studio, copied(self._document.pipeline), node, self._document.path, dict(self._given()))
        self.dialog = WorkshopDialog(
            session, draft_of(config, settings), first_address(config, settings), self._document.titles()[node],
            self._theme, self._window.window(),
            settings=settings, read_only=self._document.is_read_only,
        )  # fmt: skip
        self.dialog.applied.connect(self._apply)
        self.dialog.tested.connect(self.tested)
        self.dialog.finished.connect(self._forget)
        self.dialog.open()

    def close(self) -> None:
        """Close what is open, without questions."""
        if self.dialog is not None:
            self.dialog.done(0)

    def _settings(self, node: str) -> ScraperSettings | None:
        # not above: it needs the sdk, which the first paint of the window does without
        from etl_studio.app.scraping.settings import scraper_settings

        return scraper_settings(self._document.type_of(node)) if node in self._document.pipeline.nodes else None

    def _apply(self, draft: Draft, address: str) -> None:
        node = self._node
        settings = self._settings(node)
        if settings is None:
            return
        config = self._document.pipeline.nodes[node].config
        if found := changes(config, settings, draft, address):
            with self._document.macro(tr("Selectors of {node}", node=node)):
                for name, value in found.items():
                    self._document.set_setting(node, name, value)

    def _forget(self) -> None:
        self.dialog = None


def draft_of(config: Mapping[str, Any], settings: ScraperSettings) -> Draft:
    """The selectors in the settings of a node, as far as they are texts."""
    from etl_studio.app.scraping.asking import Draft

    item, fields = config.get(settings.item), config.get(settings.fields)
    follow = config.get(settings.next) if settings.next else ""
    pairs = (
        tuple((str(name), text) for name, text in fields.items() if isinstance(text, str))
        if isinstance(fields, dict)
        else ()
    )
    return Draft(item if isinstance(item, str) else "", pairs, follow if isinstance(follow, str) else "")


def first_address(config: Mapping[str, Any], settings: ScraperSettings) -> str:
    """The first page of a node; empty: none."""
    urls = config.get(settings.addresses)
    first = urls[0] if isinstance(urls, list) and urls else urls
    return first.strip() if isinstance(first, str) else ""


def changes(config: Mapping[str, Any], settings: ScraperSettings, draft: Draft, address: str) -> dict[str, Any]:
    """The settings that a draft changes; None: the default holds. The address counts where the node has none yet."""
    found: dict[str, Any] = {}
    before = draft_of(config, settings)
    if draft.item != before.item:
        found[settings.item] = draft.item or None
    if draft.fields != before.fields:
        found[settings.fields] = {name: selector for name, selector in draft.fields if name and selector} or None
    if settings.next and draft.next != before.next:
        found[settings.next] = draft.next or None
    if address and not first_address(config, settings):
        found[settings.addresses] = [address]
    return found
