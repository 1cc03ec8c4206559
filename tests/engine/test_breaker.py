"""The breaker beside resilience4j's rules, clause by clause, and beside another implementation of the same rules."""

from __future__ import annotations

import contextvars
import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interlock import CircuitBreaker as Oracle
from interlock import CircuitOpenError as OracleOpenError
from interlock import Config, WindowType

from etl_studio.engine.breaker import CircuitBreaker
from etl_studio.engine.events import BreakerState
from etl_studio.errors import CircuitOpenError
from etl_studio.sdk import Breaker

SLOW = 1.0


class Bench:
    """A breaker and its clock. ``play`` takes a script: each word is one call, a wait or an order.

    ``f`` a failed call, ``g`` a good one, ``w`` a good one that takes long, ``W`` one that takes long and fails,
    ``x`` a call that must be refused, ``r`` one that is given up, ``<`` a call begins and ``>g`` / ``>f`` the oldest
    such call ends (``>r``: is given up), ``+2.5`` seconds pass, and the name of a state is the order of a person.
    """

    def __init__(self, **policy):
        self.now = 0.0
        self.changes = []
        self.breaker = CircuitBreaker(
            "shop", Breaker(**({"slow_call": SLOW} | policy)), self.changes.append, lambda: self.now
        )
        self.under_way = []

    def play(self, script):
        for word in script.split():
            if word == "x":
                with pytest.raises(CircuitOpenError):
                    self.breaker.acquire()
            elif word == "r":
                self.breaker.acquire().release()
            elif word == "<":
                self.under_way.append(self.breaker.acquire())
            elif word[0] == ">":
                self._end(self.under_way.pop(0), word[1])
            elif word[0] == "+":
                self.now += float(word[1:])
            elif word in "fgwW":
                self._end(self.breaker.acquire(), word)
            else:
                self.breaker.force(BreakerState(word))
        return self

    def _end(self, permit, kind):
        if kind == "r":
            permit.release()
            return
        permit.record(failed=kind in "fW", seconds=2 * SLOW if kind in "wW" else 0.1)

    @property
    def states(self):
        return " ".join(change.state for change in self.changes)


