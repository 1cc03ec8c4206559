"""A tour of five steps on a real pipeline in the real window; at the fourth it really runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QTimer

from etl_studio.app.templates import template_file
from etl_studio.ui.start.coach import Bubble, Ring, Side
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QWidget

    from etl_studio.ui.actions import Actions
    from etl_studio.ui.document_tabs import DocumentTabs
    from etl_studio.ui.pipeline_opener import PipelineOpener
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workbench import Workbench

DONE = "tour_done"
"""Key of the settings: somebody has seen the tour, or skipped it."""
TEMPLATE, NODE = "scrape_a_shop", "clean"
RING = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One stop.

    Attributes:
        part: attribute of the workbench that the bubble points at; ``run``: the button.
        side: where the bubble stands.
        title, text: what it says.
        forward: the button that leads on.
        action: shows the part where a person has hidden it.
    """

    part: str
    side: Side
    title: str
    text: str
    forward: str = N_("Next")
    action: str = ""


STEPS = (
    Step(
        "side", "right", N_("Nodes do the work"),
        N_(
            "Drag one onto the canvas, or press Tab there and type its name. Sources give rows, transforms change "
            "them, sinks keep them."
        ),
        action="show_palette",
    ),
    Step(
        "canvas", "inside", N_("Wires carry the rows"),
        N_(
            "This pipeline reads the pages of a shop, cleans the prices, checks them and fills a table. "
            "Drag from port to port to draw a wire."
        ),
    ),
    Step(
        "inspector", "left", N_("Settings of a node"),
        N_(
            "What is selected is shown here: its settings, what happens when it fails, and its documentation. "
            "F1 in any field explains it."
        ),
        action="show_inspector",
    ),
    Step(
        "run", "below", N_("Run it"),
        N_("The demo shop is open on this machine. Run reads its twelve pages; watch the counters on the nodes."),
        forward=N_("Run"),
    ),
    Step(
        "tabs", "above", N_("The rows are here"),
        N_(
            "Results shows every table. Export it to CSV, Excel, Parquet or JSON lines. The other panels tell what "
            "went wrong, and take a load back."
        ),
        forward=N_("Done"), action="show_panels",
    ),
)  # fmt: skip
RUN_STEP = next(number for number, step in enumerate(STEPS) if step.part == "run")


class Tour(QObject):
    """Leads through the steps.

    Args:
        window: the window that is shown.
        tabs: its pipelines.
        opener: opens the pipeline of the tour.
        actions: show hidden parts.
        run_button: starts the run.
        theme: colours.
        settings: remember that it was seen.

    Attributes:
        bubble, ring: what is seen of it.
        step: number of the step from 0; -1 while no tour is under way.
    """

    def __init__(  # noqa: PLR0913 - what it leads through
        self,
        window: QWidget,
        tabs: DocumentTabs,
        opener: PipelineOpener,
        actions: Actions,
        run_button: QWidget,
        theme: Theme,
        settings: QSettings,
    ) -> None:
        super().__init__(window)
        self._window, self._tabs, self._opener = window, tabs, opener
        self._actions, self._run_button, self._settings = actions, run_button, settings
        self._bench: Workbench | None = None
        self.step = -1
        self.ring = Ring(theme, window)
        self.bubble = Bubble(theme, window)
        self.bubble.next_wanted.connect(self.go_on)
        self.bubble.back_wanted.connect(self.go_back)
        self.bubble.skip_wanted.connect(self.end)
        tabs.current_changed.connect(self._on_turned)
        window.installEventFilter(self)
        self._again = QTimer(self, singleShot=True, interval=0)
        self._again.timeout.connect(self._place)

    @property
    def is_done(self) -> bool:
        """Whether it was seen or skipped before."""
        return self._settings.value(DONE) in (True, "true")

    def start(self) -> None:
        """Open the pipeline of the tour and begin."""
        if not self._opener.open_template(template_file(TEMPLATE)):
            return
        bench = self._tabs.current
        if self._bench is not bench:
            self._bench = bench
            bench.controller.running_changed.connect(self._on_running)
            bench.controller.ended.connect(self._on_ended)
            bench.controller.refused.connect(self._on_ended)
        self._show(0)

    def go_on(self) -> None:
        """The next step; at the one of the run, run; behind the last, end."""
        if self.step == RUN_STEP and self._bench is not None and not self._bench.controller.is_running:
            self._actions["run"].trigger()
        elif self.step == len(STEPS) - 1:
            self.end()
        else:
            self._show(self.step + 1)

    def go_back(self) -> None:
        """The step before."""
        self._show(max(0, self.step - 1))

    def end(self) -> None:
        """Take everything away and remember that it was seen."""
        self.step = -1
        self.bubble.hide()
        self.ring.hide()
        self._settings.setValue(DONE, True)
        if self._bench is not None and self._tabs.current is self._bench:
            self._bench.canvas.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The parts move when the window does."""
        if self.step >= 0 and event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._again.start()
        return super().eventFilter(watched, event)

    # -- inside -----------------------------------------------------------------------------------------------

    def _show(self, number: int) -> None:
        self.step = number
        step, bench = STEPS[number], self._bench
        if step.action and not self._actions[step.action].isChecked():
            self._actions[step.action].setChecked(True)
        if step.part == "side":
            bench.side.setCurrentIndex(0)
        elif step.part == "inspector":
            bench.canvas.pipeline_scene.choose([NODE])
        elif step.part == "tabs":
            bench.tabs.show_panel(bench.results)
        self.bubble.say(tr(step.title), tr(step.text), number + 1, len(STEPS), forward=tr(step.forward))
        self._place()
        self.bubble.next.setEnabled(True)
        self.bubble.next.setFocus()
        self._again.start()  # what was hidden gets its place only now

    def _place(self) -> None:
        if self.step < 0 or self._bench is None:
            return
        step = STEPS[self.step]
        part = self._run_button if step.part == "run" else getattr(self._bench, step.part)
        place = QRect(part.mapTo(self._window, QPoint()), part.size())
        self.ring.setGeometry(place.adjusted(-RING, -RING, RING, RING).intersected(self._window.rect()))
        self.bubble.point_at(place, step.side)
        for widget in (self.ring, self.bubble):
            widget.show()
            widget.raise_()

    def _on_running(self) -> None:
        if self.step == RUN_STEP and self._bench.controller.is_running:
            self.bubble.text.setText(tr("It runs. The counters show how many rows have passed each node."))
            self.bubble.next.setEnabled(False)

    def _on_ended(self) -> None:
        if self.step == RUN_STEP:
            self._show(RUN_STEP + 1)

    def _on_turned(self) -> None:
        """Another pipeline is in front: a person goes ways of their own."""
        if self.step >= 0 and self._tabs.current is not self._bench:
            self.end()
