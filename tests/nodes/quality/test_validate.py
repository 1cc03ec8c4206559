"""The rules of the node Validate."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.quality.validate import Validate


class Log(SimpleNamespace):
    """The run context, as far as Validate uses it."""

    def log(self, level: str, message: str, **facts: Any) -> None:
        self.lines.append((level, message, facts))


def check(
    rules: list[dict[str, Any]], *batches: pa.RecordBatch
) -> tuple[list[dict], list[dict], list[sdk.Problem], list]:
    """Rows that pass, rows that do not, their problems, and the log."""
    node = Validate(Validate.Config(rules=rules))
    context = Log(lines=[])
    out, bad, problems = [], [], []
    list(node.start(batches[0].schema, context))
    for batch in batches:
        for emission in node.process(batch, context):
            if isinstance(emission, sdk.Rejected):
                bad += emission.rows.to_pylist()
                problems += emission.problems
                assert emission.rows.num_rows == len(emission.problems)
            else:
                out += emission.to_pylist()
    list(node.finish(context))
    return out, bad, problems, context.lines


@pytest.mark.parametrize(
    ("rule", "passing", "breaking"),
    [
        ({"rule": "not_null"}, [1, 0], [None]),
        ({"rule": "range", "min": 1}, [1, 2, None], [0]),
        ({"rule": "range", "max": 1}, [1, -2, None], [2]),
        ({"rule": "range", "min": 1, "max": 2.5}, [1.0, 2.5, None], [0.9, 2.6, float("nan")]),
        ({"rule": "range", "min": 1, "max": 5}, ["1", "4.5", None], ["0", "many", ""]),
        ({"rule": "range", "min": "b", "max": "d"}, ["b", "cc", None], ["a", "dd"]),
        (
            {"rule": "range", "min": "2024-01-01"},
            [dt.date(2024, 1, 1), None],
            [dt.date(2023, 12, 31)],
        ),
        ({"rule": "regex", "pattern": "[A-Z]{3}"}, ["ABC", None], ["ABCD", "abc", ""]),
        ({"rule": "regex", "pattern": "1.*"}, [1, 12], [2]),
        ({"rule": "in_list", "values": ["a", "it's"]}, ["a", "it's", None], ["b", ""]),
        ({"rule": "in_list", "values": [1, 2]}, [1, 2, None], [3]),
        ({"rule": "in_list", "values": [1, 2.5]}, [1.0, 2.5], [3.0]),
        ({"rule": "in_list", "values": [1, 2]}, ["1", "2"], ["3"]),
        ({"rule": "in_list", "values": [True]}, [True, None], [False]),
        ({"rule": "unique"}, ["a", "b", None, None], ["a"]),
        ({"rule": "expression", "expression": "x > 1"}, [2, None], [1]),
        ({"rule": "expression", "expression": "10 // x > 1"}, [2, None], [0, 10]),
        ({"rule": "expression", "expression": "CAST(x AS INTEGER) > 1 -- a comment"}, ["2"], ["1", "ten"]),
    ],
)
def test_each_rule_lets_good_values_pass_and_rejects_the_others(rule, passing, breaking):
    batch = pa.record_batch({"n": list(range(len(passing + breaking))), "x": passing + breaking})
    out, bad, problems, _ = check([{"column": "x", **rule}], batch)
    assert [row["n"] for row in out] == list(range(len(passing)))
    assert [row["n"] for row in bad] == list(range(len(passing), len(passing) + len(breaking)))
    assert {problem.type for problem in problems} == {rule["rule"]}


def test_the_problem_tells_rule_column_and_value():
    _, _, [problem], _ = check(
        [{"column": "price", "rule": "range", "min": 0, "max": 9}], pa.record_batch({"price": [12]})
    )
    assert (problem.type, problem.column, problem.value) == ("range", "price", 12)
    assert problem.message == 'The column "price" must be at least 0 and at most 9, but is "12".'


def test_a_row_that_breaks_several_rules_is_rejected_once_with_all_of_them():
    rules = [{"column": "id", "rule": "not_null"}, {"column": "price", "rule": "range", "min": 0}]
    out, bad, [problem], _ = check(rules, pa.record_batch({"id": [1, None], "price": [1, -1]}))
    assert (len(out), len(bad)) == (1, 1)
    assert problem.type == "not_null"
    assert problem.message == ('The column "id" must not be empty. The column "price" must be at least 0, but is "-1".')


def test_unique_looks_across_the_batches_of_a_run():
    batches = [pa.record_batch({"id": ids}) for ids in ([1, 2], [3, 2], [4, 4, 1])]
    out, bad, _, _ = check([{"column": "id", "rule": "unique"}], *batches)
    assert [row["id"] for row in out] == [1, 2, 3, 4]
    assert [row["id"] for row in bad] == [2, 4, 1]


def test_a_warning_lets_rows_pass_and_is_told_once_with_their_number():
    rule = {"column": "price", "rule": "range", "min": 0, "severity": "warn"}
    out, bad, _, log = check([rule], pa.record_batch({"price": [1, -1]}), pa.record_batch({"price": [-2, -3]}))
    assert (len(out), bad) == (4, [])
    assert log == [
        ("warning", '3 rows break the rule range of "price": the column "price" must be at least 0.', {"rows": 3})
    ]


def test_stop_ends_the_run_and_names_the_row():
    rule = {"column": "price", "rule": "range", "min": 0, "severity": "stop"}
    with pytest.raises(PermanentError) as caught:
        check([rule], pa.record_batch({"price": [1, 2]}), pa.record_batch({"price": [3, -1]}))
    assert (caught.value.row, caught.value.column, caught.value.value) == (4, "price", -1)
    assert "must be at least 0" in str(caught.value)


def test_two_expressions_that_fail_in_the_same_place_reject_the_row():
    rules = [{"rule": "expression", "expression": f"CAST(x AS INTEGER) > {least}"} for least in (0, 1)]
    out, bad, _, _ = check(rules, pa.record_batch({"x": ["5", "no", "1"]}))
    assert (out, bad) == ([{"x": "5"}], [{"x": "no"}, {"x": "1"}])


def test_no_rows_pass_as_they_are():
    out, bad, _, _ = check([{"column": "x", "rule": "not_null"}], pa.record_batch({"x": pa.array([], pa.int64())}))
    assert (out, bad) == ([], [])


def test_what_the_rules_remember_goes_on_in_a_resumed_run():
    rules = [{"column": "id", "rule": "unique"}, {"column": "price", "rule": "range", "min": 0, "severity": "warn"}]
    before, after = (Validate(Validate.Config(rules=rules)) for _ in range(2))
    snapshots = []
    log = Log(lines=[])
    schema = pa.schema({"id": pa.int64(), "price": pa.int64()})
    list(before.start(schema, log))
    for ids, prices in (([1, 2], [-1, 1]), ([3], [-1])):
        list(before.process(pa.record_batch([ids, prices], schema=schema), log))
        snapshots.append(before.snapshot())

    after.restore(snapshots)
    list(after.start(schema, log))
    out, rejected = after.process(pa.record_batch([[3, 4, 1], [1, -1, 1]], schema=schema), log)
    list(after.finish(log))
    assert out.column("id").to_pylist() == [4]
    assert rejected.rows.column("id").to_pylist() == [3, 1]
    assert [facts["rows"] for _, _, facts in log.lines] == [3]
    assert len(after.snapshot()) < len(snapshots[0]) + 100  # only what is new


def test_only_rules_that_reject_row_by_row_hold_nothing():
    for rule, holds in (("not_null", False), ("unique", True)):
        assert Validate(Validate.Config(rules=[{"column": "id", "rule": rule}])).holds_rows is holds
    for severity in ("warn", "stop"):
        rule = {"column": "id", "rule": "not_null", "severity": severity}
        assert Validate(Validate.Config(rules=[rule])).holds_rows


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"column": "x", "rule": "range"}, "The rule range needs min or max."),
        ({"column": "x", "rule": "range", "min": 3, "max": 1}, "The smallest value 3 is above the largest one 1."),
        ({"column": "x", "rule": "range", "min": 3, "max": "9"}, "must both be numbers"),
        ({"column": "x", "rule": "regex"}, "The rule regex needs pattern."),
        ({"column": "x", "rule": "regex", "pattern": "["}, '"[" is no regular expression'),
        ({"column": "x", "rule": "in_list", "values": []}, "The rule in_list needs values."),
        ({"rule": "expression"}, "The rule expression needs expression."),
        ({"rule": "not_null"}, "The rule not_null needs a column."),
        ({"column": "x", "rule": "not_null", "min": 1}, "The rule not_null has no setting min."),
        ({"column": "x", "rule": "nonsense"}, "Input should be 'not_null', 'range'"),
    ],
)
def test_a_rule_that_is_not_complete_is_refused_before_the_run(rule, words):
    with pytest.raises(ValidationError) as caught:
        Validate.Config(rules=[rule])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"column": "y", "rule": "not_null"}, 'There is no column "y" (setting rules)'),
        ({"rule": "expression", "expression": "y > 1"}, 'Referenced column "y" not found'),
        ({"rule": "expression", "expression": "x >"}, "syntax error"),
        ({"column": "x", "rule": "in_list", "values": ["many"]}, "does not work here"),
        ({"column": "x", "rule": "range", "min": "many"}, "does not work here"),
    ],
)
def test_a_rule_that_does_not_fit_the_columns_is_named(rule, words):
    with pytest.raises(PermanentError) as caught:
        check([rule], pa.record_batch({"x": [1]}))
    assert words in str(caught.value)
