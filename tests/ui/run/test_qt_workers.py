"""Workers of the engine as QThreads."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from PySide6.QtCore import QThread

from etl_studio.errors import EtlError
from etl_studio.storage.databases import Databases
from etl_studio.ui.run.qt_workers import NICENESS, start_qt_worker, thread_locals_dropped


def test_the_work_is_done_in_a_qthread_of_that_name(qapp):
    seen = []
    worker = start_qt_worker("node read", lambda: seen.append(QThread.currentThread().objectName()))

    worker.join()

    assert seen == ["node read"]
    assert not worker.is_alive()


def test_join_gives_up_after_its_time(qapp):
    going_on = threading.Event()
    worker = start_qt_worker("slow", going_on.wait)

    worker.join(0.01)
    assert worker.is_alive()

    going_on.set()
    worker.join()


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a niceness of its own on Linux only")
def test_a_worker_and_what_it_starts_step_back_behind_the_windows_thread(qapp):
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    seen = []

    def work() -> None:
        seen.append(niceness())
        helper = threading.Thread(target=lambda: seen.append(niceness()))
        helper.start()
        helper.join()

    before = niceness()
    start_qt_worker("nice", work).join()

    assert seen == [max(before, NICENESS)] * 2
    assert niceness() == before


def test_what_python_keeps_for_the_thread_is_gone_before_the_thread_ends(qapp):
    local = threading.local()
    gone = []

    class Kept:
        def __del__(self):
            gone.append(QThread.currentThread().objectName())

    def work() -> None:
        local.kept = Kept()

    start_qt_worker("keeper", work).join()

    assert gone == ["keeper"]


def test_dropping_them_takes_no_reference_that_is_not_ours(qapp):
    def drop_often() -> None:
        for _ in range(50):
            with thread_locals_dropped():
                threading.local().value = 1

    before = sys.getrefcount(None)
    for _ in range(20):
        start_qt_worker("dropper", drop_often).join()

    assert sys.getrefcount(None) > before - 100


@pytest.mark.parametrize("attempt", range(10))
def test_a_database_that_was_used_in_a_qthread_does_not_kill_the_process(qapp, tmp_path, attempt):
    databases = Databases()
    failed: list[EtlError] = []

    def work() -> None:
        try:
            databases.open(tmp_path / "data.db").query("SELECT 1")
        except EtlError as error:
            failed.append(error)

    for _ in range(10):
        start_qt_worker("reader", work).join()
    databases.close()

    assert failed == []
