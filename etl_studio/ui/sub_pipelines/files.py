"""Reads the files that a document uses as nodes, in a thread, and tells the document what they take and give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from etl_studio.pipeline.interfaces import file_of
from etl_studio.pipeline.snapshot import snapshot
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from etl_studio.app.sub_pipelines import SubPipelines
    from etl_studio.ui.document import PipelineDocument

SETTLE = 50
"""Milliseconds after an edit, so that a name that is being typed is not looked for letter by letter."""


class SubPipelineFiles(QObject):
    """Keeps ``document.interfaces`` as the files are.

    Args:
        document: what is told.
        reader: reads the files.
        parent: its parent.
    """

    def __init__(self, document: PipelineDocument, reader: SubPipelines, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._reader = document, reader
        self._asked: tuple[object, ...] = ()
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(document.learn)
        self._timer = QTimer(self, singleShot=True, interval=SETTLE)
        self._timer.timeout.connect(self._look)
        for signal in (document.node_added, document.node_changed, document.node_removed):
            signal.connect(self._timer.start)
        for signal in (document.reset, document.path_changed):
            signal.connect(self.look_again)

    def look_again(self) -> None:
        """Look whether the files are as they were; soon, and only where the document uses any."""
        self._asked = ()
        self._timer.start()

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self._timer.stop()
        self._fetcher.close()

    def _look(self) -> None:
        pipeline, path = self._document.pipeline, self._document.path
        names = sorted({name for spec in pipeline.nodes.values() if (name := file_of(spec))})
        wanted = (path, *names)
        if wanted == self._asked:
            return
        self._asked = wanted
        if not names:
            self._fetcher.cancel()
            self._document.learn({})
            return
        copy, reader = snapshot(pipeline), self._reader
        self._fetcher.ask(lambda: reader.interfaces(copy, file=path, deep=True))
