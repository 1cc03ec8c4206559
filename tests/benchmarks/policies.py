"""What policies cost: microseconds per call, and how long a wait goes on after Stop.

``python tests/benchmarks/policies.py`` prints a table. CPU time per call, best of five; wall time of waits.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from etl_studio.demo import DemoSite
from etl_studio.engine.breaker import CircuitBreaker
from etl_studio.engine.context import NodeContext, Places
from etl_studio.engine.http import HttpService
from etl_studio.engine.meter import Meter
from etl_studio.engine.policies import PolicyCaller
from etl_studio.engine.rate_limit import RateLimiter
from etl_studio.engine.shared_policies import SharedPolicies
from etl_studio.errors import Cancelled, CircuitOpenError, TransientError
from etl_studio.sdk import Breaker, HttpRequest, Policy, RateLimit, Retry

CALLS = 50_000
STOPS = 20


def per_call(work):
    """CPU microseconds, best of five."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for _ in range(CALLS):
            work()
        best = min(best, time.process_time() - began)
    return best / CALLS * 1e6


def admitted(**policy):
    breaker = CircuitBreaker("shop", Breaker(**policy), lambda change: None)
    return lambda: breaker.acquire().record(failed=False, seconds=0.001)


def refused():
    breaker = CircuitBreaker("shop", Breaker(minimum_calls=1, open_for=3600), lambda change: None)
    breaker.acquire().record(failed=True, seconds=0)

    def ask():
        try:
            breaker.acquire()
        except CircuitOpenError:
            return

    return ask


def caller(policy, stopping):
    return PolicyCaller("run", "node", policy, SharedPolicies(), Meter(), lambda event: None, stopping)


def whole_policy(policy):
    one = caller(policy, threading.Event())
    return lambda: one.call(int, target="shop")


def stop_latency(wait, stopping):
    """Milliseconds from Stop until ``wait`` has ended: median and worst."""
    seconds = []
    for _ in range(STOPS):
        stopping.clear()
        ended = []

        def work(ended=ended):
            try:
                wait()
            except Cancelled:
                ended.append(time.perf_counter())

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1)
        asked = time.perf_counter()
        stopping.set()
        thread.join()
        seconds.append(ended[0] - asked)
    seconds.sort()
    return f"{seconds[len(seconds) // 2] * 1e3:6.2f} {seconds[-1] * 1e3:6.2f}"


def down():
    raise TransientError("Down.")


def main():
    limiter = RateLimiter(RateLimit(calls=1e9))
    print(f"{'CPU microseconds per call':44}")
    for name, work in (
        ("breaker, closed, count window of 10", admitted()),
        ("breaker, closed, count window of 10,000", admitted(window_size=10_000)),
        ("breaker, closed, time window of 60 s", admitted(window="time", window_size=60)),
        ("breaker, open: refused", refused()),
        ("rate limiter", limiter.reserve),
        ("retry(breaker(call)), nothing fails", whole_policy(Policy())),
        ("retry(breaker(rate limit(call)))", whole_policy(Policy(rate_limit=RateLimit(calls=1e9)))),
    ):
        print(f"  {name:42} {per_call(work):6.2f}")
    print(f"{'milliseconds until Stop has ended a wait':44} median  worst")
    stopping = threading.Event()
    retrying = caller(Policy(retry=Retry(delay=30, jitter=False), breaker=Breaker(enabled=False)), stopping)
    print(f"  {'a retry that waits 30 s':42} {stop_latency(lambda: retrying.call(down, target='shop'), stopping)}")
    breaking = Policy(retry=Retry(attempts=2, delay=0), breaker=Breaker(minimum_calls=1, open_for=3600))
    waiting = caller(breaking, stopping)
    print(f"  {'an open breaker':42} {stop_latency(lambda: waiting.call(down, target='shop'), stopping)}")
    with DemoSite() as site:
        service = HttpService()
        places = Places(Path(), Path(), Path())
        context = NodeContext(
            "run", "node", Policy(), caller(Policy(), stopping), places, None, lambda: service, stopping, print
        )
        hang = HttpRequest(f"{site.url}/?fault=hang")
        print(f"  {'a request that hangs':42} {stop_latency(lambda: context.http().send(hang), stopping)}")
        service.close()


if __name__ == "__main__":
    main()