CONFORMANCE = [
    ("below the minimum of calls nothing is judged", {"minimum_calls": 3}, "f f", ""),
    ("at the minimum a rate that reaches the threshold opens it", {"minimum_calls": 4}, "g f g f x", "open"),
    ("a rate below the threshold does not", {"minimum_calls": 4, "failure_rate": 51}, "g f g f g", ""),
    ("a count window holds the last calls only", {"minimum_calls": 2, "window_size": 3, "failure_rate": 60},
     "f g g f g f x", "open"),
    ("the minimum of calls is at most the size of a count window", {"minimum_calls": 9, "window_size": 2},
     "f f x", "open"),
    ("the minimum of calls may be more than the seconds of a time window",
     {"window": "time", "window_size": 2, "minimum_calls": 4}, "f f f f x", "open"),
    ("a time window forgets what is older", {"window": "time", "window_size": 5, "minimum_calls": 3},
     "f f +5 f f", ""),
    ("a time window holds whole seconds, the present one included",
     {"window": "time", "window_size": 5, "minimum_calls": 3}, "f f +4.9 f x", "open"),
    ("slow calls open it without a failure", {"minimum_calls": 2, "slow_call_rate": 100}, "w w x", "open"),
    ("slow failures count for both rates", {"minimum_calls": 2, "slow_call_rate": 100, "failure_rate": 100},
     "W w x", "open"),
    ("a call exactly as long as the threshold is not slow",
     {"minimum_calls": 1, "slow_call": 2 * SLOW, "slow_call_rate": 1}, "w g", ""),
    ("while open calls are refused until its time", {"minimum_calls": 1, "open_for": 5}, "f x +4.9 x", "open"),
    ("time alone does not half open it, a call does", {"minimum_calls": 1, "open_for": 5}, "f +99", "open"),
    ("the first call after its time is a trial", {"minimum_calls": 1, "open_for": 5}, "f +5 <", "open half_open"),
    ("as many trials as permitted go through, no more", {"minimum_calls": 1, "open_for": 5, "half_open_calls": 3},
     "f +5 < < < x", "open half_open"),
    ("trials are judged when all have ended", {"minimum_calls": 1, "open_for": 5, "half_open_calls": 3},
     "f +5 f f", "open half_open"),
    ("trials below both thresholds close it",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 3, "failure_rate": 50}, "f +5 g f g g",
     "open half_open closed"),
    ("trials that reach the failure rate open it again", {"minimum_calls": 1, "open_for": 5, "half_open_calls": 2},
     "f +5 g f x", "open half_open open"),
    ("trials that reach the slow-call rate open it again", {"minimum_calls": 1, "open_for": 5, "half_open_calls": 2},
     "f +5 w w x", "open half_open open"),
    ("the minimum of calls does not hold for trials", {"minimum_calls": 5, "open_for": 5, "half_open_calls": 1},
     "f f f f f +5 g", "open half_open closed"),
    ("more trials than the size of the window are judged together",
     {"minimum_calls": 1, "window_size": 1, "open_for": 5, "half_open_calls": 3, "failure_rate": 60}, "f +5 f g g",
     "open half_open closed"),
    ("a trial given up frees its place without a verdict",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1}, "f +5 r r r g", "open half_open closed"),
    ("trials that do not end open it again after the longest half-open time",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1, "max_half_open": 60}, "f +5 < +60 x",
     "open half_open open"),
    ("it is open again since that moment, however late somebody looks",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1, "max_half_open": 60}, "f +5 < +64.9 x +0.2 <",
     "open half_open open half_open"),
    ("a trial that ends after the longest half-open time says nothing any more",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1, "max_half_open": 60}, "f +5 < +61 >g x",
     "open half_open open"),
    ("a trial that ends just before it is judged",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1, "max_half_open": 60}, "f +5 < +59.9 >g",
     "open half_open closed"),
    ("the result of a call from before it opened is ignored while half open",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1}, "< f +5 < >f >g", "open half_open closed"),
    ("a call given up from before it opened frees no trial",
     {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1}, "< f +5 < >r x", "open half_open"),
    ("each trial given up frees one place", {"minimum_calls": 1, "open_for": 5, "half_open_calls": 3},
     "f +5 < < < >r >r < < x", "open half_open"),
    ("a call given up while closed changes nothing", {"minimum_calls": 1, "open_for": 5, "half_open_calls": 1},
     "r r r f +5 < x", "open half_open"),
    ("a time window begins anew after it has closed",
     {"window": "time", "window_size": 9, "minimum_calls": 2, "open_for": 5, "half_open_calls": 1},
     "f f +5 g f g x", "open half_open closed open"),
    ("the window is empty after it has closed", {"minimum_calls": 2, "open_for": 5, "half_open_calls": 1},
     "f f +5 g f", "open half_open closed"),
    ("forced open it refuses everything for ever", {}, "forced_open x +9999 x", "forced_open"),
    ("results of calls under way do not change what is forced", {"minimum_calls": 1},
     "< < forced_open >f >g x", "forced_open"),
    ("disabled it lets everything through and judges nothing", {"minimum_calls": 1},
     "disabled f f W f g", "disabled"),
    ("an open breaker can be disabled", {"minimum_calls": 1}, "f x disabled g f", "open disabled"),
    ("closed by hand it judges anew", {"minimum_calls": 2}, "f forced_open closed f", "forced_open closed"),
    ("an open breaker can be closed by hand", {"minimum_calls": 1}, "f closed g", "open closed"),
    ("failures while disabled are not held against it", {"minimum_calls": 2}, "disabled f f closed f g",
     "disabled closed open"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "script", "states"), [row[1:] for row in CONFORMANCE], ids=[row[0] for row in CONFORMANCE]
)
def test_it_keeps_the_clause(policy, script, states):
    assert Bench(**policy).play(script).states == states


def test_a_change_tells_the_rates_that_led_to_it():
    bench = Bench(minimum_calls=4, failure_rate=50, open_for=7).play("g W f w")

    (opened,) = bench.changes
    assert opened.target == "shop"
    assert (opened.failure_rate, opened.slow_call_rate, opened.open_for, opened.by_hand) == (50, 50, 7, False)


def test_an_order_is_told_as_one():
    bench = Bench().play("forced_open closed")

    assert [(change.state, change.by_hand, change.open_for) for change in bench.changes] == [
        ("forced_open", True, None),
        ("closed", True, None),
    ]


@pytest.mark.parametrize("state", [BreakerState.OPEN, BreakerState.HALF_OPEN])
def test_states_that_follow_from_calls_cannot_be_ordered(state):
    with pytest.raises(ValueError, match=state):
        Bench().breaker.force(state)


def test_who_is_refused_is_told_why_and_when_to_ask_again():
    bench = Bench(minimum_calls=1, open_for=5, half_open_calls=1).play("f +2")
    with pytest.raises(CircuitOpenError, match=r"breaker of shop is open") as refused:
        bench.breaker.acquire()
    assert refused.value.retry_after == 3
    bench.play("+2.5")
    with pytest.raises(CircuitOpenError) as refused:
        bench.breaker.acquire()
    assert refused.value.retry_after == 0.5
    assert str(refused.value) == (
        "The breaker of shop is open: it failed too often. Nothing is sent until trial calls are let through."
    )
    bench.play("+0.5 <")
    with pytest.raises(CircuitOpenError) as refused:
        bench.breaker.acquire()
    assert refused.value.retry_after == 0.05
    bench.play("forced_open")
    with pytest.raises(CircuitOpenError, match="opened by hand") as refused:
        bench.breaker.acquire()
    assert refused.value.retry_after is None
    assert str(refused.value) == "The breaker of shop was opened by hand. Close it in the menu of the node."
    unnamed = CircuitBreaker("", Breaker(), lambda change: None)
    unnamed.force(BreakerState.FORCED_OPEN)
    with pytest.raises(CircuitOpenError, match="breaker of this node"):
        unnamed.acquire()


