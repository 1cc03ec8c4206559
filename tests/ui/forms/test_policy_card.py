from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from etl_studio.sdk.policy import Breaker, ErrorBudget, Policy, Retry
from etl_studio.ui.forms.breaker_picture import cells, opening_failures
from etl_studio.ui.forms.field import InfoIcon
from etl_studio.ui.forms.fold import Fold
from etl_studio.ui.forms.policy_card import PolicyCard, minimal
from etl_studio.ui.forms.retry_timeline import breaker_sentence, budget_sentence, duration, retry_sentence
from etl_studio.ui.forms.worst_case import delays, total, worst_case


@pytest.fixture
def card(qtbot, document, context):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(360, 1400)
    card = PolicyCard(document, "everything", context, window)
    card.resize(340, 1400)
    with qtbot.waitExposed(window):
        window.show()
    yield card
    window.close()


def type_number(model_editor, key: str, text: str) -> None:
    line = model_editor.fields[key].editor.inner.line
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def policy_of(document):
    return document.pipeline.nodes["everything"].policy


def test_only_what_differs_from_the_defaults_is_written(document, card):
    type_number(card.retry, "attempts", "9")
    type_number(card.breaker, "open_for", "5")
    card.flush()

    assert policy_of(document) == {"retry": {"attempts": 9}}


def test_a_value_typed_back_to_its_default_is_taken_out(document, card):
    document.set_policy("everything", {"retry": {"attempts": 9}})
    type_number(card.retry, "attempts", str(Retry().attempts))
    card.flush()

    assert policy_of(document) == {}


def test_the_timeline_and_the_words_follow_while_typing(card):
    type_number(card.retry, "attempts", "3")
    type_number(card.retry, "delay", "2")

    assert card.timeline.waits == [2.0, 4.0]
    assert card.retry_words.text().startswith("3 attempts")
    assert not card.timeline.grab().isNull()


def test_a_rate_limit_is_added_and_taken_away(document, card):
    QTest.keyClick(card.rate_limit.box, Qt.Key.Key_Space)
    type_number(card.rate_limit.content, "calls", "3")
    card.flush()
    assert policy_of(document) == {"rate_limit": {"calls": 3.0}}

    QTest.keyClick(card.rate_limit.box, Qt.Key.Key_Space)
    assert policy_of(document) == {}


def test_reset_goes_back_to_the_defaults_and_undo_brings_it_back(document, card):
    document.set_policy("everything", {"retry": {"attempts": 9}, "timeout": 3.0})
    assert card.reset.isVisible()

    QTest.mouseClick(card.reset, Qt.MouseButton.LeftButton)
    assert policy_of(document) == {}
    assert not card.reset.isVisible()

    document.undo_stack.undo()
    assert card.retry.fields["attempts"].editor.value() == 9
    assert card.rest.fields["timeout"].editor.value() == 3.0


def test_a_disabled_breaker_says_so_and_greys_its_fields(document, card):
    QTest.keyClick(card.breaker.fields["enabled"].editor.inner.box, Qt.Key.Key_Space)

    assert policy_of(document) == {"breaker": {"enabled": False}}
    assert card.breaker_words.text().startswith("No breaker")
    assert not card.breaker.fields["open_for"].isEnabled()


def test_several_workers_keep_the_order_of_all_rows_or_of_those_with_the_same_key(document, card):
    assert not card.rest.fields["keep_order"].isEnabled()
    card.rest.findChild(Fold).unfold()
    type_number(card.rest, "workers", "4")
    assert card.rest.fields["keep_order"].isEnabled()

    line = card.rest.fields["partition_by"].editor.inner.line
    line.setFocus()
    QTest.keyClicks(line, "customer_id")
    QTest.keyClick(line, Qt.Key.Key_Return)
    card.flush()

    assert policy_of(document) == {"workers": 4, "partition_by": ["customer_id"]}
    assert not card.rest.fields["keep_order"].isEnabled()


def test_a_value_that_is_no_number_is_kept_and_complained_about(qtbot, document, card):
    type_number(card.retry, "attempts", "many")
    card.flush()

    assert policy_of(document) == {"retry": {"attempts": "many"}}
    qtbot.waitUntil(card.retry.fields["attempts"].problem.isVisible)


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [("fixed", [2.0, 2.0, 2.0]), ("linear", [2.0, 4.0, 5.0]), ("exponential", [2.0, 4.0, 5.0])],
)
def test_waits_grow_as_the_backoff_says_and_no_further_than_the_longest(backoff, waits):
    assert delays(Retry(attempts=4, backoff=backoff, delay=2, max_delay=5)) == waits


def test_the_time_limit_ends_the_attempts():
    assert delays(Retry(attempts=9, backoff="fixed", delay=2, max_elapsed=5)) == [2.0, 2.0]


def test_a_time_limit_that_is_reached_exactly_ends_the_attempts():
    assert delays(Retry(attempts=9, backoff="fixed", delay=2, max_elapsed=4)) == [2.0]


def kinds(policy, *, web=True):
    return " ".join(f"{step.kind} {step.seconds:g}" for step in worst_case(policy, web=web))


def test_at_worst_the_breaker_is_open_first_and_every_trial_runs_into_its_timeout():
    policy = Policy(retry=Retry(attempts=4, delay=1), breaker=Breaker(open_for=5, half_open_calls=2), timeout=10)

    assert kinds(policy) == "breaker 5 attempt 10 wait 1 attempt 10 wait 2 breaker 5 attempt 10 wait 4 attempt 10"
    assert total(worst_case(policy, web=True)) == 57


