"""Which browser of this computer is used, and what is missing for it."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from etl_studio import sdk

NAMES = (
    "chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge-stable",
    "microsoft-edge", "msedge", "brave-browser",
)  # fmt: skip
"""Of programs on the path, best first: all of them are Chromium."""
_WINDOWS = (
    r"Chromium\Application\chrome.exe",
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
    r"BraveSoftware\Brave-Browser\Application\brave.exe",
)
_MAC = ("Chromium", "Google Chrome", "Microsoft Edge", "Brave Browser")
_INSTALL = {
    "win32": 'Run "winget install Hibbiki.Chromium", or use Chrome or Edge.',
    "darwin": 'Run "brew install --cask chromium", or install Chrome or Edge.',
}
_INSTALL_LINUX = (
    'Run "sudo apt install chromium" (Debian, Ubuntu) or "sudo dnf install chromium" (Fedora), or install Chrome.'
)
PACKAGES = 'Run "pip install etl-studio[browser]" in the environment of ETL Studio; it downloads no browser.'


def find_browser(wanted: str = "") -> Path | None:
    """The program of a browser; None: there is none.

    Args:
        wanted: its name or path; empty: the best one that is there.
    """
    if wanted:
        found = shutil.which(os.path.expanduser(wanted))  # noqa: PTH111 - a name stays one
        return Path(found) if found else None
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    return next((path for path in _usual_places() if path.is_file()), None)


def _usual_places() -> list[Path]:
    if sys.platform == "win32":
        folders = [os.environ.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
        return [Path(folder, name) for name in _WINDOWS for folder in folders if folder]
    if sys.platform == "darwin":
        tops = (Path("/Applications"), Path.home() / "Applications")
        return [top / f"{name}.app" / "Contents" / "MacOS" / name for name in _MAC for top in tops]
    return [Path("/snap/bin/chromium"), Path("/opt/google/chrome/chrome")]


def missing(wanted: str = "") -> sdk.Missing | None:
    """What must be installed before pages can be read in a browser; None: nothing."""
    if find_spec("crawlee") is None or find_spec("playwright") is None:
        return sdk.Missing("The packages that drive a browser (Crawlee with Playwright) are not installed.", PACKAGES)
    if find_browser(wanted) is None:
        what = f'There is no browser "{wanted}".' if wanted else "There is no Chromium on this computer."
        return sdk.Missing(what, _INSTALL.get(sys.platform, _INSTALL_LINUX), "browser" if wanted else "")
    return None