class OracleCalls:
    """Calls through ``interlock-cb``; each in a context of its own, so that they may end in any order."""

    def __init__(self, policy, now):
        self.breaker = Oracle(
            name="shop",
            clock=type("Clock", (), {"monotonic": staticmethod(now)})(),
            config=Config(
                failure_rate_threshold=policy.failure_rate / 100,
                minimum_number_of_calls=policy.minimum_calls,
                slow_call_duration_threshold=policy.slow_call,
                slow_call_rate_threshold=policy.slow_call_rate / 100,
                permitted_calls_in_half_open=policy.half_open_calls,
                max_concurrent_probes=policy.half_open_calls,
                wait_duration_in_open=policy.open_for,
                window_type=WindowType.COUNT_BASED if policy.window == "count" else WindowType.TIME_BASED,
                window_size=policy.window_size,
            ),
        )

    def begin(self):
        context = contextvars.copy_context()
        try:
            context.run(self.breaker.__enter__)
        except OracleOpenError:
            return None
        return context

    def end(self, context, kind):
        error = {"good": None, "failed": ValueError(), "given up": KeyboardInterrupt()}[kind]
        context.run(self.breaker.__exit__, type(error) if error else None, error, None)


steps = st.lists(
    st.one_of(
        st.just(("begin",)),
        st.tuples(st.just("end"), st.integers(0, 5), st.sampled_from(["good", "failed", "failed", "given up"])),
        st.tuples(st.just("wait"), st.integers(1, 8)),
        st.tuples(st.just("order"), st.sampled_from(["forced_open", "disabled", "closed"])),
    ),
    max_size=80,
)
policies = st.builds(
    Breaker,
    window=st.sampled_from(["count", "time"]),
    window_size=st.integers(4, 8),
    minimum_calls=st.integers(1, 4),
    failure_rate=st.sampled_from([20.0, 50.0, 75.0, 100.0]),
    slow_call=st.just(2.2),  # no sum of steps: at the very threshold resilience4j says fast, interlock-cb slow
    slow_call_rate=st.sampled_from([50.0, 100.0]),
    open_for=st.sampled_from([0.5, 2.0, 4.0]),
    half_open_calls=st.integers(1, 3),
    max_half_open=st.just(1e9),  # interlock-cb has none
)


@given(policies, steps)
@settings(max_examples=300, deadline=None)
def test_any_trace_of_calls_gives_the_same_states_as_another_implementation(policy, trace):
    now = [0.0]
    mine = CircuitBreaker("shop", policy, lambda change: None, lambda: now[0])
    other = OracleCalls(policy, lambda: now[0])
    under_way = []
    for step in trace:
        if step[0] == "begin":
            context = other.begin()
            try:
                permit = mine.acquire()
            except CircuitOpenError:
                permit = None
            assert (permit is None) == (context is None), "one lets the call through, the other refuses it"
            if permit is not None:
                under_way.append((permit, context, now[0]))
        elif step[0] == "end" and under_way:
            permit, context, begun = under_way.pop(step[1] % len(under_way))
            other.end(context, step[2])
            if step[2] == "given up":
                permit.release()
            else:
                permit.record(failed=step[2] == "failed", seconds=now[0] - begun)
        elif step[0] == "wait":
            now[0] += step[1] / 4
        elif step[0] == "order":
            mine.force(BreakerState(step[1]))
            {"forced_open": other.breaker.force_open, "disabled": other.breaker.disable, "closed": other.breaker.reset}[
                step[1]
            ]()
        assert mine.state == other.breaker.state


CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN
LEGAL = {(CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, OPEN), (HALF_OPEN, CLOSED)}


class Ticking:
    """A clock that moves a millisecond whenever somebody looks."""

    def __init__(self):
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self._now += 1
            return self._now / 1000


def test_eight_threads_make_no_illegal_change_and_never_more_trials_than_permitted():
    changes, trials = [], []
    breaker = CircuitBreaker(
        "shop",
        Breaker(minimum_calls=5, window_size=20, open_for=0.05, half_open_calls=3, max_half_open=1e9),
        lambda change: None,
        Ticking(),
    )
    move = breaker._to

    def noted(state, *arguments, **options):  # under the breaker's lock: the order is the true one
        changes.append((breaker.state, state))
        move(state, *arguments, **options)

    breaker._to = noted

    def hammer(seed):
        for number in range(3_000):
            try:
                permit = breaker.acquire()
            except CircuitOpenError:
                continue
            trials.append(breaker._trials)
            if number % 17 == 0:
                permit.release()
            else:
                permit.record(failed=(number * seed) % 3 == 0, seconds=0)

    threads = [threading.Thread(target=hammer, args=(seed,)) for seed in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(changes) <= LEGAL
    assert len(changes) > 50
    assert all(before == after for (_, before), (after, _) in pairwise(changes)), "each change begins where one ended"
    assert max(trials) <= 3
