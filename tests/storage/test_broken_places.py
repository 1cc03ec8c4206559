"""Files that cannot be used: each gets a clear message, and what is there stays as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import apsw
import pyarrow as pa
import pytest
from peewee import OperationalError

from etl_studio.errors import EtlError, PermanentError, TransientError
from etl_studio.sdk import Loaded
from etl_studio.storage.databases import Databases
from etl_studio.storage.failures import explained

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and file size limits are POSIX things")


def test_a_file_that_is_no_database_is_told_and_not_touched(databases, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, but longer than the header of one" * 30)
    before = path.read_bytes()
    with pytest.raises(PermanentError, match="no SQLite database") as caught:
        databases.open(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_folder_is_told(databases, tmp_path):
    with pytest.raises(PermanentError, match="folder"):
        databases.open(tmp_path)


def test_a_missing_folder_is_told_by_name(databases, tmp_path):
    with pytest.raises(PermanentError, match=r"no folder .*nowhere"):
        databases.open(tmp_path / "nowhere" / "data.db")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_told(databases, tmp_path):
    file = databases.open(tmp_path / "data.db")
    file.query("CREATE TABLE t (v TEXT)")
    file.query("INSERT INTO t VALUES (zeroblob(100000))")
    databases.close()
    with file.path.open("r+b") as content:
        content.seek(100)
        content.write(b"\xff" * 4000)
    again = Databases(0.1)
    with pytest.raises(PermanentError, match="damaged"):
        again.open(tmp_path / "data.db").query("SELECT count(*) FROM t")
    again.close()


def test_when_the_disk_is_full_at_the_commit_the_table_stays_as_it_was(load, file):
    """A limit on the pages of the file makes SQLite itself report a full disk."""
    load("t", "append", {"id": [1], "v": ["a"]})
    writing = file.load_table("t", "append", [])
    writing.write(pa.RecordBatch.from_pydict({"id": list(range(2000)), "v": ["x" * 500] * 2000}))
    file.query("PRAGMA max_page_count = 20")
    with pytest.raises(PermanentError, match="disk is full") as caught:
        writing.commit()
    assert caught.value.hint
    writing.abort()
    assert load.rows() == [(1, "a")]
    assert file.query("PRAGMA integrity_check") == [("ok",)]


def test_a_batch_that_broke_off_while_it_was_staged_can_be_written_again_and_counts_once(load, file):
    """What a retry of the engine does when the temporary folder was full for a moment."""
    writing = file.load_table("t", "append", [])
    small = pa.RecordBatch.from_pydict({"id": [0], "v": ["first"]})
    large = pa.RecordBatch.from_pydict({"id": list(range(1, 30_001)), "v": ["x" * 100] * 30_000})
    writing.write(small)
    file.query("PRAGMA temp.max_page_count = 400")
    with pytest.raises(PermanentError, match="full"):
        writing.write(large)
    file.query("PRAGMA temp.max_page_count = 1000000")
    writing.write(large)
    assert writing.commit() == Loaded(inserted=30_001)
    writing.abort()
    assert file.query("SELECT count(*), count(DISTINCT id) FROM t") == [(30_001, 30_001)]


FULL = """
    import resource, sys
    from pathlib import Path
    import pyarrow as pa
    from etl_studio.errors import EtlError
    from etl_studio.storage.databases import Databases

    file = Databases(0.1).open(Path(sys.argv[1]))
    load = file.load_table("t", "append", [])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        for _ in range(int(sys.argv[2])):
            load.write(pa.RecordBatch.from_pydict({"id": [2] * 1000, "v": ["x" * 1000] * 1000}))
        load.commit()
    except EtlError as error:
        print(error)
    load.abort()
    print(file.query("SELECT count(*) FROM t")[0][0])
"""


@posix
@pytest.mark.parametrize("batches", [2, 100], ids=["at the commit", "while staging"])
def test_a_file_that_cannot_grow_is_told_and_the_table_stays_as_it_was(load, file, batches):
    load("t", "append", {"id": [1], "v": ["a"]})
    file.release()
    arguments = [sys.executable, "-c", textwrap.dedent(FULL), str(file.path), str(batches)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    message, count = done.stdout.splitlines()
    assert "Check the disk" in message or "disk is full" in message
    assert count == "1"
    assert load.rows() == [(1, "a")]


READ_ONLY = """
    import os, sys
    from pathlib import Path
    import pyarrow as pa
    import pyarrow.compute
    from etl_studio.errors import EtlError
    from etl_studio.storage import export, failures, results, table_load, workspace
    from etl_studio.storage.databases import Databases

    # Everything a load imports must be there before the rights are given up.
    warm = Databases(0.1)
    for disposition in ("append", "merge"):
        load = warm.open(Path(sys.argv[2])).load_table("t", disposition, ["id"] if disposition == "merge" else [])
        load.write(pa.RecordBatch.from_pydict({"id": [1], "v": ["a"]}))
        load.commit()
        load.abort()
    warm.close()
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    databases = Databases(0.1)
    try:
        file = databases.open(Path(sys.argv[1]))
        load = file.load_table("t", "append", [])
        load.write(pa.RecordBatch.from_pydict({"id": [2], "v": ["b"]}))
        load.commit()
        print("loaded")
    except EtlError as error:
        print(type(error).__name__, error)
    databases.close()
"""


@pytest.fixture
def public_folder():
    """A folder that every user can get to, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@posix
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_place_without_the_right_to_write_is_told_and_stays_as_it_was(databases, public_folder, tmp_path, what):
    path = public_folder / "data.db"
    file = databases.open(path)
    file.query("CREATE TABLE t (id INTEGER, v TEXT)")
    file.query("INSERT INTO t VALUES (1, 'a')")
    databases.close()
    path.chmod(0o444)
    if what == "folder":
        public_folder.chmod(0o555)
    arguments = [sys.executable, "-c", textwrap.dedent(READ_ONLY), str(path), str(tmp_path / "warm.db")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60, cwd="/")
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    assert last.startswith("PermanentError")
    assert "read-only" in last
    assert str(path) in last
    path.chmod(0o644)
    public_folder.chmod(0o755)
    again = Databases(0.1)
    assert again.open(path).query("SELECT * FROM t") == [(1, "a")]
    again.close()


@posix
@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else False, reason="root may write everywhere")
def test_a_new_database_in_a_folder_without_the_right_to_write_is_told(databases, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermanentError, match="cannot be opened"):
            databases.open(tmp_path / "data.db")
    finally:
        tmp_path.chmod(0o700)


def test_a_statement_that_is_wrong_is_told_with_the_file(file):
    with pytest.raises(EtlError, match="no such table: absent") as caught:
        file.query("SELECT * FROM absent")
    assert str(file.path) in str(caught.value)


def test_a_misspelt_column_is_an_error_and_not_a_text(file):
    file.query("CREATE TABLE t (v TEXT)")
    with pytest.raises(PermanentError, match="no such column"):
        file.query('SELECT "w" FROM t')


def test_an_error_that_peewee_wraps_twice_keeps_its_meaning(tmp_path):
    twice = OperationalError(OperationalError(apsw.IOError("disk i/o"), "disk i/o"), "disk i/o")
    assert isinstance(explained(twice, tmp_path / "a.db"), TransientError)


def test_no_memory_is_told_as_such(tmp_path):
    assert "not enough memory" in str(explained(apsw.NoMemError("out of memory"), tmp_path / "a.db"))
