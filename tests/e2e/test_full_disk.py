"""A full disk: a file system of 512 kB in a name space of its own, and a limit on the size of files."""

from __future__ import annotations

import resource
import shlex
import shutil
import subprocess
import sys

import pytest

ONCE = {"retry": {"attempts": 1}}
MANY = {"rows": 40_000, "columns": {"id": "i", "text": "'a text that fills the disk ' || i"}}


@pytest.fixture
def on_small_disk(tmp_path):
    """Runs a pipeline whose folder ``small`` is a disk of its own; ``before`` and ``look`` are run in that folder."""
    small = tmp_path / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size=512k none {small}"
    unshare = shutil.which("unshare")
    alone = [unshare, "-rm", "sh", "-c"]
    if unshare is None or subprocess.run([*alone, mount], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a file system in a name space")

    def run(file, workspace, before="true", look="true"):
        script = (
            f"{mount} && cd {small} && {before} && {sys.executable} -m etl_studio run {file} --workspace {workspace}; "
            f"code=$?; {look}; exit $code"
        )
        return subprocess.run([*alone, script], capture_output=True, text=True, timeout=60, check=False)

    return run


def test_a_csv_file_on_a_full_disk_leaves_the_old_one(folder, on_small_disk):
    file = folder.pipeline(
        {"make": ("generate_source", MANY), "save": ("csv_sink", {"path": "small/rows.csv"})}, ["make -> save"]
    )
    done = on_small_disk(file, folder.workspace, before="echo old > rows.csv", look="ls -A; cat rows.csv")
    assert done.returncode == 1
    assert "orders > save: " in done.stderr
    assert "the disk is full" in done.stderr
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.split() == ["rows.csv", "old"], "the half file is gone, the old one is there"


def test_a_table_on_a_full_disk_keeps_its_rows(folder, on_small_disk):
    file = folder.pipeline(
        {
            "make": ("generate_source", MANY),
            "save": ("sqlite_sink", {"table": "t", "database": "small/rows.db"}, ONCE),
        },
        ["make -> save"],
    )
    script = "CREATE TABLE t (id INTEGER, text TEXT); INSERT INTO t VALUES (1, 'old');"
    make = f"import sqlite3; sqlite3.connect('rows.db').executescript(\"{script}\")"
    look = "import sqlite3; print(sqlite3.connect('rows.db').execute('SELECT * FROM t').fetchall())"
    before, after = (shlex.join([sys.executable, "-c", program]) for program in (make, look))
    done = on_small_disk(file, folder.workspace, before, after)
    assert done.returncode == 1
    assert "orders > save: " in done.stderr
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "[(1, 'old')]\n"


def test_a_workspace_on_a_full_disk_is_no_silent_loss(folder, on_small_disk):
    """The dead letters have no place: the run must not call itself done."""
    bad = "".join(f"{number},{'x' * 60}\n" for number in range(20_000))
    folder.write("rows.csv", "id,quantity\n" + bad)
    file = folder.pipeline(
        {
            "read": ("csv_source", {"path": "rows.csv", "columns": {"quantity": "integer"}}),
            "save": ("csv_sink", {"path": "kept.csv"}),
        },
        ["read -> save"],
    )
    done = on_small_disk(file, f"{folder.path}/small/workspace")
    assert done.returncode == 1, done.stderr
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_limit_on_the_size_of_files_is_told_like_a_full_disk(folder, start):
    folder.write("rows.csv", "old\n")
    file = folder.pipeline(
        {"make": ("generate_source", MANY), "save": ("csv_sink", {"path": "rows.csv"})}, ["make -> save"]
    )
    limit = (500_000, 500_000)
    process = start("run", file, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "orders > save: " in err
    assert "the disk is full" in err
    assert "Traceback" not in err
    assert folder.lines("rows.csv") == ["old"]
    assert folder.names() == ["orders.yaml", "rows.csv"]
