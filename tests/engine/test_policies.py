"""A call under a policy: what is tried again, how long it waits, what it tells."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_studio.engine.events import BreakerChanged, NodeChanged, NodeState, RetryScheduled
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import Cancelled, CircuitOpenError, PermanentError, TransientError
from etl_studio.sdk import Breaker, Policy, RateLimit, Retry


class FakeTime(threading.Event):
    """A stop event whose waits pass at once and move the clock."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.waits = []

    def wait(self, timeout=None):
        if self.is_set():
            return True
        self.waits.append(timeout)
        self.now += timeout or 0.0
        return False


class Bench:
    def __init__(self, policy, rng=lambda: 1.0):
        self.time = FakeTime()
        self.events = []
        self.meter = Meter()
        self.shared = SharedPolicies(lambda: self.time.now)
        self.caller = PolicyCaller("run", "node", policy, self.shared, self.meter, self.events.append, self.time, rng)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


class Flaky:
    """Fails as often as told, then answers."""

    def __init__(self, failures, error=None):
        self.failures = failures
        self.calls = 0
        self.error = error or TransientError("The site did not answer.")

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return "answer"


NO_BREAKER = Breaker(enabled=False)


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


def test_an_open_breaker_lets_nothing_through_until_its_time_and_then_closes_again():
    policy = Policy(
        retry=Retry(attempts=20, delay=0.1, backoff="fixed", jitter=False),
        breaker=Breaker(minimum_calls=3, window_size=5, open_for=2, half_open_calls=1),
    )
    bench = Bench(policy)
    calls_at = []

    def site():
        calls_at.append(bench.time.now)
        if bench.time.now < 1:
            raise TransientError("Down.")
        return "answer"

    assert bench.caller.call(site, target="shop") == "answer"

    gaps = [later - earlier for earlier, later in pairwise(calls_at)]
    assert len(calls_at) == 4
    assert max(gaps) >= 2
    assert [event.state for event in bench.of(BreakerChanged)] == ["open", "half_open", "closed"]
    assert NodeState.OPEN in [event.state for event in bench.of(NodeChanged)]
    assert bench.meter.refused >= 1


def test_a_call_that_waits_for_an_open_breaker_counts_as_refused_once_and_looks_again_often():
    bench = Bench(Policy(breaker=Breaker(minimum_calls=1, open_for=1, half_open_calls=1), retry=Retry(delay=0)))

    bench.caller.call(Flaky(1), target="shop")

    assert bench.meter.refused == 1
    assert max(bench.time.waits) <= 0.2
    assert sum(bench.time.waits) == pytest.approx(1)


def test_a_breaker_that_a_person_opens_holds_every_call_until_it_is_closed_by_hand():
    bench = Bench(Policy(retry=Retry(attempts=1)))
    bench.caller.call(Flaky(0), target="shop")
    bench.shared.force("node", "forced_open")
    wait = bench.time.wait

    def wait_and_close_at_last(seconds):
        if len(bench.time.waits) == 5:
            bench.shared.force("node", "closed")
        return wait(seconds)

    bench.time.wait = wait_and_close_at_last
    assert bench.caller.call(Flaky(0), target="shop") == "answer"

    assert len(bench.time.waits) == 6
    assert [(event.state, event.by_hand) for event in bench.of(BreakerChanged)] == [
        ("forced_open", True),
        ("closed", True),
    ]
    assert bench.meter.refused == 1


def test_an_order_holds_for_hosts_that_the_node_calls_later():
    bench = Bench(Policy(retry=Retry(attempts=1), breaker=Breaker(when_open="fail")))
    bench.caller.call(Flaky(0), target="a")
    bench.shared.force("node", "forced_open")

    with pytest.raises(CircuitOpenError):
        bench.caller.call(Flaky(0), target="b")
    bench.shared.force("node", "closed")

    assert bench.caller.call(Flaky(0), target="b") == "answer"
    assert bench.caller.call(Flaky(0), target="c") == "answer"


def test_a_disabled_breaker_lets_calls_through_that_it_would_have_refused():
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1, open_for=60, when_open="fail"))
    bench = Bench(policy)
    with pytest.raises(TransientError):
        bench.caller.call(Flaky(1), target="shop")
    bench.shared.force("node", "disabled")

    assert bench.caller.call(Flaky(0), target="shop") == "answer"
    assert bench.meter.breaker == "disabled"


def test_an_order_for_a_node_without_a_breaker_does_nothing():
    bench = Bench(Policy(breaker=NO_BREAKER))
    bench.caller.call(Flaky(0), target="shop")
    bench.shared.force("node", "forced_open")

    assert bench.caller.call(Flaky(0), target="shop") == "answer"
    assert bench.meter.breaker is None


def test_an_order_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="ajar"):
        SharedPolicies().force("node", "ajar")


