"""SQL that is being typed, tried on a few rows."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from etl_studio.engine import expression_trial
from etl_studio.engine.expression_trial import Question, Trials
from etl_studio.engine.sql_functions import sql_functions

ROWS = {"input": pa.table({"price": [1.0, 2.0, None], "name": ["a", "3", "ü"]})}


@pytest.fixture
def trials():
    opened = Trials()
    yield opened
    opened.close()


def ask(trials, text, kind="row", **more):
    return trials.ask(Question(text, kind, ROWS, **more))


def test_an_expression_gives_a_value_for_each_row_and_its_type(trials):
    trial = ask(trials, "price * 2 -- twice")
    assert (trial.rows, trial.columns[0][1], trial.total) == ([(2.0,), (4.0,), (None,)], "number", 3)


def test_a_condition_tells_for_how_many_rows_it_is_true(trials):
    assert ask(trials, "price > 1").true == 1


def test_rows_on_which_it_fails_are_counted_and_the_others_have_their_values(trials):
    trial = ask(trials, "name::INTEGER")
    assert (trial.rows, trial.failed) == ([(None,), (3,), (None,)], 2)
    assert trial.why == '"a" in the column "name" is no integer.'


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("1 + prise", "prise", 'There is no column "prise". Did you mean "price"?'),
        ("'ü' || foo(name)", "foo(name)", 'There is no function "foo"'),
        ("upper(price, 1)", "upper(price, 1)", '"upper" does not work on number'),
    ],
)
def test_an_error_tells_where_in_the_text_it_is(trials, text, part, words):
    trial = ask(trials, text)
    assert text[trial.start : trial.end] == part
    assert trial.error.startswith(words)
    assert not trial.is_syntax


def test_a_text_that_is_not_complete_is_an_error_of_syntax(trials):
    assert ask(trials, "price >").is_syntax


def test_columns_that_are_set_above_are_there_also_where_they_fail(trials):
    trial = ask(trials, "price || total", sets=[("total", "name::INTEGER"), ("price", "upper(name)")])
    assert trial.rows == [(None,), ("33",), (None,)]


def test_a_measure_is_computed_for_each_group(trials):
    assert ask(trials, "count(*)", "group", by=["name"]).rows == [(1,), (1,), (1,)]
    assert ask(trials, "sum(price)", "group").rows == [(3.0,)]


def test_a_query_gives_rows_with_their_columns(trials):
    trial = ask(trials, "SELECT name, count(*) AS n FROM input GROUP BY name ORDER BY name", "query")
    assert trial.columns == [("name", "text"), ("n", "integer")]
    assert (trial.rows[0], trial.total) == (("3", 1), 3)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "query"),
        ("SELECT * FROM '/etc/passwd'", "query"),
        ("(SELECT count(*) FROM read_text('/etc/passwd'))", "row"),
        ("COPY input TO '/elsewhere/stolen.csv'", "query"),
        ("SET enable_external_access = true", "query"),
        ("INSTALL httpfs", "query"),
        ("SELECT 1; SELECT 2", "query"),
    ],
)
def test_nothing_outside_is_reached(trials, text, kind):
    assert ask(trials, text, kind).error


def test_what_takes_too_long_is_given_up(trials, monkeypatch):
    monkeypatch.setattr(expression_trial, "DEADLINE", 0.1)
    endless = "(SELECT count(*) FROM range(10000000000) a, range(10000000000) b)"
    assert ask(trials, endless).error == expression_trial.TOO_LONG
    assert ask(trials, "1").rows == [(1,), (1,), (1,)]


def test_another_thread_can_end_a_trial(trials):
    found = []
    endless = "(SELECT count(*) FROM range(10000000000) a, range(10000000000) b)"
    thread = threading.Thread(target=lambda: found.append(ask(trials, endless)))
    thread.start()
    while thread.is_alive():
        trials.interrupt()
        thread.join(0.05)
    assert found[0].error == expression_trial.TOO_LONG


def test_functions_are_known_by_name_with_their_help():
    known = {one.name: one for one in sql_functions()}
    assert known["strptime"].signature == "strptime(text, format)"
    assert known["strptime"].description.startswith("Converts the string text to timestamp")
    assert known["sum"].aggregates
    assert not known["upper"].aggregates
