"""A guard ends the SQL of its thread when that is late or the run is over, and no other."""

from __future__ import annotations

import threading
import time

import pytest

from etl_studio.engine.guard import Guard
from etl_studio.errors import Cancelled, DeadlineError


class Query:
    """Runs until it is interrupted; forgets interrupts that come while it does not run, as DuckDB does."""

    def __init__(self, deaf=0):
        self.running = threading.Event()
        self.ended = threading.Event()
        self.interrupts = 0
        self._deaf = deaf

    def run(self):
        self.ended.clear()
        self.running.set()
        assert self.ended.wait(20)
        raise Cancelled("The query was stopped.")

    def interrupt(self):
        self.interrupts += 1
        if self.interrupts > self._deaf:
            self.ended.set()


def start(guard, query):
    errors = []

    def work():
        try:
            guard.run(query.run)
        except (Cancelled, DeadlineError) as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert query.running.wait(20)
    return thread, errors


def test_what_takes_longer_than_the_limit_is_ended_as_late():
    query = Query()
    guard = Guard(query.interrupt, limit=2.0)
    thread, errors = start(guard, query)

    guard.check(guard.busy_since + 2.0)
    assert query.interrupts == 0
    guard.check(guard.busy_since + 2.1)
    thread.join(20)

    assert type(errors[0]) is DeadlineError
    assert str(errors[0]) == "It took longer than 2 s."
    assert guard.busy_since is None


def test_an_interrupt_that_falls_between_two_queries_comes_again():
    query = Query(deaf=1)
    guard = Guard(query.interrupt, limit=2.0)
    thread, errors = start(guard, query)

    guard.check(guard.busy_since + 3)
    assert thread.is_alive()
    guard.check(guard.busy_since + 4)
    thread.join(20)

    assert type(errors[0]) is DeadlineError


def test_a_cancelled_operation_is_no_late_one_and_none_begins_after_it():
    query = Query(deaf=1)
    guard = Guard(query.interrupt)
    thread, errors = start(guard, query)

    guard.cancel()
    guard.check(time.monotonic())
    thread.join(20)

    assert type(errors[0]) is Cancelled
    with pytest.raises(Cancelled):
        guard.run(lambda: pytest.fail("it ran"))


def test_nothing_is_interrupted_where_nothing_runs():
    query = Query()
    guard = Guard(query.interrupt, limit=2.0)
    guard.run(lambda: None)

    guard.check(time.monotonic() + 100)
    guard.cancel()

    assert query.interrupts == 0


def test_an_operation_is_not_late_because_the_one_before_it_was():
    query = Query()
    guard = Guard(query.interrupt, limit=2.0)
    thread, _ = start(guard, query)
    guard.check(guard.busy_since + 3)
    thread.join(20)

    def cancelled():
        raise Cancelled("The query was stopped.")

    with pytest.raises(Cancelled) as caught:
        guard.run(cancelled)
    assert type(caught.value) is Cancelled
