"""Every action of the window as data: name, text, shortcut, icon and menu."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etl_studio.ui.theme.theme import Theme


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action.

    Attributes:
        id: name in the program.
        text: in menus; three dots: a question follows.
        menu: title of its menu.
        shortcut: in portable form, several divided by ``; ``.
        icon: file in ``resources/icons``.
        tip: for the tool bar; default: the text.
        group: actions of one group are choices, of which one is in force.
        checkable: it is on or off.
        apart: a line stands above it.
    """

    id: str
    text: str
    menu: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    group: str = ""
    checkable: bool = False
    apart: bool = False


FILE, EDIT, VIEW, ARRANGE, RUN, DEBUG, HELP = "&File", "&Edit", "&View", "&Arrange", "&Run", "&Debug", "&Help"
MENUS = (FILE, EDIT, VIEW, ARRANGE, RUN, DEBUG, HELP)

ACTIONS = (
    ActionSpec("new", "&New", FILE, "Ctrl+N", "file-plus", "New pipeline"),
    ActionSpec("new_window", "New &window", FILE, "Ctrl+Shift+N"),
    ActionSpec("open", "&Open…", FILE, "Ctrl+O", "folder-open", "Open a pipeline"),
    ActionSpec("open_recent", "Open &recent", FILE, icon="history"),
    ActionSpec("open_example", "Open &example", FILE, icon="layers"),
    ActionSpec("start_page", "S&tart page", FILE, icon="home"),
    ActionSpec("save", "&Save", FILE, "Ctrl+S", "save", "Save the pipeline", apart=True),
    ActionSpec("save_as", "Save &as…", FILE, "Ctrl+Shift+S"),
    ActionSpec("compare_saved", "&Compare with the saved file", FILE, "Ctrl+Alt+D", "diff", apart=True),
    ActionSpec("compare_commit", "Compare with the last co&mmit", FILE),
    ActionSpec("compare_file", "Compare with another &file…", FILE),
    ActionSpec("history", "&History of versions", FILE, "Ctrl+Alt+Y", "clock"),
    ActionSpec("export", "&Export results…", FILE, "Ctrl+E", "download", apart=True),
    ActionSpec("close_tab", "&Close", FILE, "Ctrl+W; Ctrl+F4", apart=True),
    ActionSpec("quit", "&Quit", FILE, "Ctrl+Q"),
    ActionSpec("undo", "&Undo", EDIT, "Ctrl+Z", "undo"),
    ActionSpec("redo", "&Redo", EDIT, "Ctrl+Shift+Z; Ctrl+Y", "redo"),
    ActionSpec("cut", "Cu&t", EDIT, "Ctrl+X", "scissors", apart=True),
    ActionSpec("copy", "&Copy", EDIT, "Ctrl+C", "copy"),
    ActionSpec("paste", "&Paste", EDIT, "Ctrl+V", "clipboard"),
    ActionSpec("duplicate", "&Duplicate", EDIT, "Ctrl+D"),
    ActionSpec("delete", "D&elete", EDIT, "Del; Backspace", "trash"),
    ActionSpec("delete_join", "Delete and reco&nnect", EDIT, "Ctrl+Del; Ctrl+Backspace"),
    ActionSpec("select_all", "Select &all", EDIT, "Ctrl+A", apart=True),
    ActionSpec("add_node", "Add &node…", EDIT, "Ctrl+Space", "plus"),
    ActionSpec(
        "add_requests",
        "Add from HA&R or OpenAPI…",
        EDIT,
        icon="api",
        tip="Add nodes for recorded or described requests",
    ),
    ActionSpec("connect", "C&onnect the node…", EDIT, "C", "link"),
    ActionSpec("connect_back", "C&hoose what feeds the node…", EDIT, "Shift+C"),
    ActionSpec("replace_node", "Replace the node &by…", EDIT, "Ctrl+H", "repeat"),
    ActionSpec("rename_node", "Rena&me the node…", EDIT, "F2", "edit", "Give the node another name in the file"),
    ActionSpec("add_note", "Add n&ote", EDIT, "N", "note", "Add a note in Markdown to the canvas"),
    ActionSpec("group", "&Group", EDIT, "Ctrl+G", "group", "Put the selected nodes into a group", apart=True),
    ActionSpec("ungroup", "U&ngroup", EDIT, "Ctrl+Shift+G", "ungroup"),
    ActionSpec("disable", "D&isable", EDIT, "D; Ctrl+/", "power", "Disable the selected nodes: they do not run"),
    ActionSpec("disable_branch", "Disable the &branch", EDIT, tip="Disable the nodes and all that only they feed"),
    ActionSpec("find", "&Find…", EDIT, "Ctrl+F", "search", "Find nodes, settings and columns in the pipeline"),
    ActionSpec("find_uses", "Find &uses of a column", EDIT, "Alt+F7", "route", "Show where a column is used"),
    ActionSpec("rename_column", "&Rename a column…", EDIT, "Ctrl+Shift+R", "edit", "Rename a column everywhere"),
    ActionSpec(
        "workshop", "Selector &workshop…", EDIT, "Ctrl+Alt+W", "crosshair", "Find selectors on the page of the node"
    ),
    ActionSpec("open_inner", "Open the sub-&pipeline", EDIT, icon="workflow", apart=True),
    ActionSpec("extract", "E&xtract into a sub-pipeline…", EDIT, "Ctrl+Alt+E", tip="Make a file of the selected nodes"),
    ActionSpec("inline", "In&line the sub-pipeline", EDIT, tip="Put the nodes of its file in its place"),
    ActionSpec("zoom_in", "Zoom &in", VIEW, "Ctrl++; Ctrl+=", "zoom-in"),
    ActionSpec("zoom_out", "Zoom &out", VIEW, "Ctrl+-", "zoom-out"),
    ActionSpec("zoom_reset", "Actual si&ze", VIEW, "Ctrl+1"),
    ActionSpec("fit", "&Fit the pipeline", VIEW, "Ctrl+0", "maximize"),
    ActionSpec("fit_selection", "Fit the se&lection", VIEW, "Shift+2; ."),
    ActionSpec("show_palette", "&Palette and outline", VIEW, "Ctrl+Alt+1", checkable=True, apart=True),
    ActionSpec("outline", "&Go to the outline", VIEW, "Ctrl+Alt+O", "list"),
    ActionSpec("show_inspector", "I&nspector", VIEW, "Ctrl+Alt+2", checkable=True),
    ActionSpec("show_panels", "Panels &below", VIEW, "Ctrl+Alt+3", checkable=True),
    ActionSpec("show_minimap", "&Map", VIEW, "Ctrl+Alt+4", checkable=True),
    ActionSpec("next_wire", "Next &wire of the node", VIEW, "W", apart=True),
    ActionSpec("previous_wire", "Previous wi&re of the node", VIEW, "Shift+W"),
    ActionSpec("next_tab", "Ne&xt pipeline", VIEW, "Ctrl+Tab; Ctrl+PgDown", apart=True),
    ActionSpec("previous_tab", "Pre&vious pipeline", VIEW, "Ctrl+Shift+Tab; Ctrl+PgUp"),
    ActionSpec("go_back", "Back to the &outer pipeline", VIEW, "Ctrl+Alt+Up", "arrow-up"),
    ActionSpec("theme_light", "&Light", VIEW, group="theme", checkable=True, apart=True),
    ActionSpec("theme_dark", "&Dark", VIEW, group="theme", checkable=True),
    ActionSpec("theme_system", "As the &system", VIEW, group="theme", checkable=True),
    ActionSpec("text_size", "Te&xt size", VIEW, apart=True),
    ActionSpec("text_larger", "Lar&ger texts", VIEW, "Ctrl+Alt++; Ctrl+Alt+="),
    ActionSpec("text_smaller", "S&maller texts", VIEW, "Ctrl+Alt+-"),
    ActionSpec("language", "Lan&guage", VIEW),
    ActionSpec("arrange", "Arrange in &columns", ARRANGE, "Ctrl+L", "align", "Arrange the selected nodes, or all"),
    ActionSpec("align_left", "Align &left", ARRANGE, "Ctrl+Left", apart=True),
    ActionSpec("align_centre", "Align c&entres", ARRANGE, "Ctrl+Shift+H"),
    ActionSpec("align_right", "Align &right", ARRANGE, "Ctrl+Right"),
    ActionSpec("align_top", "Align &top", ARRANGE, "Ctrl+Up", apart=True),
    ActionSpec("align_middle", "Align &middles", ARRANGE, "Ctrl+Shift+M"),
    ActionSpec("align_bottom", "Align &bottom", ARRANGE, "Ctrl+Down"),
    ActionSpec("distribute_across", "Distribute &across", ARRANGE, "Ctrl+Alt+H", apart=True),
    ActionSpec("distribute_down", "Distribute &down", ARRANGE, "Ctrl+Alt+V"),
    ActionSpec("snap", "&Snap to the grid", ARRANGE, checkable=True, apart=True),
    ActionSpec("guides", "Smart &guides", ARRANGE, checkable=True),
    ActionSpec("run", "&Run", RUN, "F5; Ctrl+R", "play", "Run the pipeline as it is on the screen"),
    ActionSpec(
        "stop", "&Stop", RUN, "Shift+F5", "stop", "Stop: what is under way is still loaded; again to end at once"
    ),
    ActionSpec("pause", "Pa&use", RUN, "F7", "pause", "Pause: sources wait, what they gave is still processed"),
    ActionSpec("stop_now", "Stop at &once", RUN, "Ctrl+Shift+F5"),
    ActionSpec("dry_run", "&Dry run", RUN, "Ctrl+F5", "diff", "Run without writing: see what would change"),
    ActionSpec("run_with_faults", "Run with &faults…", RUN, tip="Let nodes fail on purpose and see what policies do"),
    ActionSpec("trial", "Tria&l run…", RUN, "Alt+F5", tip="Run on the first rows of each source, and on pinned rows"),
    ActionSpec("run_to", "Run to &here", RUN, "Ctrl+F6", tip="Run the selected node and what feeds it", apart=True),
    ActionSpec("run_from", "Run fro&m here…", RUN, "Shift+F6", tip="Run the selected node and what follows it"),
    ActionSpec("preview", "&Preview the selected node", RUN, "F6", "eye", apart=True),
    ActionSpec("run_tests", "Run the &tests", RUN, "Ctrl+Shift+T", "flask", "Run the tests of the pipeline"),
    ActionSpec("debug", "&Debug", DEBUG, "Ctrl+Shift+F9", "bug", "Run and halt at breakpoints; nothing is written"),
    ActionSpec("debug_load", "Debug and &load", DEBUG, tip="Halt at breakpoints; what passes is loaded"),
    ActionSpec("debug_continue", "&Continue", DEBUG, "F8", "play", "Go on to the next breakpoint", apart=True),
    ActionSpec("debug_step_row", "Step &row", DEBUG, "F10", "step-row", "Let one row pass"),
    ActionSpec("debug_step_batch", "Step &batch", DEBUG, "F11", "step-batch", "Let the rest of the batch pass"),
    ActionSpec("debug_step_next", "Step to the &next node", DEBUG, "Shift+F11", tip="Halt before whatever comes next"),
    ActionSpec("debug_halt", "&Halt at the next batch", DEBUG, "Shift+F7", "pause"),
    ActionSpec("debug_to_end", "Run to the &end", DEBUG, "Shift+F8", "fast-forward", "Halt no more"),
    ActionSpec("breakpoint", "Breakp&oint", DEBUG, "F9", "circle-dot", "Set or remove a breakpoint", apart=True),
    ActionSpec("breakpoint_condition", "Con&dition of the breakpoint…", DEBUG, "Shift+F9"),
    ActionSpec("breakpoints_clear", "Remove &all breakpoints", DEBUG),
    ActionSpec("record_runs", "Record r&uns", DEBUG, tip="Keep the batches of each run", checkable=True, apart=True),
    ActionSpec("open_recording", "Look at a recorded run…", DEBUG, "Ctrl+Shift+F8", "history"),
    ActionSpec("help", "&Help", HELP, "F1", "help", "Explain what is selected"),
    ActionSpec("tour", "&Tour", HELP, icon="flag", tip="Five steps through the window, on a real pipeline"),
    ActionSpec("find_action", "&Find an action…", HELP, "Ctrl+K", "search"),
    ActionSpec("shortcuts", "&Keyboard shortcuts", HELP, "Ctrl+F1", "keyboard"),
    ActionSpec("about", "&About ETL Studio", HELP, icon="info", apart=True),
)

