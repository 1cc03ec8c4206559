"""Signals while a run is on."""

from __future__ import annotations

import os
import queue
import signal

from etl_studio.cli.stopping import SIGNALS, stopping_on_signals


class FakeRun:
    def __init__(self):
        self.stops = queue.Queue()

    def stop(self, *, hard=False):
        self.stops.put(hard)


def test_the_first_signal_stops_gracefully_and_the_second_at_once(capsys):
    run = FakeRun()
    with stopping_on_signals(run) as stopped:
        assert not stopped
        os.kill(os.getpid(), signal.SIGINT)
        assert run.stops.get(timeout=5) is False
        os.kill(os.getpid(), signal.SIGTERM)
        assert run.stops.get(timeout=5) is True
    assert stopped
    assert capsys.readouterr().err.splitlines()[-1] == "stopping at once"


def test_the_handlers_from_before_are_back_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    with stopping_on_signals(FakeRun()):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
