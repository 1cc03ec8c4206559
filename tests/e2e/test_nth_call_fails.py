"""One call after the other fails, as SQLite tests itself: the disk is full at the n-th write, ...

Whatever n is, a table has its old rows or the new ones, and the next run does its work (see ``nth_call``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.nth_call import FAULTS, PYTHON, STORIES

ROOT = Path(__file__).resolve().parents[2]
DISK = [*FAULTS, *(f"{name}+" for name in ("write", "sync", "read", "open"))]
"""With a +: all later calls fail, too."""


def fail_each(story, fault, *options):
    """The facts of each n."""
    command = [sys.executable, "-m", "tests.e2e.nth_call", story, fault, *options]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    child = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    assert child.returncode == 0, f"after {lines[-1:]}: {child.stderr[-3000:]}"
    tried = [line for line in lines if "n" in line]
    wrong = [line for line in tried if line["wrong"]]
    assert not wrong, json.dumps(wrong)
    assert "passed" in lines[-1]
    return tried


@pytest.mark.parametrize("fault", ["write", "write+", "sync", "read", "open", "delete", "heap", *PYTHON])
def test_a_table_has_its_old_rows_or_the_new_ones_whichever_call_fails(fault):
    tried = fail_each("rejects", fault)
    assert len({line["status"] for line in tried}) > 1 or fault in ("sync", "delete"), "nothing has failed"


@pytest.mark.parametrize("story", ["append", "retried"])
def test_rows_are_neither_lost_nor_doubled_when_a_write_fails(story):
    fail_each(story, "write")


@pytest.mark.long
@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("fault", [*DISK, "heap", *PYTHON])
def test_every_single_call_may_fail(story, fault, capsys):
    tried = fail_each(story, fault, "--step", "1")
    counts = {status: sum(line["status"] == status for line in tried) for status in {line["status"] for line in tried}}
    with capsys.disabled():
        sys.stdout.write(f"\n{story}, {fault}: {len(tried)} runs, {counts}\n")


def test_the_harness_sees_a_row_with_a_transaction_of_its_own():
    with pytest.raises(AssertionError, match=r"neither old nor new|after the next run"):
        fail_each("append", "write", "--planted", "--first", "8", "--last", "9")
