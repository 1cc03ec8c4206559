"""The circuit breaker keeps resilience4j's rules; time is a number in the test's hand."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.engine.breaker import CircuitBreaker
from etl_studio.engine.events import BreakerState
from etl_studio.errors import CircuitOpenError
from etl_studio.sdk import Breaker

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


class Bench:
    """A breaker, its clock and the changes it told."""

    def __init__(self, **policy):
        self.now = 0.0
        self.changes = []
        self.breaker = CircuitBreaker("shop", Breaker(**policy), self.changes.append, lambda: self.now)

    def call(self, *, failed=False, seconds=0.0):
        self.breaker.acquire().record(failed=failed, seconds=seconds)

    @property
    def states(self):
        return [change.state for change in self.changes]


def test_it_stays_closed_below_the_minimum_of_calls():
    bench = Bench(minimum_calls=5, window_size=10)
    for _ in range(4):
        bench.call(failed=True)

    assert bench.breaker.state is CLOSED


def test_it_opens_when_the_failure_rate_is_reached_at_the_minimum_of_calls():
    bench = Bench(minimum_calls=4, window_size=10, failure_rate=50)
    for failed in (False, True, False, True):
        bench.call(failed=failed)

    assert bench.breaker.state is OPEN
    assert bench.changes[0].failure_rate == 50.0
    assert bench.changes[0].open_for == bench.breaker.policy.open_for


def test_a_count_window_forgets_older_calls():
    bench = Bench(minimum_calls=2, window_size=4, failure_rate=75)
    for failed in (True, False, False, False, True, True):
        bench.call(failed=failed)
    assert bench.breaker.state is CLOSED

    bench.call(failed=True)

    assert bench.breaker.state is OPEN


def test_a_window_smaller_than_the_minimum_of_calls_is_judged_when_it_is_full():
    bench = Bench(minimum_calls=100, window_size=3)
    for _ in range(3):
        bench.call(failed=True)

    assert bench.breaker.state is OPEN


def test_a_time_window_forgets_calls_older_than_its_seconds():
    bench = Bench(window="time", window_size=10, minimum_calls=3)
    bench.call(failed=True)
    bench.call(failed=True)
    bench.now = 11
    bench.call(failed=True)
    assert bench.breaker.state is CLOSED

    bench.call(failed=True)
    bench.call(failed=True)

    assert bench.breaker.state is OPEN


def test_slow_calls_open_it_without_any_failure():
    bench = Bench(minimum_calls=3, slow_call=1.0, slow_call_rate=60, failure_rate=100)
    for seconds in (2.0, 0.1, 2.0):
        bench.call(seconds=seconds)

    assert bench.breaker.state is OPEN


def test_while_open_every_call_is_refused_with_the_time_to_wait():
    bench = Bench(minimum_calls=1, open_for=5)
    bench.call(failed=True)
    bench.now = 2

    with pytest.raises(CircuitOpenError) as refused:
        bench.breaker.acquire()

    assert refused.value.retry_after == 3


def opened(**policy):
    bench = Bench(minimum_calls=1, open_for=5, **policy)
    bench.call(failed=True)
    bench.now = 5
    return bench


def test_after_its_time_it_lets_exactly_the_trial_calls_through():
    bench = opened(half_open_calls=3)
    permits = [bench.breaker.acquire() for _ in range(3)]
    assert bench.breaker.state is HALF_OPEN

    with pytest.raises(CircuitOpenError):
        bench.breaker.acquire()

    assert len(permits) == 3


def test_good_trial_calls_close_it():
    bench = opened(half_open_calls=2)
    bench.call()
    bench.call()

    assert bench.states == [OPEN, HALF_OPEN, CLOSED]


def test_failing_trial_calls_open_it_again():
    bench = opened(half_open_calls=2)
    bench.call(failed=True)
    bench.call()

    assert bench.states == [OPEN, HALF_OPEN, OPEN]


def test_a_trial_call_given_up_frees_its_place_without_a_verdict():
    bench = opened(half_open_calls=1)
    for _ in range(12):
        bench.breaker.acquire().release()
    bench.call()

    assert bench.breaker.state is CLOSED


def test_a_late_result_of_an_older_state_is_ignored():
    bench = Bench(minimum_calls=1, open_for=5, half_open_calls=1)
    late = bench.breaker.acquire()
    bench.call(failed=True)
    bench.now = 5
    trial = bench.breaker.acquire()
    late.record(failed=True, seconds=0)
    assert bench.breaker.state is HALF_OPEN

    trial.record(failed=False, seconds=0)

    assert bench.breaker.state is CLOSED


def test_trial_calls_that_never_end_open_it_again_after_a_while():
    bench = opened(half_open_calls=1, max_half_open=60)
    bench.breaker.acquire()
    bench.now = 65

    with pytest.raises(CircuitOpenError):
        bench.breaker.acquire()

    assert bench.states == [OPEN, HALF_OPEN, OPEN]


LEGAL = {(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED)}


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=60), st.integers(1, 5), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_no_trace_of_calls_makes_an_illegal_change(calls, minimum, trials):
    bench = Bench(minimum_calls=minimum, window_size=6, half_open_calls=trials, open_for=2)
    for failed, pause in calls:
        bench.now += pause
        try:
            bench.call(failed=failed)
        except CircuitOpenError:
            continue

    steps = [CLOSED, *bench.states]
    assert set(pairwise(steps)) <= LEGAL


def test_eight_threads_make_no_illegal_change_and_no_more_trials_than_allowed():
    breaker_states = []
    breaker = CircuitBreaker(
        "shop",
        Breaker(minimum_calls=5, window_size=20, open_for=0.001, half_open_calls=3),
        breaker_states.append,
    )

    def hammer(seed):
        for number in range(2_000):
            try:
                permit = breaker.acquire()
            except CircuitOpenError:
                continue
            permit.record(failed=(number * seed) % 3 == 0, seconds=0)

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    states = [change.state for change in breaker_states]
    assert {OPEN, HALF_OPEN} <= set(states)
