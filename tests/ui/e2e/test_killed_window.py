"""A window that is killed while somebody edits: the next one has what was on the screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from random import Random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from etl_studio.pipeline.file_format import UNTITLED, dumps, name_of

pytestmark = pytest.mark.window

LEFT = Qt.MouseButton.LeftButton
WAIT, TOO_LONG = 60_000, 90.0
PIPELINE = """\
etl_studio: 1
name: shop
nodes:
  read:  # the list
    type: csv_source
    config: {path: a.csv}
  keep: {type: filter, config: {where: a > 1}}
wires:
  - read -> keep
layout: {read: [0, 0], keep: [300, 0]}
"""


class Killed:
    """What a killed window had said."""

    def __init__(self, lines: list[str], at: float) -> None:
        self.at = at
        self.states = [line.split(" ", 2)[1:] for line in lines if line.startswith("STATE")]
        self.texts = [json.loads(text) for _, text in self.states]
        kept = [number for number, line in enumerate(lines) if line == "KEPT"]
        # What was on the screen when the write before the last began is in the journal for certain.
        self.sure = sum(line.startswith("STATE") for line in lines[: kept[-2]]) - 1 if len(kept) > 1 else 0

    def lost(self, index: int) -> float:
        """Seconds of work that are gone when the state of an index was recovered."""
        return self.at - float(self.states[index + 1][0]) if index + 1 < len(self.states) else 0.0


@pytest.fixture
def kill_while_editing(tmp_path):
    """``kill_while_editing(seed, seconds, file)``: a window in a process of its own, killed after so much editing."""
    processes = []

    def run(seed, seconds, file=None):
        command = [
            sys.executable,
            "-m",
            "tests.ui.e2e.editing_child",
            tmp_path / "data",
            seed,
            *([file] if file else []),
        ]
        environment = os.environ | {"XDG_DATA_HOME": str(tmp_path / "home")}
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        processes.append(process)
        watchdog = threading.Timer(TOO_LONG, process.kill)  # a child that says nothing must not be waited for
        watchdog.start()
        lines, begun = [], None
        for line in process.stdout:
            lines.append(line.removesuffix("\n"))
            begun = begun or (time.monotonic() if lines[-1] == "KEPT" else None)
            if begun and time.monotonic() >= begun + seconds:
                break
        else:
            watchdog.cancel()
            pytest.fail(process.stderr.read())
        process.kill()
        at = time.monotonic()
        watchdog.cancel()
        watchdog.join()
        rest, _ = process.communicate()
        lines += rest.splitlines()
        # The last line may be torn.
        return Killed([line for line in lines if not line.startswith("STATE") or line.endswith('"')], at)

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def shown(person):
    """The text of the document on the screen."""
    document = person.bench.document
    return dumps(document.pipeline, document.registry, name=name_of(document.path) if document.path else UNTITLED)


def reopen(qtbot, open_window, path=None):
    person = open_window(path)
    qtbot.waitUntil(lambda: not person.bench.life.recovery._finder.is_busy, timeout=WAIT)
    return person


def recover(qtbot, person):
    """Click Restore where it is offered."""
    banner = person.bench.life.banner
    if banner.about == "recovery":
        with qtbot.waitSignal(person.bench.document.undo_stack.indexChanged, timeout=WAIT):
            QTest.mouseClick(banner.buttons["Restore"], LEFT)
    return shown(person)


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "shop.etl.yaml"
    file.write_text(PIPELINE)
    return file


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_window_loses_nothing_that_was_kept(qtbot, open_window, kill_while_editing, file, seed):
    killed = kill_while_editing(seed, Random(seed).uniform(0.2, 1.5), file)
    person = reopen(qtbot, open_window, file)
    assert recover(qtbot, person) in killed.texts[killed.sure :]


def test_a_pipeline_that_had_no_file_yet_is_offered_at_the_next_start(qtbot, open_window, kill_while_editing):
    killed = kill_while_editing(3, 1.0)
    person = open_window()
    qtbot.waitUntil(lambda: person.bench.life.banner.about == "recovery", timeout=WAIT)
    assert "has changes of today" in person.bench.life.banner.text
    assert recover(qtbot, person) in killed.texts[killed.sure :]
    assert person.bench.document.path is None
    assert person.bench.document.is_modified


@pytest.mark.long
def test_killed_at_random_moments_a_window_loses_at_most_the_last_second(qtbot, open_window, kill_while_editing, file):
    lost = []
    for seed in range(40):
        file.write_text(PIPELINE)
        killed = kill_while_editing(seed, Random(seed).uniform(0.0, 2.5), file)
        person = reopen(qtbot, open_window, file)
        text = recover(qtbot, person)
        assert text in killed.texts[killed.sure :], f"seed {seed}"
        lost.append(killed.lost(len(killed.texts) - 1 - killed.texts[::-1].index(text)))
        person.bench.document.undo_stack.setClean()
        person.bench.life.autosave.forget()
        person.window.close()
    lost.sort()
    print(f"\n{len(lost)} kills: work lost at most {lost[-1]:.2f} s, half of them {lost[len(lost) // 2]:.2f} s")  # noqa: T201