BETWEEN = "; "
"""Between the keys of one action in a text."""
MNEMONIC_BEHIND = re.compile(r"\(&.\)")
"""As in languages whose letters are not on the keyboard."""
TOOL_BAR = ("new", "open", "save", "", "undo", "redo", "", "zoom_out", "zoom_in", "fit")
"""Actions of the tool bar in order; an empty name is a line."""


class Actions(QObject):
    """The QActions of ``ACTIONS`` by name; their icons follow the theme.

    Args:
        theme: draws the icons.
        parent: the window, so that the shortcuts work in it.
    """

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            self._actions[spec.id] = self._make(spec)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def set_keys(self, keys: Callable[[str], list[QKeySequence]]) -> None:
        """Give every action its keys, and name them in its tool tip.

        Args:
            keys: those of an action, by its name.
        """
        for spec in ACTIONS:
            action, of_action = self._actions[spec.id], keys(spec.id)
            if action.shortcuts() != of_action:
                action.setShortcuts(of_action)
            tip = tr(spec.tip) or plain(tr(spec.text))
            action.setToolTip(f"{tip} ({shown_key(of_action)})" if of_action else tip)

    def keys(self, name: str) -> list[QKeySequence]:
        """The keys of an action that are in force."""
        return self._actions[name].shortcuts()

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        return iter(self._actions.values())

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(tr(spec.text), self.parent())
        action.setObjectName(spec.id)
        action.setCheckable(spec.checkable)
        if spec.group:
            group = self._groups.setdefault(spec.group, QActionGroup(self))
            group.addAction(action)
        return action

    def _draw_icons(self) -> None:
        for spec in ACTIONS:
            if spec.icon:
                self._actions[spec.id].setIcon(self._theme.icon(spec.icon, self._theme.tokens.text_muted, 18))


def default_keys(name: str) -> list[QKeySequence]:
    """The keys that came with the program."""
    return next(keys_of(spec) for spec in ACTIONS if spec.id == name)


def keys_of(spec: ActionSpec) -> list[QKeySequence]:
    """The keys that an action came with."""
    return [QKeySequence(one) for one in spec.shortcut.split(BETWEEN) if one]


def shown_key(keys: list[QKeySequence]) -> str:
    """The first of the keys of an action as this system writes it; empty where it has none."""
    return keys[0].toString(QKeySequence.SequenceFormat.NativeText) if keys else ""


def plain(text: str) -> str:
    """A menu's text without mnemonic and dots."""
    return MNEMONIC_BEHIND.sub("", text).replace("&", "").removesuffix("…")
