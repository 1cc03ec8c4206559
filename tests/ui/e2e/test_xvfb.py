"""The window as a real X11 client, on an X server of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

pytestmark = [pytest.mark.window, pytest.mark.xvfb]

SCREEN = "1600x1000x24"
ROOT = Path(__file__).resolve().parents[3]
REAL_DRAGS = Path(__file__).with_name("real_drags.py")


@pytest.fixture(scope="module")
def display():
    """The name of a free display, such as ``:1``, served until the last test of this file is done."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.fail("Xvfb is missing: packaging/bootstrap.py test installs it, or type: apt-get install xvfb")
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=[writer], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader) as told:
        number = told.readline().strip()
    try:
        if not number:
            pytest.fail(f"Xvfb did not start: {process.communicate(timeout=10)[1].decode(errors='replace')}")
        yield f":{number}"
    finally:
        process.terminate()
        process.communicate(timeout=10)


def on_x11(display, *command):
    """Run a program of Python as a client of the display."""
    environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_example_runs_on_x11_without_a_warning_and_can_be_pictured(display, tmp_path):
    done = on_x11(display, ROOT / "packaging" / "screenshots.py", "--to", tmp_path, "--themes", "light")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    pictures = {path.name: QImage(str(path)) for path in tmp_path.iterdir()}
    assert set(pictures) == {"running.png", "results.png"}
    assert {(image.width(), image.height()) for image in pictures.values()} == {(1440, 900)}
    assert pictures["running.png"] != pictures["results.png"]


def test_real_drags_work_on_x11(display):
    done = on_x11(display, REAL_DRAGS)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.split() == ["web_page_source", "filter", "sqlite_sink"]
