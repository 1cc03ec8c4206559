"""Breakers, rate limits and retry budgets around calls: by node, by name, by host, by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest

from etl_studio.engine.events import BreakerChanged, NodeChanged, NodeState, RetryScheduled
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import Cancelled, CircuitOpenError, TransientError
from etl_studio.sdk import Breaker, Policy, RateLimit, Retry
from tests.engine.policy_bench import NO_BREAKER, Bench, Flaky


@pytest.fixture
def noon(monkeypatch):
    """The wall clock stands still."""
    monkeypatch.setattr("etl_studio.engine.policies.time.time", lambda: 1000.0)


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


def test_everything_that_happens_is_told_in_order_and_in_full(noon):
    policy = Policy(
        retry=Retry(attempts=9, delay=1, backoff="fixed", jitter=False),
        breaker=Breaker(minimum_calls=2, window_size=2, open_for=3, half_open_calls=1, slow_call=0.5),
    )
    bench = Bench(policy)

    def site():
        if bench.time.now < 3:
            bench.time.now += 0.75
            raise TransientError("Down.", hint="Wait.")

    bench.caller.call(site, target="shop")

    open_ = "The breaker of shop is open: it failed too often."
    assert bench.events == [
        NodeChanged("run", 1000.0, "node", NodeState.RUNNING),
        RetryScheduled("run", 1000.0, "node", 1, 9, 1.0, "Down.", "shop"),
        NodeChanged("run", 1000.0, "node", NodeState.RETRYING, "Attempt 1 of 9 failed: Down."),
        NodeChanged("run", 1000.0, "node", NodeState.RUNNING),
        BreakerChanged("run", 1000.0, "node", "shop", "open", 100.0, 1003.0, 100.0, by_hand=False),
        RetryScheduled("run", 1000.0, "node", 2, 9, 1.0, "Down.", "shop"),
        NodeChanged("run", 1000.0, "node", NodeState.RETRYING, "Attempt 2 of 9 failed: Down."),
        NodeChanged("run", 1000.0, "node", NodeState.OPEN, open_),
        BreakerChanged("run", 1000.0, "node", "shop", "half_open"),
        NodeChanged("run", 1000.0, "node", NodeState.RUNNING),
        BreakerChanged("run", 1000.0, "node", "shop", "closed", 0.0, None, 0.0),
    ]
    sample = bench.meter.sample()
    assert (sample.p50, sample.p95) == (0.75, 0.75)
    assert sample.state is NodeState.RUNNING
    assert (bench.meter.calls, bench.meter.errors, bench.meter.retries, bench.meter.refused) == (3, 2, 2, 1)


def test_a_node_that_waits_runs_again_as_soon_as_its_breaker_is_closed_by_hand():
    bench = Bench(Policy(retry=Retry(attempts=1)))
    bench.caller.call(Flaky(0), target="shop")
    bench.shared.force("node", "forced_open")
    assert bench.meter.state is NodeState.RUNNING, "nothing is called, nothing waits"
    bench.meter.state = NodeState.OPEN
    bench.shared.force("node", "forced_open")
    assert bench.meter.state is NodeState.OPEN

    bench.shared.force("node", "disabled")

    assert bench.meter.state is NodeState.RUNNING


def test_a_finished_node_stays_finished_when_a_breaker_that_it_shares_changes():
    bench = Bench(Policy())
    bench.caller.call(Flaky(0), target="shop")
    bench.meter.state = NodeState.DONE

    for state in ("forced_open", "disabled", "closed"):
        bench.shared.force("node", state)
        assert bench.meter.state is NodeState.DONE


def test_the_rest_of_the_time_that_a_breaker_is_open_is_waited_for_exactly():
    bench = Bench(Policy(breaker=Breaker(minimum_calls=1, open_for=0.5, half_open_calls=1), retry=Retry(delay=0)))

    bench.caller.call(Flaky(1), target="shop")

    assert bench.time.waits == pytest.approx([0, 0.2, 0.2, 0.1])


def test_every_refused_call_is_counted():
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1, open_for=60, when_open="fail"))
    bench = Bench(policy)
    for _ in range(4):
        with pytest.raises(TransientError):
            bench.caller.call(Flaky(1), target="shop")

    assert bench.meter.refused == 3


def test_a_site_that_asks_to_wait_makes_the_whole_rate_limit_wait():
    policy = Policy(
        retry=Retry(attempts=1, max_delay=20), rate_limit=RateLimit(calls=1, period=1, name="api"), breaker=NO_BREAKER
    )
    bench = Bench(policy)
    for asked in (7, 3600):
        with pytest.raises(TransientError):
            bench.caller.call(Flaky(1, TransientError("Too many requests.", retry_after=asked)))
    other = PolicyCaller("run", "other", policy, bench.shared, Meter(), bench.events.append, bench.time)
    other.call(Flaky(0))

    assert bench.time.waits == [7, 20], "at most the longest delay"


def test_without_a_name_each_node_has_a_rate_limit_of_its_own():
    policy = Policy(rate_limit=RateLimit(calls=1, period=1))
    bench = Bench(policy)
    other = PolicyCaller("run", "other", policy, bench.shared, Meter(), bench.events.append, bench.time)
    bench.caller.call(Flaky(0))
    other.call(Flaky(0))
    assert bench.time.waits == []

    again = PolicyCaller("run", "node", policy, bench.shared, Meter(), bench.events.append, bench.time)
    again.call(Flaky(0))
    assert bench.time.waits == [1], "it belongs to the node, whoever calls for it"


def test_limits_of_different_names_are_apart():
    bench = Bench(Policy(rate_limit=RateLimit(calls=1, period=1, name="a")))
    policy = Policy(rate_limit=RateLimit(calls=1, period=1, name="b"))
    other = PolicyCaller("run", "node", policy, bench.shared, Meter(), bench.events.append, bench.time)
    bench.caller.call(Flaky(0))
    other.call(Flaky(0))

    assert bench.time.waits == []


def test_a_trial_call_that_is_stopped_while_it_waits_for_the_rate_limit_gives_its_place_back():
    policy = Policy(
        retry=Retry(attempts=1),
        breaker=Breaker(minimum_calls=1, open_for=1, half_open_calls=1, name="api"),
        rate_limit=RateLimit(calls=1, period=100),
    )
    bench = Bench(policy)
    with pytest.raises(TransientError):
        bench.caller.call(Flaky(1), target="shop")
    bench.time.now = 5
    bench.time.set()
    with pytest.raises(Cancelled, match=r"^The run was stopped\.$"):
        bench.caller.call(Flaky(0), target="shop")
    bench.time.clear()

    free = Policy(retry=Retry(attempts=1), breaker=policy.breaker)
    other = PolicyCaller("run", "other", free, bench.shared, Meter(), bench.events.append, bench.time)
    assert other.call(Flaky(0), target="shop") == "answer"
    assert bench.time.waits == []


def test_a_change_is_told_only_to_the_nodes_that_share_the_breaker():
    def policy(name):
        return Policy(retry=Retry(attempts=1), breaker=Breaker(minimum_calls=1, name=name))

    bench = Bench(policy("one"))
    told = []
    other = PolicyCaller("run", "other", policy("two"), bench.shared, Meter(), told.append, bench.time)
    other.call(Flaky(0), target="shop")
    with pytest.raises(TransientError):
        bench.caller.call(Flaky(1), target="shop")

    assert not [event for event in told if isinstance(event, BreakerChanged)]
    assert [event.target for event in bench.of(BreakerChanged)] == ["shop"]


def test_an_order_is_told_once_however_often_a_node_has_called():
    bench = Bench(Policy())
    for _ in range(3):
        bench.caller.call(Flaky(0), target="shop")
    bench.shared.force("node", "closed")

    assert len(bench.of(BreakerChanged)) == 1


def test_nodes_that_share_a_breaker_obey_one_order():
    policy = Policy(retry=Retry(attempts=1), breaker=Breaker(when_open="fail", name="api"))
    bench = Bench(policy)
    other = PolicyCaller("run", "other", policy, bench.shared, Meter(), bench.events.append, bench.time)
    bench.caller.call(Flaky(0), target="shop")
    other.call(Flaky(0), target="shop")
    bench.shared.force("other", "forced_open")

    with pytest.raises(CircuitOpenError):
        bench.caller.call(Flaky(0), target="shop")
