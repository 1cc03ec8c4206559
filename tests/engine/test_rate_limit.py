"""The rate limiter: calls are spaced as its policy says, whoever makes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from etl_studio.engine.rate_limit import RateLimiter
from etl_studio.sdk import RateLimit


class Bench:
    """Calls one after the other, each when its wait is over."""

    def __init__(self, **policy):
        self.now = 100.0
        self.limiter = RateLimiter(RateLimit(**policy), lambda: self.now)

    def call(self):
        wait = self.limiter.reserve()
        self.now += wait
        return wait


def test_calls_are_spaced_evenly():
    bench = Bench(calls=4, period=2)

    assert [bench.call() for _ in range(4)] == [0, 0.5, 0.5, 0.5]


def test_a_burst_may_come_at_once_and_is_made_up_for():
    bench = Bench(calls=2, period=1, burst=3)

    assert [bench.call() for _ in range(5)] == [0, 0, 0, 0.5, 0.5]


def test_callers_that_ask_together_get_places_one_after_the_other():
    bench = Bench(calls=1, period=1)

    assert [bench.limiter.reserve() for _ in range(3)] == [0, 1, 2]


def test_time_without_calls_is_not_saved_up_beyond_the_burst():
    bench = Bench(calls=1, period=1, burst=2)
    bench.now += 1000

    assert [bench.call() for _ in range(4)] == [0, 0, 1, 1]


def test_a_call_that_comes_late_enough_does_not_wait():
    bench = Bench(calls=1, period=1)
    bench.call()
    bench.now += 0.75

    assert bench.call() == 0.25


def test_after_a_penalty_nobody_calls_for_that_long_and_then_one_by_one():
    bench = Bench(calls=2, period=1, burst=3)
    bench.limiter.penalise(10)

    assert [bench.call() for _ in range(3)] == [10, 0.5, 0.5]


def test_a_shorter_penalty_does_not_end_a_longer_one():
    bench = Bench(calls=1, period=1)
    bench.limiter.penalise(10)
    bench.limiter.penalise(1)

    assert bench.call() == 10


@given(
    st.floats(0.5, 50),
    st.floats(0.1, 10),
    st.integers(1, 5),
    st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_period_holds_more_calls_than_allowed_and_the_burst(calls, period, burst, pauses):
    bench = Bench(calls=calls, period=period, burst=burst)
    moments = []
    for pause in pauses:
        bench.now += pause
        bench.call()
        moments.append(bench.now)

    for moment in moments:
        held = [one for one in moments if moment <= one < moment + period - 1e-6]
        assert len(held) <= calls + burst + 1e-6
