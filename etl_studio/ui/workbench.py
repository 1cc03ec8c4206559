"""The middle of the window: palette, canvas, inspector and the panels, joined around one document and one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from etl_studio.app.previews import Previews
from etl_studio.app.studio import check_sql
from etl_studio.engine.events import (
    NodeChanged,
    RunEnded,
    RunStarted,
    RunStatus,
)
from etl_studio.engine.plan import ancestors
from etl_studio.errors import Cancelled, EtlError, PipelineError
from etl_studio.pipeline.flat import outer_node
from etl_studio.ui.banner import Banner
from etl_studio.ui.bench_layout import splitters, stacked
from etl_studio.ui.canvas.run_events import show_event
from etl_studio.ui.canvas.view import CanvasView
from etl_studio.ui.charts.monitor import RunMonitor
from etl_studio.ui.columns.column_work import ColumnWork
from etl_studio.ui.debug.debugging import Debugging
from etl_studio.ui.document import PipelineDocument
from etl_studio.ui.document_files import DocumentFiles
from etl_studio.ui.file_life import FileLife
from etl_studio.ui.inspector import Inspector
from etl_studio.ui.palette import Palette
from etl_studio.ui.panel_tabs import PanelTabs
from etl_studio.ui.panels.dead_letters import DeadLettersPanel
from etl_studio.ui.panels.dry_run import DryRunPanel
from etl_studio.ui.panels.known_columns import KnownColumns
from etl_studio.ui.panels.letter_work import whole_check
from etl_studio.ui.panels.load_work import other_databases
from etl_studio.ui.panels.loads import LoadsPanel
from etl_studio.ui.panels.log import LogPanel
from etl_studio.ui.panels.outline import OutlinePanel
from etl_studio.ui.panels.problems import ProblemsPanel
from etl_studio.ui.panels.runs import RunsPanel
from etl_studio.ui.pipeline_tests.panel import TestsPanel
from etl_studio.ui.previews.panel import PreviewPanel
from etl_studio.ui.previews.runner import PreviewRunner
from etl_studio.ui.results.panel import ResultsPanel
from etl_studio.ui.resuming import Resuming
from etl_studio.ui.run.controller import RunController
from etl_studio.ui.run.log_lines import log_line
from etl_studio.ui.run.parameters_dialog import ParametersDialog
from etl_studio.ui.run.status_bar import RunStatusBar
from etl_studio.ui.side import Side
from etl_studio.ui.sub_pipelines.inner import InnerPipelines
from etl_studio.ui.translation import tr, trn
from etl_studio.ui.workshop.opening import Workshops

if TYPE_CHECKING:
    from etl_studio.app.dry_run import DryRun
    from etl_studio.app.studio import Studio
    from etl_studio.engine.events import Event
    from etl_studio.engine.inject import FaultReport, Injection
    from etl_studio.pipeline.model import Parameter
    from etl_studio.storage.journal import Journal
    from etl_studio.storage.workspace import Workspace
    from etl_studio.ui.recent_files import RecentFiles
    from etl_studio.ui.run.controller import MakeTrial
    from etl_studio.ui.run.replaying import Replayed
    from etl_studio.ui.theme.theme import Theme


class Workbench(QWidget):
    """Everything that a pipeline is worked on with.

    Args:
        studio: the registry, the runs and the results.
        theme: colours and icons.
        settings: sizes of the parts are kept there.
        recent: remembers the files.
        journal: keeps what is not saved.

    Attributes:
        document, canvas, side, palette_panel, outline, inspector, controller: the parts.
        debugging: breakpoints, and runs that halt there.
        files: opens and saves the document.
        inner: the sub-pipelines of the document, and the way back to the one through which it was opened.
        life: keeps the document and its file together.
        status: the line at the foot.
        tabs, monitor, preview, rehearsal, tests, results, loads, problems, log, dead_letters, runs: the panels below.
        column_work: what can be done with a column.
        samples: rows at nodes, for previews and trials.
        settings: what is remembered of this window.
        workshops: selectors of nodes that read pages.
        stopping: a stop was asked for.
        title_changed: the document has another name, or other changes that are not saved.
    """

    stopping = Signal()
    title_changed = Signal()

    def __init__(  # noqa: PLR0913 - what all workbenches share
        self,
        studio: Studio,
        theme: Theme,
        settings: QSettings,
        recent: RecentFiles,
        journal: Journal,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.studio = studio
        self.settings = settings
        self._theme = theme
        self._parameters: dict[str, str] = {}
        self._injection: Injection | None = None
        self.document = PipelineDocument(studio.registry, parent=self, check_sql=check_sql)
        self.controller = RunController(studio, self)
        self.canvas = CanvasView(self.document, theme)
        self.palette_panel = Palette(studio.registry, theme)
        self.samples = Previews(studio)
        previews = PreviewRunner(self.samples, self.document, self, parameters=lambda: self._parameters)
        self.columns = KnownColumns(self.document, previews, self)
        self.inspector = Inspector(self.document, theme, known=self.columns, given=lambda: self._parameters)
        self.inspector.studio = studio
        previews.ready.connect(self.inspector.trying.again)
        self.banner = Banner(theme)
        columns, ready = self.columns.arriving_types, self.ready
        self.debugging = Debugging(studio, self.controller, self.canvas, settings, columns, ready, self)
        self.resuming = Resuming(studio, self.document, self.controller, self.banner, self)
        others = lambda: other_databases(self.document.pipeline, self.document.path)  # noqa: E731
        self.files = DocumentFiles(self.document, recent, self, self.inspector.flush)
        self.life = FileLife(self.document, self.files, self.controller, journal, self.workspace, theme, self)
        self.tabs = PanelTabs(theme)
        self.monitor = RunMonitor(theme, self.document.titles)
        self.preview = PreviewPanel(previews, self.document, theme)
        self.rehearsal = DryRunPanel(theme)
        self.tests = TestsPanel(studio, self.document, theme, self.inspector.flush)
        previews.recorded.connect(self.tests.look)
        self.problems = ProblemsPanel(self.document, theme)
        self.results = ResultsPanel(self.workspace, theme)
        self.loads = LoadsPanel(self.workspace, lambda: studio.databases, theme, others)
        self.log = LogPanel(theme)
        self.dead_letters = DeadLettersPanel(self.workspace, theme, lambda: whole_check(studio, self.document))
        self.column_work = ColumnWork(
            self.document, self.canvas, self.inspector, self.preview, self.columns, self.tabs, theme, self
        )
        self.workshops = Workshops(studio, self.document, theme, lambda: self._parameters, self.inspector.flush, self)
        self.runs = RunsPanel(self.workspace, theme, lambda: self.document.path)
        for panel, title, icon in (
            (self.monitor, tr("Run monitor"), "activity"),
            (self.preview, tr("Preview"), "eye"),
            (self.rehearsal, tr("Dry run"), "diff"),
            (self.tests, tr("Tests"), "flask"),
            (self.debugging.panel, tr("Debugger"), "bug"),
            (self.results, tr("Results"), "table"),
            (self.loads, tr("Loads"), "layers"),
            (self.problems, tr("Problems"), "alert-triangle"),
            (self.column_work.uses, tr("Uses"), "route"),
            (self.log, tr("Log"), "terminal"),
            (self.dead_letters, tr("Dead letters"), "inbox"),
            (self.runs, tr("Runs"), "history"),
            (self.life.history, tr("History"), "clock"),
        ):
            on_demand = panel in (self.rehearsal, self.debugging.panel, self.column_work.uses)
            self.tabs.add_panel(panel, title, icon, on_demand=on_demand)
        self.inner = InnerPipelines(
            self.document, self.canvas, self.controller, self.files, studio.sub_pipelines, theme, self
        )
        self.status = RunStatusBar(theme, self.document.titles, self)
        self.outline = OutlinePanel(self.document, theme)
        self.side = Side(self.palette_panel, self.outline, self.canvas)
        self._lay_out()
        self._connect()

    def workspace(self) -> Workspace:
        """The workspace of the pipeline as it is saved now; called in threads, since opening it may take a while."""
        return self.studio.workspace(self.studio.workspace_folder(self.document.path))

    # -- what a person asks for -------------------------------------------------------------------------------

    def run(self) -> None:
        """Start what is on the screen, or show what keeps it from running."""
        self._start()

    def dry_run(self) -> None:
        """Run what is on the screen without writing, and show what would change."""
        given = self.ready()
        if given is not None:
            self.rehearse(given)

    def rehearse(self, given: dict[str, str], trial: MakeTrial | None = None) -> None:
        """Run, or try, what is on the screen without writing, with these parameters."""
        self.tabs.show_panel(self.rehearsal)
        self.controller.rehearse(self.document.pipeline, self.document.path, given, trial)
        self.rehearsal.show_going(self.document.titles())

    def run_with_faults(self) -> None:
        """Ask what to fail, then start what is on the screen."""
        from etl_studio.engine.inject import Injection
        from etl_studio.ui.run.faults_dialog import FaultsDialog

        before = self._injection or Injection(seed=1)
        dialog = FaultsDialog(list(self.document.pipeline.nodes), before, self)
        try:
            if dialog.exec() == FaultsDialog.DialogCode.Accepted:
                self._injection = dialog.injection
                self._start(self._injection)
        finally:
            dialog.deleteLater()

    def run_to(self, node: str) -> None:
        """Run a node and what feeds it."""
        self._start(only=ancestors(self.document.pipeline, node))

    def _start(self, injection: Injection | None = None, only: list[str] | None = None) -> None:
        given = self.ready(only)
        if given is not None:
            self.tabs.show_panel(self.monitor)
            self.controller.start(self.document.pipeline, self.document.path, given, injection, only=only)

    def ready(self, only: list[str] | None = None) -> dict[str, str] | None:
        """The parameters of a run, of some nodes or of all; None: it cannot begin, and the reason is shown."""
        self.inspector.flush()
        self.document.check_now()
        errors = [problem for problem in self.document.problems if problem.severity == "error"]
        if only is not None:
            errors = [problem for problem in errors if problem.node in only]
        if errors:
            self._show_problems(len(errors))
            return None
        asked = [one for one in self.document.pipeline.parameters.values() if one.default is None]
        if asked and not self._ask_for(asked):
            return None
        self.banner.hide()
        return {one.name: self._parameters[one.name] for one in asked}

    def replay(self, ids: list[int], whole: bool = False) -> None:  # noqa: FBT001, FBT002 - a signal's
        """Replay dead letters through what is on the screen, or their own file; ``whole``: out of their source."""
        self.inspector.flush()
        self.banner.hide()
        self.controller.replay(ids, self.document.pipeline, self.document.path, whole=whole)

    def _ask_for(self, parameters: list[Parameter]) -> bool:
        dialog = ParametersDialog(parameters, self._parameters, self)
        try:
            if dialog.exec() != ParametersDialog.DialogCode.Accepted:
                return False
            self._parameters |= dialog.values
            return True
        finally:
            dialog.deleteLater()

    def stop(self) -> None:
        """End the run gracefully; asked for a second time, at once."""
        if self.controller.is_stopping:
            self.stop_now()
            return
        self.controller.stop()
        self.stopping.emit()

    def stop_now(self) -> None:
        """End the run at once."""
        self.stopping.emit()
        self.controller.stop_now()

    def show_node(self, node: str, field: str = "") -> None:
        """Select a node (or the sub-pipeline that it is in), scroll to it and show it in the inspector."""
        shown = outer_node(node)
        self.canvas.pipeline_scene.choose([shown])
        self.canvas.navigation.reveal(shown)
        if field and shown == node:
            self.inspector.show_field(node, field)

    def preview_selection(self) -> None:
        """Compute the rows at the selected node."""
        chosen = self.canvas.pipeline_scene.chosen_nodes()
        if len(chosen) == 1:
            self.inspector.flush()
            self.tabs.show_panel(self.preview)
            self.preview.load(chosen[0])

    def export_results(self) -> None:
        """Show the results and ask where to export the table that is shown."""
        self.tabs.show_panel(self.results)
        self.results.choose_export()

    def shut_down(self) -> None:
        """Stop what runs, remember the sizes; before the window or its tab closes."""
        self.settings.setValue("parts", [bytes(part.saveState()) for part in self._splitters])
        self.settings.setValue("tab", self.tabs.currentIndex())
        self.controller.shut_down()
        self.inspector.trying.close()
        self.column_work.close()
        self.workshops.close()
        panels = (
            self.preview,
            self.results,
            self.loads,
            self.dead_letters,
            self.runs,
            self.tests,
            self.resuming,
            self.inner,
        )
        for panel in panels:
            panel.close_threads()
        self.life.close_threads()

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        strips = (self.inner.trail, self.life.banner, self.banner, self.debugging.strip, self.debugging.playback.bar)
        self._splitters = splitters(self.side, stacked(*strips, self.canvas), self.tabs, self.inspector)
        for splitter, state in zip(self._splitters, self.settings.value("parts") or [], strict=False):
            splitter.restoreState(QByteArray(state))
        self.tabs.show_index(int(self.settings.value("tab") or 0))
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.setSpacing(0)
        outside.addWidget(self._splitters[-1], 1)
        outside.addWidget(self.status)

    def _connect(self) -> None:
        self.palette_panel.node_chosen.connect(self._add_from_palette)
        self.canvas.selection_changed.connect(self._on_selection)
        self.canvas.settings_wanted.connect(self._open_node)
        self.inner.restructuring.refused.connect(self.banner.show_error)
        self.outline.node_opened.connect(self.canvas.node_activated)
        self.inspector.left.connect(self.canvas.setFocus)
        self.inspector.workshop_wanted.connect(self.workshops.open)
        self.workshops.tested.connect(self.tests.look)
        self.canvas.breaker_ordered.connect(self.controller.force_breaker)
        self.canvas.run_wanted.connect(self.run_to)
        self.runs.resume_requested.connect(self.resuming.resume)
        self.document.problems_changed.connect(self._count_problems)
        self.document.reset.connect(self._on_reset)
        self.document.path_changed.connect(self._on_moved)
        self.runs.run_requested.connect(self._show_dead_letters)
        self.problems.node_requested.connect(self.show_node)
        self.column_work.uses.place_wanted.connect(self.show_node)
        self.banner.node_wanted.connect(self.show_node)
        self.controller.event.connect(self._route)
        self.controller.ended.connect(self._on_ended)
        self.controller.faults_reported.connect(self._show_faults)
        self.controller.rehearsed.connect(self._on_rehearsed)
        self.controller.replayed.connect(self._on_replayed)
        self.preview.pinning.changed.connect(self._show_pins)
        self.preview.save_wanted.connect(self.files.save)
        self.debugging.panel_wanted.connect(self.tabs.show_panel)
        self.debugging.playback.refused.connect(self.banner.show_error)
        self.rehearsal.wanted.connect(self.dry_run)
        self.rehearsal.stop_wanted.connect(self.stop)
        self.controller.refused.connect(self._on_refused)
        self.controller.running_changed.connect(self._on_running)
        self.loads.undone.connect(self._on_undone)
        self.dead_letters.replay_wanted.connect(self.replay)
        self.dead_letters.counted.connect(self._count_letters)
        self.tests.counted.connect(self._count_failed_tests)
        self.controller.event.connect(self.status.take)
        self.stopping.connect(self.status.show_stopping)
        self.files.opened.connect(self.status.show_idle)
        self.document.undo_stack.cleanChanged.connect(self.title_changed)
        for changed in (self.document.path_changed, self.document.pipeline_changed, self.document.reset):
            changed.connect(self.title_changed)

    def _route(self, event: Event) -> None:
        self.monitor.take(event)
        show_event(self.canvas.pipeline_scene, event)
        if isinstance(event, NodeChanged):
            self.outline.show_state(event)
        elif isinstance(event, RunStarted):
            self.outline.clear_run()
            self.log.clear()
            if event.kind == "run":
                self.dead_letters.show_run("")
        if (line := log_line(event)) is not None:
            self.log.append(line)

    def _show_pins(self) -> None:
        self.canvas.pipeline_scene.show_pins(self.preview.pinning.nodes)

    def _on_running(self) -> None:
        for panel in (self.dead_letters, self.loads, self.rehearsal):
            panel.set_running(self.controller.is_running)
        if self.controller.is_running:
            self.status.show_preparing()

    def _on_ended(self, report: RunEnded) -> None:
        self._show_end()
        self.dead_letters.show_run(report.run)
        if report.status is RunStatus.FAILED:
            failed = outer_node(report.error_node or "")
            node = failed if failed in self.document.pipeline.nodes else None
            self.banner.show_error(report.error or tr("The run failed."), node)

    def _on_rehearsed(self, report: DryRun) -> None:
        self.monitor.refresh_now()
        self.canvas.pipeline_scene.end_run()
        self.rehearsal.show_report(report)

    def _on_replayed(self, replayed: Replayed) -> None:
        self._show_end()
        self.dead_letters.show_replayed(replayed)

    def _show_end(self) -> None:
        self.monitor.refresh_now()
        self.canvas.pipeline_scene.end_run()
        self.results.refresh(self._loaded_table())
        self.loads.refresh()
        self.runs.refresh()

    def _on_undone(self) -> None:
        self.results.refresh()
        self.runs.refresh()

    def _show_faults(self, report: FaultReport) -> None:
        from etl_studio.ui.run.faults_dialog import FaultReportDialog

        FaultReportDialog(report, self._theme, self).open()

    def _loaded_table(self) -> str:
        """The first table of the workspace that the pipeline loads; empty when one of them is shown already."""
        configs = [spec.config for spec in self.document.pipeline.nodes.values()]
        tables = [str(config["table"]) for config in configs if config.get("table") and not config.get("database")]
        shown = self.results.shown
        return "" if shown is not None and shown.name in tables else next(iter(tables), "")

    def _on_refused(self, error: EtlError) -> None:
        self.status.show_idle(tr("Stopped") if isinstance(error, Cancelled) else tr("Not started"))
        self.rehearsal.show_refused(error)
        if isinstance(error, Cancelled):
            return
        if self.resuming.ask_about(error):
            return
        if isinstance(error, PipelineError) and error.problems:
            first = error.problems[0]
            self.banner.show_error(f"{error}\n{first}", first.node)
        else:
            self.banner.show_error(str(error), error.node)

    def _show_problems(self, count: int) -> None:
        self.tabs.show_panel(self.problems)
        what = trn(
            "The run was not started: the pipeline has a problem, listed below.",
            "The run was not started: the pipeline has {count} problems, listed below.",
            count,
        )
        self.banner.show_error(what)

    def _count_problems(self) -> None:
        self.tabs.set_count(self.problems, len(self.document.problems))

    def _count_letters(self, number: int) -> None:
        self.tabs.set_count(self.dead_letters, number)

    def _count_failed_tests(self, number: int) -> None:
        self.tabs.set_count(self.tests, number)

    def _on_selection(self, nodes: list[str]) -> None:
        self.inspector.show_nodes(nodes)
        wires = self.canvas.pipeline_scene.chosen_wires()
        if not nodes and len(wires) == 1:
            self.preview.show_wire(wires[0])
        else:
            self.preview.show_node(nodes[0] if len(nodes) == 1 else "")

    def _open_node(self, node: str) -> None:
        self.inspector.show()
        self.inspector.show_nodes([node])
        self.inspector.enter()

    def _on_reset(self) -> None:
        self.banner.hide()
        self.resuming.look()
        self.monitor.clear()
        self.log.clear()
        self.preview.show_node("")
        self.rehearsal.clear()
        self.dead_letters.show_run("")
        self.results.forget()
        self.loads.forget()
        self.runs.forget()

    def _on_moved(self) -> None:
        self.results.forget(moved=True)
        self.loads.forget()
        self.dead_letters.show_run("")
        self.runs.forget()

    def _show_dead_letters(self, run: str) -> None:
        self.dead_letters.show_run(run)
        self.tabs.show_panel(self.dead_letters)

    def _add_from_palette(self, node_type: str) -> None:
        self.canvas.editing.add_after_selection(node_type)
        self.canvas.setFocus()
