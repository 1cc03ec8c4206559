"""What the window's actions mean for one workbench, and which of them are possible now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from etl_studio.ui.canvas.alignment import ALIGN, DISTRIBUTE
from etl_studio.ui.finding import Finding
from etl_studio.ui.node_renaming import NodeRenaming
from etl_studio.ui.translation import tr
from etl_studio.ui.trial_runs import TrialRuns

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.ui.actions import Actions
    from etl_studio.ui.workbench import Workbench

ORDER = {f"align_{edge}": (edge, 2) for edge, _ in ALIGN} | {f"distribute_{axis}": (axis, 3) for axis, _ in DISTRIBUTE}
"""Actions that bring nodes in order, with what they take and how many nodes they need."""
ON_CANVAS = (
    *("cut", "copy", "paste", "duplicate", "delete", "delete_join", "select_all", "connect", "fit_selection"),
    *("connect_back", "next_wire", "previous_wire", "rename_node", "add_note", "group", "ungroup", "disable"),
    *ORDER,
)
"""These keys mean something else in tables and fields: they work where the canvas has the focus."""
WALKING = ("connect", "connect_back", "next_wire", "previous_wire")
"""They begin where the keys are on the canvas."""
EDITS = (
    *("save", "save_as", "run", "dry_run", "run_with_faults", "trial", "run_to", "run_from"),
    *("debug", "debug_load", "run_tests"),
    *("cut", "paste", "duplicate", "delete", "delete_join", "replace_node", "add_node", "add_note", "connect"),
    *("rename_node", "add_requests", "group", "ungroup", "disable", "disable_branch", "arrange", *ORDER),
)
"""What cannot be done with a file of a newer version."""

STEPS = ("debug_continue", "debug_step_row", "debug_step_batch", "debug_step_next")
"""Possible while a run is halted."""


class BenchActions(QObject):
    """The meaning of actions while a workbench is in front.

    Args:
        bench: the workbench; it owns this.

    Attributes:
        meanings: what to do, by the name of the action.
        changed: other actions are possible.
    """

    changed = Signal()

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._bench, self._trials = bench, TrialRuns(bench)
        self._renaming = NodeRenaming(bench)
        self.meanings = self._meanings()
        undo = bench.document.undo_stack
        for signal in (
            undo.canUndoChanged,
            undo.canRedoChanged,
            bench.canvas.selection_changed,
            bench.controller.running_changed,
            bench.controller.pause_changed,
            bench.stopping,
            bench.document.group_added,
            bench.document.group_removed,
            bench.document.node_changed,
            bench.inner.trail.changed,
            bench.debugging.changed,
            bench.debugging.breakpoints.changed,
            bench.document.reset,
            bench.document.path_changed,
        ):
            signal.connect(self.changed)

    @staticmethod
    def of(bench: Workbench) -> BenchActions:
        """Those of a workbench."""
        return bench.findChild(BenchActions, options=Qt.FindChildOption.FindDirectChildrenOnly)

    def add_canvas_keys(self, actions: Actions) -> None:
        """Let the keys of ``ON_CANVAS`` work on this canvas."""
        actions["record_runs"].setChecked(self._bench.controller.records)
        for name in ON_CANVAS:
            actions[name].setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            self._bench.canvas.addAction(actions[name])
        self._bench.canvas.keys = actions.keys
        self.show_keys(actions)

    def show_keys(self, actions: Actions) -> None:
        """Name the keys that are in force where buttons name them."""
        self._bench.debugging.strip.show_keys(actions.keys)

    def possible(self) -> dict[str, bool]:
        """Whether each action can be done now; what is missing can always be."""
        bench = self._bench
        running = bench.controller.is_running
        scene = bench.canvas.pipeline_scene
        chosen, items = scene.chosen_nodes(), scene.chosen_items()
        return {
            "compare_saved": bench.document.path is not None,
            "compare_commit": bench.document.path is not None,
            "history": bench.document.path is not None,
            "run_tests": bench.document.path is not None,
            "undo": bench.document.undo_stack.canUndo(),
            "redo": bench.document.undo_stack.canRedo(),
            "cut": bool(items),
            "copy": bool(items),
            "duplicate": bool(items),
            "delete": bool(items or scene.chosen_wires()),
            "group": bool(chosen),
            "ungroup": bench.canvas.annotating.is_grouped,
            "disable": bool(chosen),
            "disable_branch": bool(chosen),
            "delete_join": bool(chosen),
            **dict.fromkeys(WALKING, bool(chosen or bench.canvas.walking.node)),
            "replace_node": len(chosen) == 1,
            **{name: len(chosen) >= least for name, (_, least) in ORDER.items()},
            "preview": len(chosen) == 1,
            "workshop": len(chosen) == 1 and bench.workshops.can_open(chosen[0]),
            "rename_node": len(chosen) == 1,
            "open_inner": bench.inner.selected is not None,
            "inline": bench.inner.selected is not None,
            "extract": bool(chosen),
            "go_back": bool(bench.inner.trail.crumbs),
            "run": not running,
            "dry_run": not running,
            "run_with_faults": not running,
            "trial": not running,
            "run_to": len(chosen) == 1 and not running,
            "run_from": len(chosen) == 1 and not running,
            "stop": running,
            "stop_now": running,
            "pause": bench.controller.can_pause,
            **self._possible_debugging(),
            **(dict.fromkeys(EDITS, False) if bench.document.is_read_only else {}),
        }

    def _possible_debugging(self) -> dict[str, bool]:
        debugging, running = self._bench.debugging, self._bench.controller.is_running
        halted, places = debugging.halt is not None, debugging.chosen_places()
        return {
            "debug": not running,
            "debug_load": not running,
            **dict.fromkeys(STEPS, halted),
            "debug_halt": debugging.is_debugging and not halted,
            "debug_to_end": debugging.is_debugging,
            "breakpoint": bool(places),
            "breakpoint_condition": len(places) == 1,
            "open_recording": not running,
            "breakpoints_clear": bool(debugging.breakpoints.all()),
        }

    def texts(self) -> dict[str, str]:
        """Texts of actions that change with what is going on."""
        enables = self._bench.canvas.annotating.would_enable
        return {
            "pause": tr("Contin&ue") if self._bench.controller.is_paused else tr("Pa&use"),
            "disable": tr("E&nable") if enables else tr("D&isable"),
            "disable_branch": tr("Enable the &branch") if enables else tr("Disable the &branch"),
        }

    def _meanings(self) -> dict[str, Callable[[], object]]:
        bench, canvas = self._bench, self._bench.canvas
        return {
            "save": bench.files.save,
            "save_as": bench.files.save_as,
            "compare_saved": bench.life.compare_with_saved,
            "compare_commit": bench.life.compare_with_commit,
            "compare_file": bench.life.compare_with_file,
            "history": partial(bench.tabs.show_panel, bench.life.history),
            **canvas.acts,
            "add_node": self._add_node,
            "add_requests": canvas.requests.open,
            "find": Finding(bench).ask,
            "find_uses": bench.column_work.find_uses,
            "rename_column": bench.column_work.rename,
            "workshop": self._open_workshop,
            "rename_node": self._renaming.ask,
            "outline": self._show_outline,
            **{name: partial(self._on_canvas, name) for name in WALKING},
            "replace_node": self._replace_node,
            "run": bench.run,
            "dry_run": bench.dry_run,
            "run_with_faults": bench.run_with_faults,
            "trial": self._trials.ask,
            "run_to": self._run_to,
            "run_from": self._trials.ask_from_chosen,
            "stop": bench.stop,
            "stop_now": bench.stop_now,
            "pause": bench.controller.switch_pause,
            "debug": bench.debugging.start,
            "debug_load": partial(bench.debugging.start, load=True),
            **{name: partial(bench.debugging.act, name) for name in (*STEPS, "debug_halt", "debug_to_end")},
            "breakpoint": bench.debugging.toggle,
            "breakpoint_condition": bench.debugging.edit_condition,
            "breakpoints_clear": bench.debugging.breakpoints.clear,
            "record_runs": bench.debugging.playback.switch_recording,
            "open_recording": bench.debugging.playback.choose,
            "preview": bench.preview_selection,
            "run_tests": self._run_tests,
            "open_inner": bench.inner.open_selected,
            "inline": bench.inner.inline_selected,
            "extract": bench.inner.restructuring.extract,
            "go_back": bench.inner.go_back,
            "export": bench.export_results,
        }

    def _run_to(self) -> None:
        for node in self._bench.canvas.pipeline_scene.chosen_nodes()[:1]:
            self._bench.run_to(node)

    def _run_tests(self) -> None:
        self._bench.tabs.show_panel(self._bench.tests)
        self._bench.tests.run_all()

    def _add_node(self) -> None:
        canvas = self._bench.canvas
        canvas.setFocus()
        canvas.quick_add.open_here()

    def _on_canvas(self, name: str) -> None:
        self._bench.canvas.setFocus()
        self._bench.canvas.acts[name]()

    def _replace_node(self) -> None:
        canvas = self._bench.canvas
        canvas.setFocus()
        for node in canvas.pipeline_scene.chosen_nodes()[:1]:
            canvas.quick_add.open_instead_of(node)

    def _open_workshop(self) -> None:
        for node in self._bench.canvas.pipeline_scene.chosen_nodes()[:1]:
            self._bench.workshops.open(node)

    def _show_outline(self) -> None:
        self._bench.side.show()
        self._bench.side.show_outline()
