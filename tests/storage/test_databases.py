"""The registry of open files: one object per file, one connection per thread, nothing left open."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from etl_studio.errors import EtlError
from etl_studio.storage.databases import Databases


def in_thread(work):
    """Run ``work`` in a thread of its own; its result or error."""
    outcome = []

    def run():
        try:
            outcome.append(work())
        except BaseException as error:  # noqa: BLE001 - handed over
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return outcome[0]


def handles(path):
    """How often this process has a file open."""
    count = 0
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += handle.readlink() == path
    return count


def test_a_link_and_a_relative_path_lead_to_the_same_open_file(databases, tmp_path, monkeypatch):
    file = databases.open(tmp_path / "data.db")
    (tmp_path / "link.db").symlink_to("data.db")
    (tmp_path / "folder").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "folder", target_is_directory=True)
    monkeypatch.chdir(tmp_path / "folder")
    assert databases.open(tmp_path / "link.db") is file
    assert databases.open(tmp_path / "folder" / ".." / "data.db") is file
    assert databases.open(tmp_path / "linked" / ".." / "data.db") is file
    assert databases.open(Path("../data.db")) is file


def test_other_files_are_other_objects(databases, tmp_path):
    assert databases.open(tmp_path / "a.db") is not databases.open(tmp_path / "b.db")


def test_threads_that_open_a_file_at_the_same_time_get_the_same_one(databases, tmp_path):
    together = threading.Barrier(8)
    opened = []

    def work():
        together.wait(30)
        opened.append(databases.open(tmp_path / "data.db"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(opened) == 8
    assert len(set(map(id, opened))) == 1


def test_each_thread_sees_what_another_one_has_committed(load, file):
    load("t", "append", {"id": [1]})
    assert in_thread(lambda: (file.query("SELECT id FROM t"), file.release())[0]) == [(1,)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells what is open")
def test_release_closes_the_connection_of_its_thread_only(databases, file):
    file.query("SELECT 1")
    before = handles(file.path)

    def work():
        file.query("SELECT 1")
        during = handles(file.path)
        file.release()
        return during, handles(file.path)

    during, after = in_thread(work)
    assert during > before
    assert after <= during
    assert file.query("SELECT 2") == [(2,)]
    file.release()
    databases.close()
    assert handles(file.path) == 0


def test_release_may_be_called_twice_and_the_file_can_be_used_again(file):
    file.release()
    file.release()
    assert file.query("SELECT 1") == [(1,)]


def test_a_closed_registry_leaves_one_file_with_everything_in_it(load, databases, file):
    load("t", "append", {"id": [1]})
    in_thread(lambda: file.query("SELECT 1"))
    databases.close()
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["data.db"]


def test_a_file_that_was_only_written_by_a_query_is_complete_after_the_close(databases, file):
    file.query("CREATE TABLE t (id INTEGER)")
    databases.close()
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["data.db"]


def test_what_was_committed_is_there_when_the_file_is_opened_again(load, databases, file):
    load("t", "append", {"id": [1]})
    databases.close()
    again = Databases(0.1)
    assert again.open(file.path).query("SELECT id FROM t") == [(1,)]
    again.close()


def test_a_closed_file_is_told_and_does_not_crash(databases, file):
    file.query("SELECT 1")
    databases.close()
    with pytest.raises(EtlError, match="closed"):
        databases.open(file.path)


def test_readers_go_on_beside_a_writer(file):
    assert file.query("PRAGMA journal_mode") == [("wal",)]


def test_the_log_of_writes_does_not_keep_its_size(load, file):
    """A large load leaves no large log behind, even while a reader of the window keeps the file open."""
    ready, stop = threading.Event(), threading.Event()

    def read():
        file.query("SELECT 1")
        ready.set()
        stop.wait(30)
        file.release()

    reader = threading.Thread(target=read)
    reader.start()
    assert ready.wait(30)
    load("t", "append", {"v": ["x" * 1000] * 100_000})
    load("t", "append", {"v": ["y"]})
    load("t", "append", {"v": ["z"]})
    size = file.path.with_name("data.db-wal").stat().st_size
    stop.set()
    reader.join(30)
    assert size <= 65 * 1024 * 1024


def test_foreign_keys_are_kept(file):
    file.query("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    file.query("CREATE TABLE b (a_id INTEGER REFERENCES a (id))")
    with pytest.raises(EtlError, match="FOREIGN KEY"):
        file.query("INSERT INTO b VALUES (1)")


def test_a_file_that_was_removed_meanwhile_is_made_anew(databases, tmp_path):
    file = databases.open(tmp_path / "data.db")
    file.query("CREATE TABLE old (id INTEGER)")
    for path in tmp_path.glob("data.db*"):
        path.unlink()
    again = databases.open(tmp_path / "data.db")
    again.query("CREATE TABLE new (id INTEGER)")
    assert again.query("SELECT name FROM sqlite_schema") == [("new",)]
    assert (tmp_path / "data.db").exists()


OPENER = """
    from pathlib import Path
    from etl_studio.storage.databases import Databases
    databases = Databases(30)
    say("ready")
    hear()
    file = databases.open(Path(sys.argv[1]))
    file.query("CREATE TABLE IF NOT EXISTS t (id INTEGER)")
    file.query("INSERT INTO t VALUES (1)")
    databases.close()
"""


def test_programs_that_make_a_file_at_the_same_time_do_not_get_into_each_others_way(databases, program, tmp_path):
    programs = [program(OPENER, tmp_path / "data.db") for _ in range(4)]
    for one in programs:
        assert one.hear() == "ready"
    for one in programs:
        one.say()
    for one in programs:
        one.rest()
    assert databases.open(tmp_path / "data.db").query("SELECT count(*) FROM t") == [(4,)]
