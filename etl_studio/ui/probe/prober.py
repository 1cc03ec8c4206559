"""Asks for the first pages of a source in a thread, the last probe asked for only."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.app.probing import Probed, ProbedPage
    from etl_studio.app.studio import Studio
    from etl_studio.ui.document import PipelineDocument


class Prober(QObject):
    """Probes sources of one document.

    Signals:
        page_came: an ``app.probing.ProbedPage``.
        ended: an ``app.probing.Probed``.
        failed: why there is none, for people.

    Args:
        studio: registry, secrets and sign-ins.
        document: the pipeline; read when a probe begins.
        parameters: values of parameters as typed.
        parent: its parent.

    Attributes:
        is_busy: an answer is awaited.
    """

    page_came = Signal(object)
    ended = Signal(object)
    failed = Signal(str)
    _came = Signal(int, object)

    def __init__(
        self,
        studio: Studio,
        document: PipelineDocument,
        parameters: Callable[[], Mapping[str, str]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._studio, self._document, self._parameters = studio, document, parameters
        self._number = 0
        self.is_busy = False
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._end)
        self._fetcher.failed.connect(self._fail)
        self._came.connect(self._tell)

    def probe(self, node: str) -> None:
        """Ask for the first pages; a probe that is still busy is stopped."""
        from etl_studio.app.probing import probe

        self._number += 1
        runs = _Runs()
        look = partial(
            probe,
            self._studio,
            snapshot(self._document.pipeline),
            node,
            file=self._document.path,
            parameters=dict(self._parameters()),
            on_page=partial(self._page, self._number),
            on_run=runs.add,
        )
        self.is_busy = True
        self._fetcher.ask(look, runs.stop)

    def cancel(self) -> None:
        """Stop; no signal will come."""
        self._number += 1
        self.is_busy = False
        self._fetcher.cancel()

    def _end(self, seen: Probed) -> None:
        self.is_busy = False
        self.ended.emit(seen)

    def _fail(self, message: str) -> None:
        self.is_busy = False
        self.failed.emit(message)

    def _page(self, number: int, page: ProbedPage) -> None:
        """In the thread of the probe."""
        self._came.emit(number, page)

    def _tell(self, number: int, page: ProbedPage) -> None:
        if number == self._number:
            self.page_came.emit(page)


class _Runs:
    """The run of a probe, so that it can be stopped, also when the stop comes first."""

    def __init__(self) -> None:
        self._run: Any = None
        self._stopped = False

    def add(self, run: Any) -> None:
        self._run = run
        if self._stopped:
            run.stop(hard=True)

    def stop(self) -> None:
        self._stopped = True
        if self._run is not None:
            self._run.stop(hard=True)
