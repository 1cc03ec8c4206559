"""On the path of the tests without Qt: makes PySide6 and pyqtgraph impossible to import, in every process."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder

BLOCKED = {"PySide6", "shiboken6", "pyqtgraph"}


class NoQt(MetaPathFinder):
    """Refuses Qt as if it were not installed."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {fullname!r} (blocked for this test)", name=fullname)


sys.meta_path.insert(0, NoQt())
