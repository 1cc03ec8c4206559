"""Pictures of every panel and state of the window, light and dark, to be looked at.

    python packaging/gallery.py FOLDER                     all scenes, both themes
    python packaging/gallery.py FOLDER --only states form  scenes whose names begin so
    python packaging/gallery.py FOLDER --size 1024x680
    python packaging/gallery.py FOLDER --text 150          texts of 150 %
    python packaging/gallery.py FOLDER --language de       texts in German

Each scene is a real window with a real pipeline, in a workspace of its own. Works on any platform of Qt; ends with 1
when Qt warned of anything or a scene could not be shown.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gallery_scenes import SCENES
from gallery_stage import Stage
from PySide6.QtCore import QSize, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from etl_studio.ui.theme.theme import Theme
from etl_studio.ui.translation import LANGUAGES, use_language

THEMES = ("light", "dark")
OFFSCREEN_LACKS = "This plugin does not support"


def main() -> int:
    """Make the pictures; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME")
    parser.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    parser.add_argument("--size", type=_size, default=QSize(1440, 900), metavar="WIDTHxHEIGHT")
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    parser.add_argument("--text", type=int, default=100, metavar="PERCENT")
    options = parser.parse_args()
    wrong: list[str] = []

    def on_message(kind: QtMsgType, _context: object, text: str) -> None:
        if kind is not QtMsgType.QtDebugMsg and not text.startswith(OFFSCREEN_LACKS):
            wrong.append(f"Qt warned: {text}")

    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    qInstallMessageHandler(on_message)
    app = QApplication([])
    use_language(options.language, app)
    options.folder.mkdir(parents=True, exist_ok=True)
    for mode in options.themes:
        theme = Theme(mode)
        theme.set_scale(options.text / 100)
        theme.apply(app)
        for name, scene in SCENES.items():
            if not name.startswith(tuple(options.only)):
                continue
            with tempfile.TemporaryDirectory() as place:
                stage = Stage(theme, Path(place), options.folder, name, options.size)
                try:
                    scene(stage)
                except Exception:  # noqa: BLE001 - the other scenes are wanted all the same
                    wrong.append(f"{name} ({mode}): {traceback.format_exc()}")
                finally:
                    stage.close()
    for text in wrong:
        print(text, file=sys.stderr)
    return 1 if wrong else 0


def _size(text: str) -> QSize:
    width, height = text.split("x")
    return QSize(int(width), int(height))


if __name__ == "__main__":
    raise SystemExit(main())
