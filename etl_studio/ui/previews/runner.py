"""Computes previews in a thread, the last one asked for only."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from etl_studio.app.previews import ROWS
from etl_studio.ui.panels.fetching import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.app.previews import Previews
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.ui.document import PipelineDocument


def no_parameters() -> Mapping[str, str]:
    """Nobody has typed values: the defaults hold."""
    return {}


class PreviewRunner(QObject):
    """Asks the studio for previews of one document.

    Signals:
        ready: an ``app.previews.Preview``.
        failed: id of the node and why there are no rows.
        compared: an ``engine.alignment.Alignment``.
        not_compared: why there is none.
        recorded: the folder of a new test.
        not_recorded: why there is none.

    Args:
        previews: computes them.
        document: the pipeline; read when a preview is asked for.
        parent: its parent.
        parameters: values of parameters as typed.

    Attributes:
        rows: how many are read of each source.
    """

    ready = Signal(object)
    failed = Signal(str, str)
    compared = Signal(object)
    not_compared = Signal(str)
    recorded = Signal(object)
    not_recorded = Signal(str)

    def __init__(
        self,
        previews: Previews,
        document: PipelineDocument,
        parent: QObject | None = None,
        *,
        parameters: Callable[[], Mapping[str, str]] = no_parameters,
    ) -> None:
        super().__init__(parent)
        self._previews, self._document, self._parameters = previews, document, parameters
        self._node = ""
        self.rows = ROWS
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self.ready)
        self._fetcher.failed.connect(self._broke)
        self._comparer = Fetcher(self)
        self._comparer.fetched.connect(self.compared)
        self._comparer.failed.connect(self.not_compared)
        self._recorder = Fetcher(self)
        self._recorder.fetched.connect(self.recorded)
        self._recorder.failed.connect(self.not_recorded)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._fetcher.is_busy

    def request(self, node: str, *, ask: bool = True, again: bool = False, compute: bool = True) -> None:
        """Compute the rows at a node; a request that is still busy is cancelled.

        Args:
            node: its id.
            ask: whether sources that read from other machines may do so.
            again: read all sources before it again.
            compute: False: give only what is known.
        """
        self._node = node
        look, runs = self._asking(self._previews.look, node), _Runs()
        self._comparer.cancel()
        self._fetcher.ask(lambda: look(ask=ask, again=again, compute=compute, on_run=runs.add), runs.stop)

    def compare(self, node: str) -> None:
        """Match the rows that arrive at a node with those that leave it."""
        compare, runs = self._asking(self._previews.compare, node), _Runs()
        self._comparer.ask(lambda: compare(on_run=runs.add), runs.stop)

    def record(self, node: str) -> None:
        """Make a test of the rows at a node."""
        from etl_studio.app.recording import record_preview

        self._recorder.ask(self._asking(partial(record_preview, self._previews), node))

    def cancel(self) -> None:
        """Stop what is computed; no signal will come."""
        self._fetcher.cancel()
        self._comparer.cancel()

    def close(self) -> None:
        """Stop, and wait until nothing runs."""
        self._fetcher.close()
        self._comparer.close()
        self._recorder.close()

    def _asking(self, question: Callable[..., Any], node: str) -> Callable[..., Any]:
        """A question about the document as it is now, whatever becomes of it meanwhile."""
        return partial(
            question,
            copied(self._document.pipeline),
            node,
            file=self._document.path,
            rows=self.rows,
            parameters=dict(self._parameters()),
        )

    def _broke(self, message: str) -> None:
        self.failed.emit(self._node, message)


def copied(pipeline: Pipeline) -> Pipeline:
    """A copy that later edits do not change: commands put new values in the place of old ones, they mend none."""
    nodes = {
        name: replace(spec, config=dict(spec.config), policy=dict(spec.policy)) for name, spec in pipeline.nodes.items()
    }
    return replace(pipeline, nodes=nodes, wires=list(pipeline.wires), parameters=dict(pipeline.parameters))


class _Runs:
    """The run behind a preview, so that it can be stopped, also when the stop comes first."""

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
