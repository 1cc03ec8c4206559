"""Trials in the window: from a node on, or of everything, on some rows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from etl_studio.sdk import Sink
from etl_studio.ui.run.trial_dialog import TrialDialog, TrialScope, TrialWish

if TYPE_CHECKING:
    from etl_studio.ui.workbench import Workbench


class TrialRuns(QObject):
    """The trials of one workbench.

    Args:
        bench: the pipeline and its panels; it owns this.
    """

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench = bench
        bench.canvas.run_from_wanted.connect(self.ask_from)

    def ask(self) -> None:
        """Ask what a trial of the whole pipeline is to be, and start it."""
        self._ask(None)

    def ask_from(self, node: str) -> None:
        """The same from a node on."""
        self._ask(node)

    def ask_from_chosen(self) -> None:
        """The same from the selected node on."""
        for node in self._bench.canvas.pipeline_scene.chosen_nodes()[:1]:
            self._ask(node)

    # -- inside -----------------------------------------------------------------------------------------------

    def _ask(self, start: str | None) -> None:
        from etl_studio.engine.trial import trial_part

        bench = self._bench
        bench.inspector.flush()
        pipeline, titles, pinned = bench.document.pipeline, bench.document.titles(), bench.preview.pinning.nodes
        run, given = trial_part(pipeline, pinned, () if start is None else (start,))
        scope = TrialScope(
            titles[start] if start else "",
            [titles[node] for node in given if node in pinned],
            [titles[node] for node in given if node not in pinned],
            [titles[node] for node in run if self._loads(node)],
        )
        wish = self._wish(TrialDialog(scope, TrialWish.read(bench.settings), bench))
        if wish is not None:
            self._start(wish, start, run)

    def _wish(self, dialog: TrialDialog) -> TrialWish | None:
        try:
            if dialog.exec() != TrialDialog.DialogCode.Accepted:
                return None
            dialog.wish.keep(self._bench.settings)
            return dialog.wish
        finally:
            dialog.deleteLater()

    def _loads(self, node: str) -> bool:
        spec = self._bench.document.pipeline.nodes[node]
        node_type = self._bench.document.type_of(node)
        return node_type is not None and issubclass(node_type, Sink) and not spec.disabled

    def _start(self, wish: TrialWish, start: str | None, run: list[str]) -> None:
        from etl_studio.app.trials import make_trial

        bench, document = self._bench, self._bench.document
        given = bench.ready(run)
        if given is None:
            return
        trial = partial(make_trial, bench.samples, file=document.path, start=start, rows=wish.rows, parameters=given)
        if wish.halts:
            bench.debugging.begin(given, load=wish.load, trial=trial)
        elif wish.load:
            bench.tabs.show_panel(bench.monitor)
            bench.controller.start(document.pipeline, document.path, given, trial=trial)
        else:
            bench.rehearse(given, trial)
