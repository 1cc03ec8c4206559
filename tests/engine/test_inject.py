"""Fault injection: the same seed gives the same faults, the policies deal with them, and the report is true."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio.demo import DemoSite
from etl_studio.engine.events import DeadLettered, RunStatus
from etl_studio.engine.inject import FAULT_KINDS, Injection, Injector, NodeFaults
from etl_studio.engine.plan import make_plan
from etl_studio.errors import DeadlineError, EtlError, PermanentError, TransientError, UsageError
from etl_studio.sdk import Rejected
from tests.engine.small_nodes import REGISTRY, Bench, batch, committed

FAST = {"retry": {"attempts": 60, "delay": 0, "max_delay": 0}, "breaker": {"open_for": 0.01}}
STORAGE = {"busy": lambda: TransientError("Locked."), "disk_full": lambda: PermanentError("Full.")}
WEB = ("too_many_requests", "unavailable", "reset", "timeout")


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.node("read", "numbers_source", FAST, batches=20, size=50).node("ask", "even", {**FAST, "on_error": "skip"})
    return bench.node("save", "collect_sink", FAST).wire("read -> ask").wire("ask -> save")


def injector(bench, seed=1, rate=0.5, **options):
    specs = {node.id: (node.config, node.policy) for node in bench.pipeline.nodes.values()}
    return Injector(Injection(seed, rate, **options), make_plan(bench.pipeline, REGISTRY, specs), STORAGE)


def strikes(faults, node, target, count=200):
    """The errors of so many attempts, as texts; empty where one went through."""
    found = []
    for _ in range(count):
        try:
            faults.strike(node, target)
        except EtlError as error:
            found.append(f"{type(error).__name__} {error}")
        else:
            found.append("")
    return found


def test_the_same_seed_gives_the_same_faults_and_another_one_others(bench):
    first = strikes(injector(bench), "read", "shop")

    assert strikes(injector(bench), "read", "shop") == first
    assert strikes(injector(bench, seed=2), "read", "shop") != first


def test_what_other_nodes_do_changes_nothing(bench):
    faults = injector(bench)
    strikes(faults, "save", "", 7)

    assert strikes(faults, "read", "shop") == strikes(injector(bench), "read", "shop")


@pytest.mark.parametrize("rate", [0.0, 0.2, 1.0])
def test_as_many_attempts_fail_as_the_rate_says(bench, rate):
    failed = sum(map(bool, strikes(injector(bench, rate=rate), "read", "shop", 2000)))

    assert failed == pytest.approx(2000 * rate, abs=60 if 0 < rate < 1 else 0)


def test_a_host_fails_as_hosts_do(bench):
    found = set(strikes(injector(bench, rate=1), "read", "shop"))

    assert found == {
        "TransientError shop answered 429 Too Many Requests (injected).",
        "TransientError shop answered 503 Service Unavailable (injected).",
        "TransientError The connection to shop broke off (injected).",
        "DeadlineError shop did not answer in time (injected).",
    }
    with pytest.raises(TransientError) as told:
        injector(bench, rate=1, kinds=("too_many_requests",)).strike("read", "shop")
    assert (told.value.status, told.value.retry_after) == (429, 0.2)


def test_a_sink_fails_as_its_database_does_and_a_transform_takes_too_long(bench):
    assert set(strikes(injector(bench, rate=1), "save", "")) == {"TransientError Locked."}
    assert set(strikes(injector(bench, rate=1, kinds=FAULT_KINDS), "save", "")) == {
        "TransientError Locked.",
        "PermanentError Full.",
    }
    with pytest.raises(DeadlineError):
        injector(bench, rate=1).strike("ask", "")
    assert set(strikes(injector(bench, rate=1), "read", "")) == {""}, "reading a file is no call"


def test_only_the_chosen_nodes_and_kinds_fail(bench):
    faults = injector(bench, rate=1, nodes=("save",), kinds=("busy",))

    assert set(strikes(faults, "ask", "")) == {""}
    assert set(strikes(faults, "save", "")) == {"TransientError Locked."}
    assert list(faults.spoil("read", [one := batch(1, 2)])) == [one]


def test_a_node_that_is_not_there_and_no_fault_at_all_are_refused(bench):
    with pytest.raises(UsageError, match='no node "sve"'):
        injector(bench, nodes=("sve",))
    with pytest.raises(UsageError, match="no fault"):
        injector(bench, kinds=())


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 9), st.sampled_from([0.05, 0.5, 1.0]))
@settings(deadline=None)
def test_malformed_rows_are_taken_out_and_none_is_lost_or_doubled(sizes, seed, rate):
    bench = Bench(None)
    bench.node("read", "numbers_source")
    faults = injector(bench, seed=seed, rate=rate)
    numbers = iter(range(sum(sizes)))
    given_out = [batch(*[next(numbers) for _ in range(size)]) for size in sizes]

    good, bad = [], []
    for emission in faults.spoil("read", given_out):
        if isinstance(emission, Rejected):
            assert len(emission.problems) == emission.rows.num_rows
            bad += emission.rows.column("n").to_pylist()
        else:
            good += emission.column("n").to_pylist()

    assert sorted(good + bad) == list(range(sum(sizes)))
    assert good == sorted(good)
    assert bad == sorted(bad)


def test_the_share_of_malformed_rows_is_a_twentieth_of_the_rate_however_the_rows_are_cut(bench):
    def spoilt(size):
        cut = [batch(*range(start, start + size)) for start in range(0, 20_000, size)]
        rejected = [one for one in injector(bench, rate=0.4).spoil("read", cut) if isinstance(one, Rejected)]
        return [number for one in rejected for number in one.rows.column("n").to_pylist()]

    assert len(spoilt(1000)) == pytest.approx(400, abs=60)
    assert spoilt(1000) == spoilt(8)


def run(bench, **options):
    faults = injector(bench, **options)
    run = bench.run(faults=faults)
    run._listeners += (faults,)
    ended = run.execute()
    return ended, faults.report(ended)


def test_a_run_with_faults_loses_nothing_and_its_report_is_true(bench):
    ended, report = run(bench, rate=0.4)

    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS
    malformed = [letter.payload["n"] for letter in bench.of(DeadLettered)]
    assert malformed
    assert committed() == [number for number in range(0, 1000, 2) if number not in malformed]
    assert report.lost == 0
    read, ask, save = (report.nodes[node] for node in ("read", "ask", "save"))
    assert read.injected == {"malformed_rows": len(malformed)} == {"malformed_rows": read.dead_letters}
    assert ask.injected == {"timeout": ask.retries}
    assert save.injected == {"busy": save.retries}
    assert ask.attempts - ask.retries == 20
    assert report.amplification == max(ask.amplification, save.amplification) > 1
    assert report.injected == len(malformed) + ask.retries + save.retries
    assert report.summary.startswith(f"{report.injected:,} faults injected (seed 1): 0 rows lost; at most ")


def test_the_same_seed_gives_the_same_run(tmp_path):
    reports = []
    for _ in range(2):
        bench = Bench(tmp_path)
        bench.node("read", "numbers_source", FAST).node("save", "collect_sink", FAST).wire("read -> save")
        reports.append(run(bench, seed=11, rate=0.3)[1])

    assert reports[0] == reports[1]


def test_a_full_disk_ends_the_run_and_nothing_is_loaded(bench):
    ended, report = run(bench, rate=1, kinds=("disk_full",))

    assert ended.status is RunStatus.FAILED
    assert "Full." in ended.error
    assert committed() == []
    assert report.lost is None
    assert "did not end well" in report.summary


def test_openings_of_breakers_and_refused_calls_are_counted(tmp_path):
    bench = Bench(tmp_path)
    with DemoSite() as site:
        patient = {"retry": {**FAST["retry"], "budget": 10_000}, "breaker": FAST["breaker"]}
        bench.node("read", "pages_source", patient, urls=[site.url] * 30)
        bench.node("save", "collect_sink").wire("read -> save")
        _, report = run(bench, rate=0.6, kinds=WEB, nodes=("read",))

    pages = report.nodes["read"]
    assert sum(pages.injected.values()) == pages.retries
    assert pages.openings > 0
    assert pages.refused > 0
    assert len(site.requests) == 30, "what a fault takes away has not been sent"


def test_a_node_without_calls_amplifies_nothing():
    assert NodeFaults({}, 0, 0, 0, 0, 0, 0, 0, 0).amplification == 1.0
