"""A call under a policy: what is tried again, how long it waits, what it tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_studio.engine.events import BreakerChanged, RetryScheduled
from etl_studio.errors import Cancelled, CircuitOpenError, PermanentError, TransientError
from etl_studio.sdk import Breaker, Policy, Retry
from tests.engine.policy_bench import NO_BREAKER, Bench, Flaky


def test_a_transient_error_is_tried_again_with_growing_delays():
    bench = Bench(Policy(retry=Retry(attempts=5, delay=1, max_delay=3), breaker=NO_BREAKER))

    assert bench.caller.call(Flaky(4)) == "answer"

    assert bench.time.waits == [1, 2, 3, 3]
    assert [(event.attempt, event.delay) for event in bench.of(RetryScheduled)] == [(1, 1), (2, 2), (3, 3), (4, 3)]
    assert (bench.meter.calls, bench.meter.errors, bench.meter.retries) == (5, 4, 4)


def test_after_the_last_attempt_the_error_itself_is_raised():
    bench = Bench(Policy(retry=Retry(attempts=3, delay=0), breaker=NO_BREAKER))
    flaky = Flaky(9)

    with pytest.raises(TransientError, match="did not answer"):
        bench.caller.call(flaky)

    assert flaky.calls == 3


def test_a_permanent_error_is_never_tried_again():
    bench = Bench(Policy())
    flaky = Flaky(9, PermanentError("No such page."))

    with pytest.raises(PermanentError):
        bench.caller.call(flaky)

    assert flaky.calls == 1


def test_retry_after_is_waited_for_but_not_longer_than_the_longest_delay():
    bench = Bench(Policy(retry=Retry(attempts=2, delay=1, max_delay=30), breaker=NO_BREAKER))
    bench.caller.call(Flaky(1, TransientError("Too many requests.", retry_after=7)))
    bench.caller.call(Flaky(1, TransientError("Too many requests.", retry_after=3600)))

    assert bench.time.waits == [7, 30]


def test_full_jitter_draws_the_delay_between_nothing_and_its_value():
    bench = Bench(Policy(retry=Retry(attempts=2, delay=8), breaker=NO_BREAKER), rng=lambda: 0.25)
    bench.caller.call(Flaky(1))

    assert bench.time.waits == [2]


def test_a_stop_ends_the_wait_and_no_further_attempt_is_made():
    bench = Bench(Policy(retry=Retry(attempts=9), breaker=NO_BREAKER))
    flaky = Flaky(9)
    bench.time.set()

    with pytest.raises(Cancelled):
        bench.caller.call(flaky)

    assert flaky.calls == 1


def test_a_permanent_answer_is_no_failure_of_the_other_side():
    bench = Bench(Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1)))
    for _ in range(3):
        with pytest.raises(PermanentError):
            bench.caller.call(Flaky(1, PermanentError("No such page.")), target="shop")

    assert bench.of(BreakerChanged) == []
    assert bench.meter.errors == 3


@given(st.sampled_from(["fixed", "linear", "exponential"]), st.integers(1, 500), st.floats(0, 100), st.floats(0, 1000))
def test_a_delay_never_exceeds_the_longest_one(backoff, attempt, delay, longest):
    retry = Retry(backoff=backoff, delay=delay, max_delay=longest)

    assert 0 <= retry.delay_after(attempt) <= longest


def test_a_next_attempt_that_would_begin_too_late_is_not_made():
    policy = Policy(retry=Retry(attempts=50, delay=10, jitter=False, max_elapsed=10), breaker=NO_BREAKER)
    flaky = Flaky(9)
    with pytest.raises(TransientError):
        Bench(policy).caller.call(flaky)

    assert flaky.calls == 1


def test_within_the_longest_time_it_is_tried_again():
    policy = Policy(retry=Retry(attempts=3, delay=10, jitter=False, max_elapsed=3600), breaker=NO_BREAKER)

    assert Bench(policy).caller.call(Flaky(2)) == "answer"


def test_an_error_tells_how_often_it_was_tried():
    bench = Bench(Policy(retry=Retry(attempts=3, delay=0), breaker=NO_BREAKER))
    with pytest.raises(TransientError) as told:
        bench.caller.call(Flaky(9))
    assert told.value.attempts == 3

    once = Bench(Policy(breaker=Breaker(minimum_calls=1, open_for=60, when_open="fail"), retry=Retry(attempts=1)))
    with pytest.raises(TransientError):
        once.caller.call(Flaky(1), target="shop")
    with pytest.raises(CircuitOpenError) as told:
        once.caller.call(Flaky(0), target="shop")
    assert told.value.attempts == 1


def test_what_a_call_inside_has_tried_to_the_end_is_not_tried_again_and_keeps_its_count():
    bench = Bench(Policy(retry=Retry(attempts=4, delay=0), breaker=NO_BREAKER))
    flaky = Flaky(99)
    with pytest.raises(TransientError) as told:
        bench.caller.call(lambda: bench.caller.call(flaky, target="shop"))

    assert flaky.calls == told.value.attempts == 4


def test_faults_are_injected_before_the_operation_as_if_it_had_failed():
    class Faults:
        def __init__(self):
            self.struck = []

        def strike(self, node, target):
            self.struck.append((node, target))
            if len(self.struck) == 1:
                raise TransientError("Injected.")

    faults = Faults()
    bench = Bench(Policy(retry=Retry(delay=0), breaker=NO_BREAKER), faults=faults)
    flaky = Flaky(0)
    bench.caller.call(flaky, target="shop")

    assert faults.struck == [("node", "shop")] * 2
    assert flaky.calls == 1
    assert (bench.meter.errors, bench.meter.retries) == (1, 1)
