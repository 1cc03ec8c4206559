"""The main window: menus, tool bar, status bar and the workbench in the middle. It assembles, and decides nothing.

It is painted before the studio is there: the node types and the engine need half a second of imports, which
``application`` does in a thread. ``open_studio`` then fills the window.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSettings, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from etl_studio.ui.action_search import ActionSearch
from etl_studio.ui.actions import ACTIONS, MENUS, TOOL_BAR, Actions
from etl_studio.ui.canvas_options import OPTIONS, CanvasOptions
from etl_studio.ui.crash_dialog import CrashGuard
from etl_studio.ui.examples import example_title, examples
from etl_studio.ui.help_dialogs import AboutDialog
from etl_studio.ui.recent_files import RecentFiles
from etl_studio.ui.shortcuts import Shortcuts
from etl_studio.ui.text_size import TextSize
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.translation import languages, tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent, QPaintEvent

    from etl_studio.app.studio import Studio
    from etl_studio.storage.journal import Journal
    from etl_studio.ui.bench_actions import BenchActions
    from etl_studio.ui.document_tabs import DocumentTabs
    from etl_studio.ui.pipeline_opener import PipelineOpener
    from etl_studio.ui.start.beginning import Beginning
    from etl_studio.ui.start.tour import Tour
    from etl_studio.ui.sub_pipelines.trail import Crumb
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workbench import Workbench

SIZE, LEAST_SIZE = QSize(1440, 900), QSize(1024, 680)
FRAME = QSize(16, 48)
"""Room on the screen for what the system draws around the window."""
RUN_WIDTH, AROUND_RUN = 92, 44
EARLY = {
    "language",
    "quit",
    "about",
    "shortcuts",
    "text_size",
    "text_larger",
    "text_smaller",
    "theme_light",
    "theme_dark",
    "theme_system",
}
"""Actions that work before the studio is there."""
PARTS = {"show_palette": "side", "show_inspector": "inspector", "show_panels": "tabs"}
"""Parts of a workbench that can be hidden, by the action."""


def first_size(screen: QSize) -> QSize:
    """The size of a window that was never open, on a screen with so much room: its lower edge is seen too."""
    return SIZE.boundedTo(screen - FRAME).expandedTo(LEAST_SIZE)


class MainWindow(QMainWindow):
    """The window.

    Args:
        theme: colours and icons.
        settings: what is remembered between sessions.
        data_folder: where copies of examples are made, and the journal is kept.
        shortcuts: the keys, where another window has them already.

    Attributes:
        painted: the first paint is done.
        actions_by_name: every action.
        studio, tabs, opener, journal, beginning, tour: set by ``open_studio``.
        window_wanted: a person wants another window.
        closed: the window was closed.
    """

    painted = Signal()
    window_wanted = Signal()
    closed = Signal()

    def __init__(
        self, theme: Theme, settings: QSettings, data_folder: Path, shortcuts: Shortcuts | None = None
    ) -> None:
        super().__init__()
        self.theme = theme
        self.settings = settings
        self.recent = RecentFiles(settings)
        self.studio: Studio | None = None
        self.tabs: DocumentTabs | None = None
        self.opener: PipelineOpener | None = None
        self.beginning: Beginning | None = None
        self.tour: Tour | None = None
        self.journal: Journal | None = None
        self.guard = CrashGuard(self)
        self.data_folder = data_folder
        self._is_painted = False
        self.actions_by_name = Actions(theme, self)
        self._text_size = TextSize(theme, settings, self)
        self.shortcuts = shortcuts or Shortcuts(settings, self)
        self.shortcuts.changed.connect(self._set_keys)
        self._set_keys()
        self.options = CanvasOptions(self.actions_by_name, settings, self)
        self.options.changed.connect(self._apply_options)
        self._menus = self._build_menus()
        self._run_button = QPushButton(self)
        self._pause_button = QToolButton(self)
        self._theme_button = QToolButton(self)
        self._meanings: dict[str, Callable[[], object]] = {
            "quit": self.close,
            "about": self._show_about,
            "shortcuts": self._show_shortcuts,
            "text_larger": partial(self._text_size.step, 1),
            "text_smaller": partial(self._text_size.step, -1),
            **{f"theme_{mode}": partial(self._choose_theme, mode) for mode in ("light", "dark", "system")},
        }
        self._build_tool_bar()
        waiting = QLabel(tr("Opening the studio…"), alignment=Qt.AlignmentFlag.AlignCenter)
        waiting.setProperty("role", "muted")
        self.setCentralWidget(waiting)
        waiting.setFocus()  # Qt would choose the button of the theme, and draw a ring around it
        self._connect_early()
        self._dress()
        theme.changed.connect(self._dress)
        self.setWindowTitle("ETL Studio")
        self.resize(first_size(self.screen().availableSize()))
        self.restoreGeometry(QByteArray(settings.value("geometry") or b""))

    # -- the studio -------------------------------------------------------------------------------------------

    @property
    def workbench(self) -> Workbench | None:
        """The workbench in front."""
        page = self.tabs.current if self.tabs is not None else None
        return page if page in self.benches else None

    def open_studio(self, studio: Studio, path: Path | None = None) -> None:
        """Fill the window, and open a pipeline file in it; without one, the start page."""
        from etl_studio.storage.journal import Journal
        from etl_studio.ui.document_tabs import DocumentTabs
        from etl_studio.ui.help.guide import Guide
        from etl_studio.ui.pipeline_opener import PipelineOpener
        from etl_studio.ui.start.beginning import Beginning
        from etl_studio.ui.start.tour import Tour

        self.studio = studio
        self.journal = Journal(self.data_folder / "journal")
        self.tabs = DocumentTabs(self.theme, self)
        self.opener = PipelineOpener(self.tabs, self.recent, self.data_folder, self._make_bench, self)
        registry = studio.registry
        self.beginning = Beginning(self.tabs, self.opener, self.recent, registry, self.theme, self)
        guide = Guide(self, registry, self.theme, self.settings, self.actions_by_name, lambda: self.workbench)
        self.tour = Tour(
            self, self.tabs, self.opener, self.actions_by_name, self._run_button, self.theme, self.settings
        )
        self.beginning.tour_wanted.connect(self.tour.start)
        self._meanings |= {
            "tour": self.tour.start,
            "start_page": self.beginning.show,
            "help": guide.explain,
            "new": self.opener.new,
            "new_window": self.window_wanted.emit,
            "open": self.opener.choose,
            "close_tab": self.opener.close,
            "next_tab": partial(self.tabs.step, 1),
            "previous_tab": partial(self.tabs.step, -1),
            "find_action": self._find_action,
        }
        self.tabs.current_changed.connect(self._on_turned)
        self.setCentralWidget(self.tabs)
        if path is None:
            self.beginning.show()
            return
        bench = self.opener.new()
        bench.files.load(path)
        QTimer.singleShot(0, bench.canvas.navigation.fit)  # the canvas gets its size only now
        bench.canvas.setFocus()

    # -- Qt ---------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._may_close():
            event.ignore()
            return
        self.settings.setValue("geometry", self.saveGeometry())
        for bench in self.benches:
            bench.shut_down()
        if self.beginning is not None:
            self.beginning.close()
        self.settings.sync()
        event.accept()
        self.closed.emit()

    # -- inside -----------------------------------------------------------------------------------------------

    def _build_menus(self) -> dict[str, QMenu]:
        menus = {title: self.menuBar().addMenu(tr(title)) for title in MENUS}
        for spec in ACTIONS:
            menu = menus[spec.menu]
            if spec.apart:
                menu.addSeparator()
            action = self.actions_by_name[spec.id]
            menu.addAction(action)
            action.setEnabled(spec.id in EARLY)
        for name, fill in (
            ("open_recent", self._fill_recent),
            ("open_example", self._fill_examples),
            ("text_size", self._fill_text_sizes),
            ("language", self._fill_languages),
        ):
            submenu = QMenu(self)
            submenu.aboutToShow.connect(fill)
            self.actions_by_name[name].setMenu(submenu)
            menus[name] = submenu
        self.actions_by_name["language"].setVisible(len(languages()) > 1)
        return menus

    def _build_tool_bar(self) -> None:
        bar = QToolBar(tr("Tools"), self)
        bar.setObjectName("tools")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setIconSize(QSize(18, 18))
        self._run_button.clicked.connect(self._run_or_stop)
        for name in TOOL_BAR:
            if name:
                bar.addAction(self.actions_by_name[name])
            else:
                bar.addSeparator()
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        bar.addWidget(spacer)
        bar.addWidget(self._theme_button)
        bar.addSeparator()
        self._pause_button.setDefaultAction(self.actions_by_name["pause"])
        bar.addWidget(self._pause_button)
        bar.addWidget(self._run_button)
        self._theme_button.clicked.connect(self._switch_theme)
        self._show_run_button()
        self.addToolBar(bar)

    def _connect_early(self) -> None:
        for action in self.actions_by_name:
            if action.menu() is None:
                action.triggered.connect(self._do)
        for mode in ("light", "dark", "system"):
            action = self.actions_by_name[f"theme_{mode}"]
            action.setData(mode)
            action.setChecked(self.theme.mode == mode)
        for name in PARTS:
            self.actions_by_name[name].setChecked(True)
            self.actions_by_name[name].toggled.connect(self._show_parts)

    def _do(self) -> None:
        """Do what an action means in the window, or on the workbench in front."""
        name = self.sender().objectName()
        actions = self._bench_actions
        act = self._meanings.get(name) or (actions.meanings.get(name) if actions else None)
        if act is not None:
            act()

    # -- tabs -------------------------------------------------------------------------------------------------

    @property
    def benches(self) -> list[Workbench]:
        """The workbenches of all tabs."""
        return self.tabs.benches if self.tabs is not None else []

    @property
    def _bench_actions(self) -> BenchActions | None:
        from etl_studio.ui.bench_actions import BenchActions

        return BenchActions.of(self.workbench) if self.workbench else None

    @property
    def _all_bench_actions(self) -> list[BenchActions]:
        if not self.benches:  # the first paint does without what actions need
            return []
        from etl_studio.ui.bench_actions import BenchActions

        return [BenchActions.of(bench) for bench in self.benches]

    def _make_bench(self) -> Workbench:
        from etl_studio.ui.bench_actions import BenchActions
        from etl_studio.ui.workbench import Workbench

        bench = Workbench(self.studio, self.theme, self.settings, self.recent, self.journal, self.tabs)
        actions = BenchActions(bench)
        actions.add_canvas_keys(self.actions_by_name)
        actions.changed.connect(self.enable_actions)
        bench.title_changed.connect(self._show_title)
        bench.canvas.example_requested.connect(self._open_first_example)
        bench.canvas.file_dropped.connect(self._open_dropped)
        bench.inner.open_wanted.connect(self._open_inner)
        bench.inner.trail.wanted.connect(self._go_back)
        self.beginning.watch(bench)
        for name, part in PARTS.items():
            getattr(bench, part).setVisible(self.actions_by_name[name].isChecked())
        self.options.apply(bench.canvas)
        return bench

    def _open_inner(self, node: str) -> None:
        self.opener.open_inner(self.workbench, node)

    def _go_back(self, crumb: Crumb) -> None:
        self.opener.go_back(crumb)

    def _show_parts(self) -> None:
        for bench in self.benches:
            for name, part in PARTS.items():
                getattr(bench, part).setVisible(self.actions_by_name[name].isChecked())

    def _apply_options(self) -> None:
        for bench in self.benches:
            self.options.apply(bench.canvas)

    def _on_turned(self) -> None:
        self._show_title()
        self.enable_actions()
        if bench := self.workbench:
            bench.canvas.setFocus()

    def enable_actions(self) -> None:
        """Grey out what cannot be done now."""
        actions = self._bench_actions
        possible = actions.possible() if actions else {}
        for action in self.actions_by_name:
            name = action.objectName()
            known = name in self._meanings or action.menu() is not None or name in (*PARTS, *OPTIONS)
            action.setEnabled(known or (actions is not None and possible.get(name, True)))
        for name, text in (actions.texts() if actions else {}).items():
            self.actions_by_name[name].setText(text)
        self._show_run_button()

    def _fill_recent(self) -> None:
        self._fill("open_recent", [(path.name, path) for path in self.recent.paths()], self._open_recent)

    def _fill_examples(self) -> None:
        self._fill("open_example", [(example_title(path), path) for path in examples()], self._open_example)

    def _fill_text_sizes(self) -> None:
        self._text_size.fill(self._menus["text_size"])

    def _fill(self, name: str, entries: list[tuple[str, Path]], act: object) -> None:
        menu = self._menus[name]
        menu.clear()
        for text, path in entries:
            action = menu.addAction(text)
            action.setData(str(path))
            action.setToolTip(str(path))
            action.triggered.connect(act)
        if not entries:
            menu.addAction(tr("None yet")).setEnabled(False)
        menu.setToolTipsVisible(True)

    def _fill_languages(self) -> None:
        menu, chosen = self._menus["language"], str(self.settings.value("language") or "system")
        menu.clear()
        for name, text in {"system": tr("As the system"), **languages()}.items():
            action = menu.addAction(text)
            action.setData(name)
            action.setCheckable(True)
            action.setChecked(name == chosen)
            action.triggered.connect(self._choose_language)

    def _choose_language(self) -> None:
        self.settings.setValue("language", self.sender().data())
        self._say(tr("The language changes when ETL Studio is opened again."))

    def _say(self, text: str) -> None:
        box = QMessageBox(QMessageBox.Icon.Information, "ETL Studio", text, QMessageBox.StandardButton.Ok, self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()

    def _sender_path(self) -> Path:
        action = self.sender()
        assert isinstance(action, QAction)  # noqa: S101 - only menus are connected
        return Path(action.data())

    def _open_recent(self) -> None:
        self.opener.open(self._sender_path())

    def _open_example(self) -> None:
        self.opener.open_example(self._sender_path())

    def _open_first_example(self) -> None:
        self._menus["open_example"].popup(self.cursor().pos())

    def _open_dropped(self, text: str) -> None:
        self.opener.open(Path(text))

    def _show_title(self) -> None:
        bench = self.workbench
        if bench is None:
            self.setWindowTitle("ETL Studio")
            self.setWindowModified(False)
            return
        document = bench.document
        name = document.path.name if document.path else document.pipeline.name
        self.setWindowTitle(f"{name}[*] — ETL Studio")
        self.setWindowModified(document.is_modified)
        self.setWindowFilePath(str(document.path or ""))

    def _show_run_button(self) -> None:
        bench = self.workbench
        running = bench is not None and bench.controller.is_running
        paused = bench is not None and bench.controller.is_paused
        action = self.actions_by_name["stop" if running else "run"]
        tokens = self.theme.tokens
        icon = self.theme.icon("stop" if running else "play", tokens.danger if running else tokens.on_accent, 16)
        stopping = running and bench.controller.is_stopping
        self._run_button.setText(tr("Stop now") if stopping else tr("Stop") if running else tr("Run"))
        self._run_button.setIcon(icon)
        self._run_button.setToolTip(action.toolTip())
        self._run_button.setEnabled(action.isEnabled())
        set_role(self._run_button, "danger" if running else "primary")
        self.actions_by_name["pause"].setIcon(self.theme.icon("play" if paused else "pause", tokens.text_muted, 18))

    def _run_or_stop(self) -> None:
        bench = self.workbench
        if bench is not None:
            self.actions_by_name["stop" if bench.controller.is_running else "run"].trigger()

    def _switch_theme(self) -> None:
        self.actions_by_name["theme_light" if self.theme.is_dark else "theme_dark"].trigger()

    def _choose_theme(self, mode: str) -> None:
        self.settings.setValue("theme", mode)
        self.theme.set_mode(mode)
        self.actions_by_name[f"theme_{mode}"].setChecked(True)

    def _dress(self) -> None:
        metrics = self._run_button.fontMetrics()
        longest = max(metrics.horizontalAdvance(text) for text in (tr("Run"), tr("Stop"), tr("Stop now")))
        self._run_button.setFixedWidth(max(self.theme.px(RUN_WIDTH), longest + self.theme.px(AROUND_RUN)))
        name = "sun" if self.theme.is_dark else "moon"
        self._theme_button.setIcon(self.theme.icon(name, self.theme.tokens.text_muted, 18))
        self._theme_button.setToolTip(tr("Light colours") if self.theme.is_dark else tr("Dark colours"))
        self._show_run_button()

    def _show_about(self) -> None:
        AboutDialog(self.theme, self).open()

    def _show_shortcuts(self) -> None:
        from etl_studio.ui.shortcuts_dialog import ShortcutsDialog

        ShortcutsDialog(self.shortcuts, self).open()

    def _set_keys(self) -> None:
        self.actions_by_name.set_keys(self.shortcuts.keys)
        for actions in self._all_bench_actions:
            actions.show_keys(self.actions_by_name)

    def _find_action(self) -> None:
        ActionSearch(self.actions_by_name, self).open()

    def _may_close(self) -> bool:
        running = [bench for bench in self.benches if bench.controller.is_running]
        if running:
            what = trn(
                "A run is going on. Stop it and quit?",
                "{count} runs are going on. Stop them and quit?",
                len(running),
            )
            buttons = QMessageBox.StandardButton
            answer = QMessageBox.question(self, "ETL Studio", what, buttons.Yes | buttons.No, buttons.No)
            if answer != buttons.Yes:
                return False
        return all(self._may_leave(bench) for bench in self.benches)

    def _may_leave(self, bench: Workbench) -> bool:
        if bench.document.is_modified:
            self.tabs.show_page(bench)
        return bench.files.may_leave()
