"""Opens the window: looks for a display, paints first, imports the studio afterwards in a thread."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

NO_DISPLAY = 69
"""The exit code where no window can be shown (``EX_UNAVAILABLE``)."""

SWITCH_INTERVAL = 0.0003
"""Seconds after which Python's threads take turns while a window is open. Every call of Qt lets go of the interpreter
and waits that long for a busy worker to give it back: at 1 ms a run makes the window late by 27 ms in 5 % of the cases,
at 0.3 ms by 8 to 10; below that the workers lose more than the window wins."""


def missing_display() -> str | None:
    """Why no window can be shown here, or None."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return None
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    return (
        "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), so the window cannot open. "
        "Run the pipeline without it: etl-studio run FILE."
    )


def open_window(path: Path | None = None) -> int:
    """Open the window, with a pipeline file in it, and wait until it is closed.

    Returns:
        The exit code; 69 where there is no display.
    """
    problem = missing_display()
    if problem is not None:
        print(problem, file=sys.stderr)  # noqa: T201 - there is no window to say it in
        return NO_DISPLAY

    from platformdirs import user_data_path
    from PySide6.QtWidgets import QApplication

    from etl_studio.ui.garbage import WindowGarbage
    from etl_studio.ui.main_window import MainWindow
    from etl_studio.ui.opening import Opening
    from etl_studio.ui.text_size import kept_scale
    from etl_studio.ui.theme.theme import Theme
    from etl_studio.ui.translation import use_language
    from etl_studio.ui.windows import Windows

    app = QApplication.instance() or QApplication(sys.argv[:1])
    _name(app)
    settings = _settings()
    use_language(str(settings.value("language") or "system"), app)
    theme = Theme(str(settings.value("theme") or "system"))
    theme.set_scale(kept_scale(settings))
    theme.apply(app)
    app.setWindowIcon(theme.icon("etl-studio", size=64))
    window = MainWindow(theme, settings, user_data_path("etl-studio", appauthor=False))
    Windows(window)
    opening = Opening(window, path)
    garbage = WindowGarbage(window)
    garbage.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    window.guard.install()
    try:
        window.show()
        return app.exec()
    finally:
        window.guard.remove()
        sys.setswitchinterval(interval)
        garbage.stop()
        opening.close()


def _name(app: QApplication) -> None:
    app.setApplicationName("etl-studio")
    app.setApplicationDisplayName("ETL Studio")
    app.setDesktopFileName("etl-studio")


def _settings() -> QSettings:
    from PySide6.QtCore import QSettings

    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "etl-studio", "etl-studio")
