"""Joins breakpoints, the run that is halted, the marks on the canvas, the strip above it and the debugger's panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from etl_studio.engine.breakpoints import ARROW
from etl_studio.engine.events import Halted, HaltEnded, RunEnded, RunStarted
from etl_studio.errors import EtlError
from etl_studio.pipeline.flat import outer_node
from etl_studio.ui.debug.breakpoints import Breakpoints, place_of
from etl_studio.ui.debug.condition import ConditionDialog
from etl_studio.ui.debug.marks import CanvasMarks
from etl_studio.ui.debug.panel import DebuggerPanel
from etl_studio.ui.debug.playback import Playback
from etl_studio.ui.debug.strip import HaltStrip
from etl_studio.ui.quantities import count
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pyarrow as pa
    from PySide6.QtCore import QSettings

    from etl_studio.app.studio import Studio
    from etl_studio.engine.breakpoints import Breakpoint
    from etl_studio.engine.debugger import Command, Debugger
    from etl_studio.engine.events import Event
    from etl_studio.ui.canvas.view import CanvasView
    from etl_studio.ui.run.controller import MakeTrial, RunController


class Debugging(QObject):
    """What a person does with breakpoints and a halted run.

    Args:
        studio: tells where recordings are.
        controller: its runs; told of breakpoints that change meanwhile.
        canvas: shows the pipeline and its breakpoints.
        settings: where they are kept.
        columns: types of the columns that arrive at a node by name, as far as they are known.
        ready: the parameters of a run; None: it cannot begin, and the reason is shown.
        parent: its parent.

    Attributes:
        breakpoints: of the document.
        strip: over the canvas.
        panel: below it.
        playback: looks at recorded runs.
        panel_wanted: a run is debugged, or a batch waits: the panel should be seen.
        changed: something else is halted, or nothing.
    """

    panel_wanted = Signal(QWidget)
    changed = Signal()

    def __init__(  # noqa: PLR0913 - what it joins
        self,
        studio: Studio,
        controller: RunController,
        canvas: CanvasView,
        settings: QSettings,
        columns: Callable[[str], Mapping[str, str]],
        ready: Callable[[], dict[str, str] | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        document, theme = canvas.document, canvas.theme
        self._document, self._controller, self._canvas, self._theme = document, controller, canvas, theme
        self._studio = studio
        self._columns, self._ready = columns, ready
        self._halts: dict[str, Halted] = {}
        self._shown = ""
        self.breakpoints = Breakpoints(document, settings, self)
        self.marks = CanvasMarks(canvas.pipeline_scene, self.breakpoints, theme, self)
        self.strip = HaltStrip(theme)
        self.panel = DebuggerPanel(self.breakpoints, theme)
        self.playback = Playback(controller, canvas, self.panel, self._workspace, settings, theme, self)
        self.playback.opened.connect(self._show_panel)
        self.breakpoints.changed.connect(self._send_breakpoints)
        self.strip.wanted.connect(self.act)
        self.strip.other_wanted.connect(self._show_other)
        self.panel.typed.connect(self._edit)
        self.panel.nulls_wanted.connect(self._empty)
        self.panel.drop_wanted.connect(self._drop)
        self.panel.condition_wanted.connect(self.ask_condition)
        self.panel.place_wanted.connect(self._show_place)
        canvas.breakpoint_wanted.connect(self.breakpoints.toggle)
        canvas.condition_wanted.connect(self.ask_condition)
        controller.event.connect(self._take)
        controller.running_changed.connect(self._on_running)

    # -- breakpoints ------------------------------------------------------------------------------------------

    def chosen_places(self) -> list[str]:
        """Places that are selected on the canvas."""
        scene = self._canvas.pipeline_scene
        return [*scene.chosen_nodes(), *map(str, scene.chosen_wires())]

    def toggle(self) -> None:
        """Set or remove breakpoints at what is selected."""
        for place in self.chosen_places():
            self.breakpoints.toggle(place)

    def edit_condition(self) -> None:
        """Ask for the condition of the breakpoint at what is selected."""
        for place in self.chosen_places()[:1]:
            self.ask_condition(place)

    def ask_condition(self, place: str) -> None:
        """Ask for the condition of a breakpoint; there is one afterwards."""
        one = self.breakpoints.at(place) or place_of(place)
        target = one.wire.split(ARROW)[1].rpartition(".")[0] if one.wire else one.node
        schema = self._known_schema(one)
        columns = self._columns(target) if schema is None else _types(schema)
        dialog = ConditionDialog(one, columns, schema, self._theme, self._canvas)
        try:
            if dialog.exec() == ConditionDialog.DialogCode.Accepted:
                self.breakpoints.put(dialog.breakpoint)
        finally:
            dialog.deleteLater()

    def _known_schema(self, one: Breakpoint) -> Any:
        debugger = self._controller.debugger
        return debugger.columns(one) if debugger is not None else None

    # -- a halted run -----------------------------------------------------------------------------------------

    @property
    def halt(self) -> Halted | None:
        """The halt that is shown."""
        return self._halts.get(self._shown)

    def start(self, *, load: bool = False) -> None:
        """Run what is on the screen and halt at breakpoints; ``load``: write for real."""
        given = self._ready()
        if given is not None:
            self.begin(given, load=load)

    def begin(self, parameters: Mapping[str, str], *, load: bool = False, trial: MakeTrial | None = None) -> None:
        """Run what is on the screen, or make a trial of it, and halt at breakpoints.

        Args:
            parameters: of the run.
            load: write for real.
            trial: makes a trial of it.
        """
        self.panel_wanted.emit(self.panel)
        document = self._document
        points = self.breakpoints.all()
        self._controller.debug(document.pipeline, document.path, parameters, points, load=load, trial=trial)

    @property
    def is_debugging(self) -> bool:
        """Whether a run goes on that can be halted."""
        return self._controller.debugger is not None

    def act(self, name: str) -> None:
        """Do what an action of the menu says: ``debug_continue``, ``debug_step_row`` and the like."""
        from etl_studio.engine.debugger import Continue, HaltNext, RunToEnd, StepBatch, StepRow

        place = self._shown
        commands: dict[str, Command] = {
            "debug_continue": Continue(place),
            "debug_step_row": StepRow(place),
            "debug_step_batch": StepBatch(place),
            "debug_step_next": StepBatch(place, anywhere=True),
            "debug_to_end": RunToEnd(),
            "debug_halt": HaltNext(),
        }
        self._obey(commands[name])

    def _obey(self, command: Command) -> None:
        debugger = self._controller.debugger
        if debugger is None:
            return
        try:
            debugger.obey(command)
        except EtlError as error:
            self.panel.say(str(error))

    def _edit(self, row: int, column: str, text: str) -> None:
        from etl_studio.engine.debugger import EditRows
        from etl_studio.engine.letter_rows import read_text, type_words

        debugger, halt = self._controller.debugger, self.halt
        if debugger is None or halt is None:
            return
        try:
            types = type_words(debugger.rows(halt.place).schema)
            debugger.obey(EditRows(halt.place, {row: {column: read_text(column, text, types[column])}}))
        except EtlError as error:
            self.panel.say(str(error))

    def _empty(self, cells: list[tuple[int, str]]) -> None:
        from etl_studio.engine.debugger import EditRows

        changes: dict[int, dict[str, Any]] = {}
        for row, column in cells:
            changes.setdefault(row, {})[column] = None
        if changes:
            self._obey(EditRows(self._shown, changes))

    def _drop(self, rows: list[int]) -> None:
        from etl_studio.engine.debugger import DropRows

        if rows:
            self._obey(DropRows(self._shown, tuple(rows)))

    def _send_breakpoints(self) -> None:
        from etl_studio.engine.debugger import SetBreakpoints

        if (debugger := self._controller.debugger) is not None:
            for one in self.breakpoints.all():
                debugger.trust(one)  # the dialog has checked it, in a thread
            self._obey(SetBreakpoints(self.breakpoints.all()))

    def _take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._forget()
        elif isinstance(event, Halted):
            new = event.place not in self._halts
            self._halts[event.place] = event
            if self.halt is None:
                self._shown = event.place
            at = {"row": count(event.row + 1), "batch": count(event.batch)}
            self._tell_card(event.node, tr("halted at row {row}, batch {batch}", **at))
            self._show()
            if new:
                self.panel_wanted.emit(self.panel)
        elif isinstance(event, HaltEnded):
            self._halts.pop(event.place, None)
            self._tell_card(event.node, "")
            self._show()
        elif isinstance(event, RunEnded):
            self._forget()

    def _tell_card(self, node: str, text: str) -> None:
        scene, name = self._canvas.pipeline_scene, outer_node(node)
        scene.live.node(name).halted = text
        scene.show_live(name)

    def _on_running(self) -> None:
        if not self._controller.is_running:
            self._forget()
        self.changed.emit()

    def _workspace(self) -> Path:
        return self._studio.workspace_folder(self._document.path)

    def _show_panel(self) -> None:
        self.panel_wanted.emit(self.panel)

    def _forget(self) -> None:
        self._halts.clear()
        self._show()

    def _show_other(self) -> None:
        places = list(self._halts)
        if self._shown in places:
            self._shown = places[(places.index(self._shown) + 1) % len(places)]
        self._show()

    def _show(self) -> None:
        if self._shown not in self._halts:
            self._shown = next(iter(self._halts), "")
        halt = self.halt
        self.marks.show_halts({place: one.node for place, one in self._halts.items()})
        if halt is None:
            self.strip.show_halt(None)
            self.panel.show_halt(None, None, {})
        else:
            number = list(self._halts).index(self._shown) + 1
            title = self._document.titles().get(outer_node(halt.node), halt.node)
            self.strip.show_halt(halt, title, number, len(self._halts))
            self._show_rows(halt)
        self.changed.emit()

    def _show_rows(self, halt: Halted) -> None:
        debugger: Debugger | None = self._controller.debugger
        if debugger is None:
            return
        try:
            self.panel.show_halt(halt, debugger.rows(halt.place), debugger.given(halt.node))
        except EtlError:
            return  # it has gone on meanwhile: the event that says so is on its way

    def _show_place(self, place: str) -> None:
        scene = self._canvas.pipeline_scene
        wires = [wire for wire in scene.wires if str(wire) == place]
        scene.choose([] if wires else [place], wires)
        self._canvas.navigation.reveal(wires[0].target if wires else place)


def _types(schema: pa.Schema) -> dict[str, str]:
    """The types of columns in the words that people write."""
    from etl_studio.sdk.types import type_name

    return {field.name: type_name(field.type) for field in schema}
