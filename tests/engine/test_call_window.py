"""What a breaker remembers of past calls, beside plain lists of all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from etl_studio.engine.call_window import CountWindow, TimeWindow, closed_window
from etl_studio.sdk import Breaker

verdicts = st.tuples(st.booleans(), st.booleans())


def totals(window):
    return window.calls, window.failed, window.slow


def sums(calls):
    return len(calls), sum(failed for failed, _ in calls), sum(slow for _, slow in calls)


@given(st.integers(1, 5), st.lists(verdicts, max_size=25))
def test_a_count_window_holds_the_last_calls(size, calls):
    window = CountWindow(size)
    for number, (failed, slow) in enumerate(calls, 1):
        window.add(failed, slow)
        assert totals(window) == sums(calls[:number][-size:])


@given(st.integers(1, 5), st.lists(st.tuples(st.floats(0, 3), verdicts), max_size=40))
def test_a_time_window_holds_the_calls_of_the_last_seconds(size, calls):
    now, before = 0.0, []
    window = TimeWindow(size, lambda: now)
    for pause, (failed, slow) in calls:
        now += pause
        window.add(failed, slow)
        before.append((int(now), (failed, slow)))
        assert totals(window) == sums([verdict for second, verdict in before if second > int(now) - size])


def test_many_calls_within_a_second_leave_together():
    now = 0.25
    window = TimeWindow(2, lambda: now)
    for failed, slow in ((True, True), (True, False), (False, True), (True, True)):
        window.add(failed, slow)
    now = 1.5
    window.add(False, False)
    assert totals(window) == (5, 3, 3)
    now = 2.0
    window.add(True, True)

    assert totals(window) == (2, 1, 1)


def test_a_closed_breaker_has_the_window_of_its_policy():
    assert isinstance(closed_window(Breaker(window="count"), float), CountWindow)
    assert isinstance(closed_window(Breaker(window="time"), float), TimeWindow)
