"""The error budget of a node: how many rows may fail until its run stops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl_studio.engine.error_budget import check_number, check_share
from etl_studio.engine.events import DeadLettered, RunStatus
from etl_studio.engine.meter import Meter
from etl_studio.errors import PermanentError
from etl_studio.sdk import ErrorBudget
from tests.engine.small_nodes import Bench, committed


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def metered(rejected=0, dead_letters=0, skipped=0):
    meter = Meter()
    meter.rejected, meter.dead_letters, meter.skipped = rejected, dead_letters, skipped
    return meter


def exceeded(check, *arguments):
    try:
        check(*arguments)
    except PermanentError:
        return True
    return False


@given(*[st.integers(0, 50)] * 3, st.integers(0, 120))
def test_as_many_rows_may_fail_as_the_budget_says_and_not_one_more(rejected, dead_letters, skipped, allowed):
    meter = metered(rejected, dead_letters, skipped)

    assert exceeded(check_number, ErrorBudget(rows=allowed), meter) == (rejected + dead_letters + skipped > allowed)


@given(st.integers(0, 400), st.integers(1, 400), st.integers(0, 100), st.integers(1, 200))
def test_a_share_is_judged_exactly_and_only_when_enough_rows_were_seen(failed, seen, percent, minimum):
    budget = ErrorBudget(percent=percent, minimum=minimum)

    assert exceeded(check_share, budget, metered(rejected=failed), seen) == (
        seen >= minimum and failed * 100 > percent * seen
    )


def test_without_limits_nothing_is_judged():
    budget = ErrorBudget(rows=None, percent=100)

    assert not exceeded(check_number, budget, metered(rejected=10**6))
    assert not exceeded(check_share, budget, metered(rejected=10**6), 10**6)


def test_the_error_says_how_many_failed_and_how_many_may():
    with pytest.raises(PermanentError, match="used up: 3 rows failed, at most 2 may"):
        check_number(ErrorBudget(rows=2), metered(rejected=1, dead_letters=1, skipped=1))
    with pytest.raises(PermanentError, match="used up: 1 row failed, at most 0 may"):
        check_number(ErrorBudget(rows=0), metered(skipped=1))
    with pytest.raises(PermanentError, match=r"used up: 1,300 of 20,000 rows failed \(6.5 %\), at most 5 % may"):
        check_share(ErrorBudget(percent=5), metered(rejected=1300), 20_000)


@pytest.mark.parametrize(
    "judge",
    [
        lambda: check_number(ErrorBudget(rows=0), metered(skipped=1)),
        lambda: check_share(ErrorBudget(minimum=1), metered(skipped=1), 1),
    ],
)
def test_the_error_says_what_to_do(judge):
    with pytest.raises(PermanentError) as told:
        judge()

    assert told.value.hint == (
        "Look at the dead letters and the rejects, mend what they tell, or raise the budget in the policy."
    )


def odd_numbers(bench, batches, size, policy):
    bench.node("read", "numbers_source", batches=batches, size=size)
    bench.node("even", "even", policy).node("save", "collect_sink")
    return bench.wire("read -> even").wire("even -> save").run().execute()


def test_a_run_within_its_budget_ends_well(bench):
    ended = odd_numbers(bench, 5, 4, {"budget": {"rows": 10, "percent": 50}})

    assert ended.status is RunStatus.DONE_WITH_DEAD_LETTERS
    assert ended.dead_letters == 10


@pytest.mark.parametrize("on_error", ["dead_letter", "skip", "reject"])
def test_one_row_beyond_the_budget_stops_the_run_and_nothing_is_loaded(bench, on_error):
    ended = odd_numbers(bench, 5, 4, {"on_error": on_error, "budget": {"rows": 9, "percent": 100}})

    assert ended.status is RunStatus.FAILED
    assert ended.error_node == "even"
    assert "10 rows failed, at most 9 may" in ended.error
    assert committed() == []


def test_the_rows_that_used_it_up_are_kept(bench):
    odd_numbers(bench, 5, 4, {"budget": {"rows": 3, "percent": 100}})

    assert [letter.payload["n"] for letter in bench.of(DeadLettered)] == [1, 3, 5, 7]


def test_a_share_is_not_judged_before_the_minimum_of_rows(bench):
    few = {"budget": {"percent": 10, "minimum": 21}}
    assert odd_numbers(bench, 5, 4, few).status is RunStatus.DONE_WITH_DEAD_LETTERS


def test_a_share_beyond_the_budget_stops_the_run(bench):
    ended = odd_numbers(bench, 5, 4, {"budget": {"percent": 49, "minimum": 20}})

    assert "10 of 20 rows failed (50 %), at most 49 % may" in ended.error


def test_the_rejects_of_a_source_are_judged_with_the_good_rows_that_came_with_them(bench):
    bench.node("read", "spotted_source", {"budget": {"percent": 20, "minimum": 1}}, good=80, bad=20)
    bench.node("save", "collect_sink").wire("read -> save")

    assert bench.run().execute().status is RunStatus.DONE_WITH_DEAD_LETTERS


def test_a_source_that_reads_too_many_bad_rows_stops_at_its_end_at_the_latest(bench):
    bench.node("read", "spotted_source", {"budget": {"percent": 20, "minimum": 1}}, good=79, bad=20)
    bench.node("save", "collect_sink").wire("read -> save")

    assert "20 of 99 rows failed" in bench.run().execute().error