@pytest.mark.parametrize("breaker", [Breaker(enabled=False), Breaker(when_open="fail")])
def test_a_breaker_that_makes_nobody_wait_takes_no_time(breaker):
    assert kinds(Policy(retry=Retry(attempts=1), breaker=breaker, timeout=3)) == "attempt 3"


def test_work_in_this_process_waits_for_a_breaker_only_when_it_shares_one():
    assert kinds(Policy(retry=Retry(attempts=1), timeout=3), web=False) == "attempt 3"
    shared = Policy(retry=Retry(attempts=1), breaker=Breaker(name="api", open_for=2), timeout=3)
    assert kinds(shared, web=False) == "breaker 2 attempt 3"


def test_a_time_limit_counts_attempts_and_breaker_too():
    policy = Policy(retry=Retry(attempts=9, delay=1, max_elapsed=30), timeout=10, breaker=Breaker(enabled=False))

    assert kinds(policy) == "attempt 10 wait 1 attempt 10 wait 2 attempt 10"


def test_the_worst_case_is_told_in_words():
    policy = Policy(retry=Retry(attempts=3, delay=0.5), timeout=10)

    assert retry_sentence(policy, web=True) == (
        "3 attempts with at most 1.5 s of waiting between them. "
        "At worst 41.5 s: 10 s for each of 3 attempts, 1.5 s of waiting and 10 s for an open breaker."
    )
    assert retry_sentence(Policy(), web=False) == (
        "6 attempts with at most 15.5 s of waiting between them. An attempt has no timeout."
    )


def test_one_attempt_is_told_as_one():
    policy = Policy(retry=Retry(attempts=1), timeout=7)

    assert retry_sentence(policy, web=False) == "One attempt; nothing is tried again. At worst 7 s: the timeout."


@pytest.mark.parametrize(
    ("budget", "text"),
    [
        (None, "However many rows fail, the run goes on."),
        (ErrorBudget(percent=100), "However many rows fail, the run goes on."),
        (ErrorBudget(percent=5), "Stops the run when more than 5 % of at least 100 rows have failed."),
        (
            ErrorBudget(rows=1000, percent=2.5, minimum=10),
            "Stops the run when more than 1,000 rows or more than 2.5 % of at least 10 rows have failed.",
        ),
    ],
)
def test_the_error_budget_is_told_in_a_sentence(budget, text):
    assert budget_sentence(budget) == text


def test_an_error_budget_is_added_and_taken_away(document, card):
    QTest.keyClick(card.budget.box, Qt.Key.Key_Space)
    type_number(card.budget.content, "rows", "12")
    card.flush()
    assert policy_of(document) == {"budget": {"rows": 12}}
    assert card.budget_words.text().startswith("Stops the run when more than 12 rows or more than 5 %")

    QTest.keyClick(card.budget.box, Qt.Key.Key_Space)
    assert policy_of(document) == {}


def test_the_timeline_shows_the_worst_case_where_there_is_one(card):
    assert card.timeline.worst == []
    low = card.timeline.sizeHint().height()
    type_number(card.rest, "timeout", "4")

    assert card.timeline.sizeHint().height() > low
    assert total(card.timeline.worst, "attempt") == 24
    assert card.timeline.accessibleName() == "6 attempts, at worst 39.5 s"
    assert not card.timeline.grab().isNull()


def test_the_breaker_is_told_in_a_sentence():
    breaker = Breaker(window_size=20, minimum_calls=5, failure_rate=50, open_for=5, half_open_calls=2)

    assert breaker_sentence(breaker) == (
        "Opens when 50 % of at least 5 of the last 20 calls fail; waits 5 s; then 2 trial calls."
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "0.5 s"), (31.5, "31.5 s"), (60, "1 min"), (95, "1 min 35 s"), (5400, "1 h 30 min")]
)
def test_durations_are_told_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text


def test_minimal_keeps_unknown_keys():
    assert minimal({"mine": 1, "retry": {"attempts": Retry().attempts}}, Policy) == {"mine": 1}


@pytest.mark.parametrize(
    ("breaker", "failures", "drawn"),
    [
        (Breaker(), 3, (10, 5, 3)),
        (Breaker(window_size=100, minimum_calls=50, failure_rate=20), 10, (10, 5, 1)),
        (Breaker(window="time", window_size=60, minimum_calls=4), 2, (4, 4, 2)),
        (Breaker(minimum_calls=20, window_size=10), 10, (10, 10, 5)),
    ],
)
def test_the_picture_of_the_breaker_shows_how_many_failures_open_it(breaker, failures, drawn):
    assert opening_failures(breaker) == failures
    assert cells(breaker) == drawn


def test_the_picture_follows_what_is_typed_and_goes_with_the_breaker(card):
    assert card.picture.accessibleName() == "3 of 5 fail, then waits 5 s, then 2 trials, then closed"
    type_number(card.breaker, "open_for", "90")
    assert "waits 1 min 30 s" in card.picture.accessibleName()
    QTest.keyClick(card.breaker.fields["enabled"].editor.inner.box, Qt.Key.Key_Space)
    assert not card.picture.isVisible()


def test_the_help_of_a_setting_has_an_example(card):
    fields = card.rest.fields
    assert fields["partition_by"].findChild(InfoIcon).toolTip().endswith("\nExample: customer_id")
