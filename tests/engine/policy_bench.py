"""A node's policy on a bench: time that passes at once, and operations that fail as told."""

from __future__ import annotations

import threading

from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import TransientError
from etl_studio.sdk import Breaker

NO_BREAKER = Breaker(enabled=False)


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
    def __init__(self, policy, rng=lambda: 1.0, faults=None):
        self.time = FakeTime()
        self.events = []
        self.meter = Meter()
        self.shared = SharedPolicies(lambda: self.time.now, faults)
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
