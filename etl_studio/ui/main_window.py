"""The main window: menus, tool bar, status bar and the workbench in the middle. It assembles, and decides nothing.

It is painted before the studio is there: the node types and the engine need half a second of imports, which
``application`` does in a thread. ``open_studio`` then fills the window.
"""

from __future__ import annotations

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
from etl_studio.ui.crash_dialog import CrashGuard
from etl_studio.ui.examples import example_title, examples
from etl_studio.ui.help_dialogs import AboutDialog, ShortcutsDialog
from etl_studio.ui.recent_files import RecentFiles
from etl_studio.ui.run.status_bar import RunStatusBar
from etl_studio.ui.theme.theme import set_role

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QPaintEvent

    from etl_studio.app.studio import Studio
    from etl_studio.ui.document_files import DocumentFiles
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.workbench import Workbench

SIZE, LEAST_SIZE = QSize(1440, 900), QSize(1024, 680)
FRAME = QSize(16, 48)
"""Room on the screen for what the system draws around the window."""
RUN_WIDTH = 92
EARLY = {"quit", "about", "shortcuts", "theme_light", "theme_dark", "theme_system"}
"""Actions that work before the studio is there."""


def first_size(screen: QSize) -> QSize:
    """The size of a window that was never open, on a screen with so much room: its lower edge is seen too."""
    return SIZE.boundedTo(screen - FRAME).expandedTo(LEAST_SIZE)