def test_the_meter_tells_of_the_breaker_from_the_first_call_on():
    bench = Bench(Policy())
    assert bench.meter.breaker is None

    bench.caller.call(Flaky(0), target="shop")

    assert bench.meter.breaker == "closed"


def test_a_call_that_is_interrupted_gives_its_trial_back():
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1, open_for=1, half_open_calls=1))
    bench = Bench(policy)
    with pytest.raises(TransientError):
        bench.caller.call(Flaky(1), target="shop")
    bench.time.now = 5
    with pytest.raises(KeyboardInterrupt):
        bench.caller.call(Flaky(1, KeyboardInterrupt()), target="shop")

    assert bench.caller.call(Flaky(0), target="shop") == "answer"
    assert bench.meter.breaker == "closed"


def test_a_permanent_answer_is_no_failure_of_the_other_side():
    bench = Bench(Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1)))
    for _ in range(3):
        with pytest.raises(PermanentError):
            bench.caller.call(Flaky(1, PermanentError("No such page.")), target="shop")

    assert bench.of(BreakerChanged) == []
    assert bench.meter.errors == 3


def test_beyond_the_retry_budget_of_a_host_retries_wait_for_the_minute_to_pass():
    bench = Bench(Policy(retry=Retry(attempts=100, delay=0, budget=0), breaker=NO_BREAKER))

    bench.caller.call(Flaky(11), target="shop")

    assert bench.time.waits == [0] * 10 + [60]


def test_requests_that_succeed_make_room_for_more_retries():
    bench = Bench(Policy(retry=Retry(attempts=100, delay=0, budget=50), breaker=NO_BREAKER))
    for _ in range(6):
        bench.caller.call(Flaky(0), target="shop")
    bench.caller.call(Flaky(14), target="shop")
    assert bench.time.waits == [0] * 14
    bench.caller.call(Flaky(1), target="other shop")
    assert bench.time.waits == [0] * 15

    bench.caller.call(Flaky(1), target="shop")

    assert bench.time.waits == [0] * 15 + [60]


def test_work_without_a_host_has_no_retry_budget():
    bench = Bench(Policy(retry=Retry(attempts=50, delay=0, budget=0), breaker=NO_BREAKER))
    bench.caller.call(Flaky(30))

    assert bench.time.waits == [0] * 30


def test_the_last_attempt_takes_nothing_from_the_budget():
    bench = Bench(Policy(retry=Retry(attempts=2, delay=0, budget=0), breaker=NO_BREAKER))
    for _ in range(10):
        with pytest.raises(TransientError):
            bench.caller.call(Flaky(2), target="shop")

    assert bench.time.waits == [0] * 10


def test_a_breaker_that_fails_fast_raises_instead_of_waiting():
    policy = Policy(retry=Retry(attempts=2, delay=0), breaker=Breaker(minimum_calls=1, open_for=60, when_open="fail"))
    bench = Bench(policy)

    with pytest.raises(CircuitOpenError):
        bench.caller.call(Flaky(5), target="shop")


def test_work_without_a_target_has_no_breaker():
    bench = Bench(Policy(retry=Retry(attempts=20, delay=0), breaker=Breaker(minimum_calls=1, when_open="fail")))

    assert bench.caller.call(Flaky(15)) == "answer"


def test_each_target_has_a_breaker_of_its_own():
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1, when_open="fail", open_for=60))
    bench = Bench(policy)
    with pytest.raises(TransientError):
        bench.caller.call(Flaky(1), target="a")

    assert bench.caller.call(Flaky(0), target="b") == "answer"
    with pytest.raises(CircuitOpenError):
        bench.caller.call(Flaky(0), target="a")


def test_nodes_with_one_breaker_name_share_it_and_both_hear_of_it():
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1, when_open="fail", open_for=60, name="x"))
    bench = Bench(policy)
    other_events = []
    other = PolicyCaller("run", "other", policy, bench.shared, Meter(), other_events.append, bench.time)
    assert other.call(Flaky(0), target="shop") == "answer"
    with pytest.raises(TransientError):
        bench.caller.call(Flaky(1), target="shop")

    with pytest.raises(CircuitOpenError):
        other.call(Flaky(0), target="shop")
    assert any(isinstance(event, BreakerChanged) for event in other_events)


def test_a_rate_limit_spaces_the_calls():
    bench = Bench(Policy(rate_limit=RateLimit(calls=4, period=2, burst=2)))
    for _ in range(4):
        bench.caller.call(Flaky(0))

    assert bench.time.waits == [0.5, 0.5]


@given(st.sampled_from(["fixed", "linear", "exponential"]), st.integers(1, 500), st.floats(0, 100), st.floats(0, 1000))
def test_a_delay_never_exceeds_the_longest_one(backoff, attempt, delay, longest):
    retry = Retry(backoff=backoff, delay=delay, max_delay=longest)

    assert 0 <= retry.delay_after(attempt) <= longest
