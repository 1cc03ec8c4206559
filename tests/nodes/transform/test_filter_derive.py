"""Filter and Derive."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.transform.derive import Derive
from etl_studio.nodes.transform.filter import Filter


def test_filter_keeps_the_rows_for_which_the_condition_is_true(row_wise):
    out, rejected = row_wise(Filter, {"where": "price > 10"}, price=[5, 20, None, 11])
    assert (out, rejected) == ({"price": [20, 11]}, [])


def test_filter_takes_a_comment_and_several_lines(row_wise):
    out, _ = row_wise(
        Filter, {"where": "price > 1 -- not the free ones\nAND price < 5 -- nor the dear ones"}, price=[1, 2, 9]
    )
    assert out == {"price": [2]}


def test_filter_names_a_column_that_is_not_there(row_wise):
    with pytest.raises(PermanentError, match=r'There is no column "prise".*Did you mean "price"'):
        row_wise(Filter, {"where": "prise > 1"}, price=[1])


def test_filter_tells_where_the_condition_is_wrong(row_wise):
    with pytest.raises(PermanentError, match=r'Syntax error at "10" \(position 9 of: price > > 10\)|Syntax error at'):
        row_wise(Filter, {"where": "price > > 10"}, price=[1])


def test_filter_does_not_let_a_condition_leave_its_brackets(row_wise):
    with pytest.raises(PermanentError, match="Write one SELECT"):
        row_wise(Filter, {"where": "true); SELECT (1"}, price=[1])


def test_filter_rejects_a_row_on_which_the_condition_cannot_be_computed(row_wise):
    out, [rejected] = row_wise(Filter, {"where": "100 // n > 10"}, n=[1, 0, 50, None])
    assert (out, rejected.rows.to_pydict()) == ({"n": [1]}, {"n": [0]})
    assert rejected.problems[0].type == "division_by_zero"


def test_filter_needs_a_condition():
    with pytest.raises(ValidationError):
        Filter.Config(where="")


def test_filter_that_compares_text_with_a_number_rejects_the_text_that_is_none(row_wise):
    out, [rejected] = row_wise(
        Filter, {"where": "CAST(price AS DOUBLE) > 10 OR name = 'x'"}, price=["20", "dear"], name=["a", "b"]
    )
    assert out == {"price": ["20"], "name": ["a"]}
    assert rejected.problems[0].message == '"dear" in the column "price" is no number.'


def test_derive_adds_a_column_at_the_end(row_wise):
    out, rejected = row_wise(Derive, {"columns": {"total": "price * quantity"}}, price=[2, 3], quantity=[10, None])
    assert (out, rejected) == ({"price": [2, 3], "quantity": [10, None], "total": [20, None]}, [])
    assert list(out) == ["price", "quantity", "total"]


def test_derive_replaces_a_column_in_place(row_wise):
    out, _ = row_wise(Derive, {"columns": {"name": "upper(name)"}}, name=["a"], n=[1])
    assert list(out.items()) == [("name", ["A"]), ("n", [1])]


def test_derive_uses_earlier_columns_also_replaced_ones(row_wise):
    columns = {"net": "price * 2", "gross": "net + 1", "price": "gross * 10", "again": "price + gross"}
    out, _ = row_wise(Derive, {"columns": columns}, price=[1, 2])
    assert out == {"price": [30, 50], "net": [2, 4], "gross": [3, 5], "again": [33, 55]}


def test_derive_takes_names_with_spaces_and_quotes(row_wise):
    out, _ = row_wise(Derive, {"columns": {'the "net" price': "price + 1", "price": "0"}}, price=[1])
    assert out == {"price": [0], 'the "net" price': [2]}


def test_derive_rejects_rows_with_the_columns_they_came_with(row_wise):
    columns = {"share": "100 // n", "level": "CAST(t AS INTEGER) + share"}
    out, [rejected] = row_wise(Derive, {"columns": columns}, n=[1, 0, 2, 4], t=["1", "2", "many", "3"])
    assert out == {"n": [1, 4], "t": ["1", "3"], "share": [100, 25], "level": [101, 28]}
    assert rejected.rows.to_pydict() == {"n": [0, 2], "t": ["2", "many"]}
    assert [problem.type for problem in rejected.problems] == ["division_by_zero", "cast"]


def test_derive_takes_a_random_number_and_still_rejects_the_rows_on_which_another_column_fails(row_wise):
    columns = {"drawn": "random()", "share": "100 // n"}

    out, [rejected] = row_wise(Derive, {"columns": columns}, n=[1, 0, 50])

    assert (out["n"], out["share"], rejected.rows.to_pydict()) == ([1, 50], [100, 2], {"n": [0]})
    assert all(0 <= number < 1 for number in out["drawn"])


def test_derive_refuses_an_aggregate(row_wise):
    with pytest.raises(PermanentError):
        row_wise(Derive, {"columns": {"total": "sum(price"}}, price=[1])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.one_of(st.integers(-2, 2), st.none()), max_size=50))
def test_every_row_is_kept_filtered_or_rejected(row_wise, values):
    import pyarrow as pa

    column = pa.array(values, pa.int64())
    out, rejected = row_wise(Filter, {"where": "6 // n > 0"}, n=column)
    bad = [number for part in rejected for number in part.rows.column("n").to_pylist()]
    assert out["n"] == [number for number in values if number is not None and number > 0]
    assert bad == [number for number in values if number == 0]
    derived, rejected = row_wise(Derive, {"columns": {"d": "6 // n", "e": "d % n"}}, n=column)
    assert derived["n"] == [number for number in values if number != 0]
    assert len(values) == len(derived["n"]) + sum(part.rows.num_rows for part in rejected)
