"""The retry budget of a host: so many retries a minute, whoever asks for them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from etl_studio.engine.retry_budget import FREE, WINDOW, RetryBudget


class Bench:
    def __init__(self):
        self.now = 0.0
        self.budget = RetryBudget(lambda: self.now)

    def retries(self, count, percent):
        return [self.budget.reserve(percent) for _ in range(count)]


def test_the_first_ten_retries_are_free():
    assert Bench().retries(FREE + 1, 0) == [0] * FREE + [WINDOW]


def test_each_hundred_requests_allow_as_many_more_as_the_budget_says():
    bench = Bench()
    for _ in range(100):
        bench.budget.request()

    assert bench.retries(31, 20) == [0] * 30 + [WINDOW]


def test_what_waits_has_its_place_taken():
    bench = Bench()
    waits = bench.retries(3 * FREE, 0)

    assert waits == [0] * FREE + [WINDOW] * FREE + [2 * WINDOW] * FREE


def test_requests_of_more_than_a_minute_ago_do_not_count():
    bench = Bench()
    for _ in range(100):
        bench.budget.request()
    bench.now = WINDOW
    assert bench.retries(FREE + 1, 100) == [0] * FREE + [WINDOW]


def test_a_place_is_free_again_when_the_oldest_retry_is_a_minute_old():
    bench = Bench()
    bench.retries(1, 0)
    bench.now = 30
    bench.retries(FREE - 1, 0)
    bench.now = 50

    assert bench.retries(2, 0) == [10, 40]


def test_the_share_is_exact():
    bench = Bench()
    for _ in range(202):
        bench.budget.request()

    assert bench.retries(FREE + 203, 100) == [0] * (FREE + 202) + [WINDOW]


def test_a_wait_reckons_with_the_requests_that_will_be_forgotten_by_then():
    bench = Bench()
    for _ in range(5):
        bench.budget.request()
    bench.retries(5, 100)
    bench.now = 10
    bench.retries(10, 100)
    bench.now = 20

    assert bench.retries(1, 100) == [50], "in a minute from the first requests, ten retries and no request are left"


@given(st.lists(st.tuples(st.sampled_from(["request", "retry"]), st.floats(0, 20)), max_size=120), st.floats(0, 150))
def test_no_minute_ever_holds_more_retries_than_its_requests_allow(trace, percent):
    bench = Bench()
    requests, retries = [], []
    for what, pause in trace:
        bench.now += pause
        if what == "request":
            bench.budget.request()
            requests.append(bench.now)
        else:
            moment = bench.now + bench.budget.reserve(percent)
            assert moment >= bench.now
            before = [one for one in requests if one > moment - WINDOW]
            retries.append(moment)
            near = [one for one in retries if moment - WINDOW < one <= moment]
            assert len(near) - 1 < FREE + len(before) * percent / 100