class MainWindow(QMainWindow):
    """The window.

    Args:
        theme: colours and icons.
        settings: what is remembered between sessions.
        data_folder: where copies of examples are made.

    Attributes:
        painted: the first paint is done.
        actions_by_name: every action.
        workbench, files: set by ``open_studio``.
    """

    painted = Signal()

    def __init__(self, theme: Theme, settings: QSettings, data_folder: Path) -> None:
        super().__init__()
        self.theme = theme
        self.settings = settings
        self.recent = RecentFiles(settings)
        self.workbench: Workbench | None = None
        self.files: DocumentFiles | None = None
        self.guard = CrashGuard(self)
        self._data_folder = data_folder
        self._is_painted = False
        self.actions_by_name = Actions(theme, self)
        self._menus = self._build_menus()
        self._run_button = QPushButton(self)
        self._pause_button = QToolButton(self)
        self._theme_button = QToolButton(self)
        self.status = RunStatusBar(theme, self)
        self._build_tool_bar()
        self.setStatusBar(self.status)
        waiting = QLabel("Opening the studio…", alignment=Qt.AlignmentFlag.AlignCenter)
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

    def open_studio(self, studio: Studio, path: Path | None = None) -> None:
        """Fill the window, and open a pipeline file in it."""
        from etl_studio.ui.document_files import DocumentFiles
        from etl_studio.ui.workbench import Workbench

        bench = self.workbench = Workbench(studio, self.theme, self.settings, self)
        self.files = DocumentFiles(bench.document, self.recent, self, bench.inspector.flush)
        bench.connect_actions(self.actions_by_name)
        self._connect_files(self.files)
        document = bench.document
        document.undo_stack.cleanChanged.connect(self._show_title)
        for changed in (document.path_changed, document.pipeline_changed, document.reset):
            changed.connect(self._show_title)
        bench.controller.event.connect(self.status.take)
        bench.controller.running_changed.connect(self._show_run_button)
        bench.controller.running_changed.connect(self._show_preparing)
        bench.controller.pause_changed.connect(self._show_pause)
        bench.controller.refused.connect(self._show_refused)
        bench.canvas.example_requested.connect(self._open_first_example)
        bench.canvas.file_dropped.connect(self._open_dropped)
        for action in self.actions_by_name:
            action.setEnabled(True)
        bench.enable_actions()
        bench.stopping.connect(self.status.show_stopping)
        bench.stopping.connect(self._show_run_button)
        self.setCentralWidget(bench)
        self._show_title()
        self._show_run_button()
        if path is not None:
            self.files.load(path)
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
        if self.workbench is not None:
            self.workbench.shut_down()
        self.settings.sync()
        event.accept()

    # -- inside -----------------------------------------------------------------------------------------------

    def _build_menus(self) -> dict[str, QMenu]:
        menus = {title: self.menuBar().addMenu(title) for title in MENUS}
        for spec in ACTIONS:
            menu = menus[spec.menu]
            if spec.apart:
                menu.addSeparator()
            action = self.actions_by_name[spec.id]
            menu.addAction(action)
            action.setEnabled(spec.id in EARLY)
        for name, fill in (("open_recent", self._fill_recent), ("open_example", self._fill_examples)):
            submenu = QMenu(self)
            submenu.aboutToShow.connect(fill)
            self.actions_by_name[name].setMenu(submenu)
            menus[name] = submenu
        return menus

    def _build_tool_bar(self) -> None:
        bar = QToolBar("Tools", self)
        bar.setObjectName("tools")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.setIconSize(QSize(18, 18))
        self._run_button.setFixedWidth(RUN_WIDTH)
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
        self.actions_by_name["quit"].triggered.connect(self.close)
        self.actions_by_name["about"].triggered.connect(self._show_about)
        self.actions_by_name["shortcuts"].triggered.connect(self._show_shortcuts)
        for mode in ("light", "dark", "system"):
            action = self.actions_by_name[f"theme_{mode}"]
            action.setData(mode)
            action.setChecked(self.theme.mode == mode)
            action.triggered.connect(self._choose_theme)

    def _connect_files(self, files: DocumentFiles) -> None:
        for name, act in (("new", files.new), ("open", files.choose), ("save", files.save), ("save_as", files.save_as)):
            self.actions_by_name[name].triggered.connect(act)
        self.actions_by_name["find_action"].triggered.connect(self._find_action)
        files.opened.connect(self._on_opened)

    def _fill_recent(self) -> None:
        self._fill("open_recent", [(path.name, path) for path in self.recent.paths()], self._open_recent)

    def _fill_examples(self) -> None:
        self._fill("open_example", [(example_title(path), path) for path in examples()], self._open_example)

    def _fill(self, name: str, entries: list[tuple[str, Path]], act: object) -> None:
        menu = self._menus[name]
        menu.clear()
        for text, path in entries:
            action = menu.addAction(text)
            action.setData(str(path))
            action.setToolTip(str(path))
            action.triggered.connect(act)
        if not entries:
            menu.addAction("None yet").setEnabled(False)
        menu.setToolTipsVisible(True)

    def _sender_path(self) -> Path:
        action = self.sender()
        assert isinstance(action, QAction)  # noqa: S101 - only menus are connected
        return Path(action.data())

    def _open_recent(self) -> None:
        self.files.open(self._sender_path())

    def _open_example(self) -> None:
        self.files.open_example(self._sender_path(), self._data_folder / "examples")

    def _open_first_example(self) -> None:
        self._menus["open_example"].popup(self.cursor().pos())

    def _open_dropped(self, text: str) -> None:
        self.files.open(Path(text))

    def _on_opened(self) -> None:
        self.status.show_idle()
        self._show_title()

    def _show_title(self) -> None:
        if self.workbench is None:
            return
        document = self.workbench.document
        name = document.path.name if document.path else document.pipeline.name
        self.setWindowTitle(f"{name}[*] — ETL Studio")
        self.setWindowModified(document.is_modified)
        self.setWindowFilePath(str(document.path or ""))

    def _show_run_button(self) -> None:
        running = self.workbench is not None and self.workbench.controller.is_running
        action = self.actions_by_name["stop" if running else "run"]
        color = self.theme.tokens.danger if running else self.theme.tokens.on_accent
        stopping = running and self.workbench.controller.is_stopping
        self._run_button.setText("Stop now" if stopping else "Stop" if running else "Run")
        self._run_button.setIcon(self.theme.icon("stop" if running else "play", color, 16))
        self._run_button.setToolTip(action.toolTip())
        self._run_button.setEnabled(action.isEnabled())
        set_role(self._run_button, "danger" if running else "primary")
        self._show_pause()

    def _show_pause(self) -> None:
        paused = self.workbench is not None and self.workbench.controller.is_paused
        icon = self.theme.icon("play" if paused else "pause", self.theme.tokens.text_muted, 18)
        self.actions_by_name["pause"].setIcon(icon)

    def _show_preparing(self) -> None:
        if self.workbench.controller.is_running:
            self.status.show_preparing()

    def _run_or_stop(self) -> None:
        self.actions_by_name["stop" if self.workbench.controller.is_running else "run"].trigger()

    def _show_refused(self, _error: object) -> None:
        self.status.show_idle("Not started")

    def _switch_theme(self) -> None:
        self.actions_by_name["theme_light" if self.theme.is_dark else "theme_dark"].trigger()

    def _choose_theme(self) -> None:
        action = self.sender()
        self.settings.setValue("theme", action.data())
        self.theme.set_mode(action.data())

    def _dress(self) -> None:
        name = "sun" if self.theme.is_dark else "moon"
        self._theme_button.setIcon(self.theme.icon(name, self.theme.tokens.text_muted, 18))
        self._theme_button.setToolTip("Light colours" if self.theme.is_dark else "Dark colours")
        self._show_run_button()

    def _show_about(self) -> None:
        AboutDialog(self.theme, self).open()

    def _show_shortcuts(self) -> None:
        ShortcutsDialog(self).open()

    def _find_action(self) -> None:
        ActionSearch(self.actions_by_name, self).open()

    def _may_close(self) -> bool:
        if self.workbench is None:
            return True
        if self.workbench.controller.is_running:
            buttons = QMessageBox.StandardButton
            answer = QMessageBox.question(
                self, "ETL Studio", "A run is going on. Stop it and quit?", buttons.Yes | buttons.No, buttons.No
            )
            if answer != buttons.Yes:
                return False
        return self.files.may_leave()
