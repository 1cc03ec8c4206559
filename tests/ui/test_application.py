"""Opening the window: quickly, or not at all and with a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys

FIRST_PAINT = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
import etl_studio.ui.application
from etl_studio.ui.main_window import MainWindow
from etl_studio.ui.theme.theme import Theme

app = QApplication([])
theme = Theme("light")
theme.apply(app)
folder = Path(sys.argv[1])
window = MainWindow(theme, QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat), folder)
window.painted.connect(app.quit)
window.show()
app.exec()
print(json.dumps(sorted(sys.modules)))
"""

HEAVY = {"numpy", "pyarrow", "duckdb", "pyqtgraph", "lxml", "httpx2", "pydantic", "parsel", "apsw", "peewee"}

OPEN = "import sys; from etl_studio.ui.application import open_window; sys.exit(open_window())"


def python(code, *arguments, **environment):
    full = {**os.environ, **environment}
    kept = {name: value for name, value in full.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=kept,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_window_is_painted_before_anything_heavy_is_imported(tmp_path):
    done = python(FIRST_PAINT, tmp_path, QT_QPA_PLATFORM="offscreen")

    assert done.returncode == 0, done.stderr
    assert HEAVY & set(json.loads(done.stdout.splitlines()[-1])) == set()


def test_without_a_display_it_says_so_and_exits_with_69():
    if not sys.platform.startswith("linux"):
        return
    done = python(OPEN, DISPLAY=None, WAYLAND_DISPLAY=None, QT_QPA_PLATFORM=None)

    assert done.returncode == 69
    assert "There is no display here" in done.stderr
    assert "etl-studio run FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_importing_the_application_needs_no_qt():
    done = python("import etl_studio.ui.application, sys; print('PySide6' in sys.modules)")

    assert done.stdout.strip() == "False"
