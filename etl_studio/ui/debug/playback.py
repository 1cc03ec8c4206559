"""Looks at a recorded run on the canvas: how everything stood at a moment, and the rows that were on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtWidgets import QInputDialog

from etl_studio.engine.events import NodeCounts, NodeSample, NodeState, Sampled, WireSample
from etl_studio.engine.inbox import Bounds
from etl_studio.ui.debug.breakpoints import shown_place
from etl_studio.ui.debug.scrub_bar import ScrubBar
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.quantities import count, duration, rows
from etl_studio.ui.state_words import STATE_WORDS
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from etl_studio.app.recordings import Moment, RecordedRun
    from etl_studio.ui.canvas.view import CanvasView
    from etl_studio.ui.debug.panel import DebuggerPanel
    from etl_studio.ui.run.controller import RunController
    from etl_studio.ui.theme.theme import Theme

SETTING = "record_runs"
TICK = 40
"""Milliseconds between two looks at the clock while it plays."""
DOT = "  ·  "
MOVES = {"gave": N_("{node} gave out {rows}"), "took": N_("{node} took in {rows}")}


class Playback(QObject):
    """Nothing runs for it; a run that begins ends it.

    Args:
        controller: its runs may be recorded.
        canvas: where a moment is shown.
        panel: where its rows are shown.
        workspace: gives the folder in which recordings are.
        settings: whether runs are recorded is kept there.
        theme: colours and icons.
        parent: its parent.

    Attributes:
        bar: over the canvas.
        opened: a recorded run is looked at.
        refused: why it cannot be.
        recorded: what is looked at, or None.
    """

    opened = Signal()
    refused = Signal(str)

    def __init__(  # noqa: PLR0913 - what it shows, and where
        self,
        controller: RunController,
        canvas: CanvasView,
        panel: DebuggerPanel,
        workspace: Callable[[], Path],
        settings: QSettings,
        theme: Theme,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller, self._canvas, self._panel = controller, canvas, panel
        self._workspace, self._settings = workspace, settings
        self.recorded: RecordedRun | None = None
        self.bar = ScrubBar(theme)
        self._position = 0
        self._began = (0.0, 0.0)
        self._timer = QTimer(self, interval=TICK)
        self._timer.timeout.connect(self._tick)
        self._list, self._open = Fetcher(self), Fetcher(self)
        self._list.fetched.connect(self._ask)
        self._open.fetched.connect(self._show)
        for fetcher in (self._list, self._open):
            fetcher.failed.connect(self.refused)
        controller.records = settings.value(SETTING, defaultValue=False, type=bool)
        controller.running_changed.connect(self._on_running)
        self.bar.moved.connect(self._go)
        self.bar.play_wanted.connect(self.switch_playing)
        self.bar.left.connect(self.leave)
        canvas.pipeline_scene.chosen_changed.connect(self._show_rows)
        canvas.document.reset.connect(self.leave)

    def switch_recording(self) -> None:
        """Record runs from now on, or not."""
        self._controller.records = not self._controller.records
        self._settings.setValue(SETTING, self._controller.records)

    def choose(self) -> None:
        """Ask for a recorded run and open it."""
        folder = self._workspace()

        def names() -> list[str]:
            from etl_studio.app.recordings import recordings

            return recordings(folder)

        self._list.ask(names)

    def open(self, run: str) -> None:
        """Look at a recorded run."""
        folder = self._workspace()

        def read() -> RecordedRun:
            from etl_studio.app.recordings import open_recording

            return open_recording(folder, run)

        self._open.ask(read)

    def switch_playing(self) -> None:
        """Play from here, from the beginning where it is at its end, or pause."""
        if self._timer.isActive() or self.recorded is None:
            self._pause()
            return
        if self._position >= len(self.recorded.moments):
            self.bar.slider.setValue(0)
        self._began = (time.monotonic(), self._time())
        self._timer.start()
        self.bar.show_playing(playing=True)

    def leave(self) -> None:
        """Show the pipeline again as it is."""
        self._pause()
        if self.recorded is None:
            return
        self.recorded = None
        self.bar.hide()
        self._canvas.pipeline_scene.clear_run()
        self._panel.show_halt(None, None, {})
        self._canvas.setFocus()

    def close_threads(self) -> None:
        """Wait until nothing runs."""
        self._list.close()
        self._open.close()

    def _ask(self, names: list[str]) -> None:
        if not names:
            text = tr('No run was recorded here. Choose "Record runs" in the menu Debug, or debug a run.')
            self.refused.emit(text)
            return
        titles = [_title(name) for name in names]
        window = self._canvas.window()
        title, taken = QInputDialog.getItem(
            window, tr("Recorded runs"), tr("Look again at the run of"), titles, 0, False
        )
        if taken:
            self.open(names[titles.index(title)])

    def _show(self, recorded: RecordedRun) -> None:
        if self._controller.is_running:
            return
        self.recorded = recorded
        self.opened.emit()
        self._position = -1
        self.bar.open_at(0, len(recorded.moments))
        self._go(self.bar.slider.value())

    def _go(self, position: int) -> None:
        recorded = self.recorded
        if recorded is None or position == self._position:
            return
        back = position < self._position
        self._position = position
        found, scene = recorded.scene(position), self._canvas.pipeline_scene
        if back or position == 0:
            scene.clear_run(dry=recorded.facts.get("kind") == "dry_run")
        most = Bounds().rows
        wires = {
            wire: WireSample(taken, max(given - taken, 0), min(max(given - taken, 0) / most, 1.0))
            for wire, (given, taken) in found.wires.items()
        }
        nodes = {}
        for name, facts in found.nodes.items():
            counts = {key: value for key, value in facts.items() if key != "state"}
            nodes[name] = NodeSample(NodeState(facts.get("state", "waiting")), NodeCounts(**counts))
        scene.show_sample(Sampled(recorded.run, self._time(), nodes, wires))
        self.bar.words.setText(self._words())
        self.bar.words.setToolTip(self.bar.words.text())
        self._show_rows()

    def _show_rows(self) -> None:
        recorded = self.recorded
        if recorded is None:
            return
        scene = self._canvas.pipeline_scene
        wires, nodes = scene.chosen_wires(), scene.chosen_nodes()
        if wires:
            place, batch = shown_place(str(wires[0])), recorded.batch(self._position, wire=str(wires[0]))
        elif nodes:
            place, batch = tr("{node}, given out last", node=nodes[0]), recorded.batch(self._position, node=nodes[0])
        elif (moment := self._moment()) is not None and moment.node:
            place, batch = (
                tr("{node}, given out last", node=moment.node),
                recorded.batch(self._position, node=moment.node),
            )
        else:
            place, batch = tr("Select a node or a wire to see its rows."), None
        self._panel.show_recorded(place, batch)

    def _moment(self) -> Moment | None:
        assert self.recorded is not None  # noqa: S101 - looked at by the callers
        return self.recorded.moments[self._position - 1] if self._position > 0 else None

    def _time(self) -> float:
        """Of the moment that is shown."""
        moment = self._moment()
        assert self.recorded is not None  # noqa: S101 - looked at by the callers
        return float(self.recorded.facts["began"]) if moment is None else moment.at

    def _words(self) -> str:
        assert self.recorded is not None  # noqa: S101 - looked at by the callers
        moment = self._moment()
        number, total = count(self._position), count(len(self.recorded.moments))
        parts = [tr("{number} of {total}", number=number, total=total)]
        if moment is None:
            return DOT.join([*parts, tr("before the run")])
        parts.append(duration(moment.at - float(self.recorded.facts["began"])))
        if moment.what == "end":
            parts.append(tr("the end"))
        elif moment.what == "state":
            state = self.recorded.scene(self._position).nodes[moment.node]["state"]
            parts.append(tr("{node} is {state}", node=moment.node, state=tr(STATE_WORDS.get(state, state))))
        else:
            parts.append(tr(MOVES[moment.what], node=moment.node, rows=rows(moment.rows)))
        return DOT.join(parts)

    def _tick(self) -> None:
        if self.recorded is None:
            return
        began, at = self._began
        now = at + (time.monotonic() - began) * self.bar.factor
        position = max(self.recorded.position_at(now), self._position)
        self.bar.slider.setValue(position)
        if position >= len(self.recorded.moments):
            self._pause()

    def _pause(self) -> None:
        self._timer.stop()
        self.bar.show_playing(playing=False)

    def _on_running(self) -> None:
        if self._controller.is_running:
            self.leave()


def _title(run: str) -> str:
    """``2026-11-25 09:21:07 UTC  (4f2a1c)`` for a run's id."""
    day, moment, number = [*run.split("-"), "", ""][:3]
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {moment[:2]}:{moment[2:4]}:{moment[4:]} UTC  ({number})"
