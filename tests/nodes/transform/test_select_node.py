"""Select: pick, rename, convert."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.transform.select import Select


def test_columns_are_picked_in_the_order_asked_for(row_wise):
    out, _ = row_wise(Select, {"columns": ["c", "a"]}, a=[1], b=[2], c=[3])
    assert list(out.items()) == [("c", [3]), ("a", [1])]


def test_without_settings_everything_passes(row_wise):
    out, _ = row_wise(Select, {}, a=[1], b=[2])
    assert out == {"a": [1], "b": [2]}


def test_columns_are_renamed_in_place_and_may_change_names(row_wise):
    out, _ = row_wise(Select, {"rename": {"a": "b", "b": "a"}}, a=[1], b=[2])
    assert list(out.items()) == [("b", [1]), ("a", [2])]


def test_a_value_that_cannot_be_converted_rejects_its_row_and_names_column_and_value(row_wise):
    config = {"columns": ["id", "price"], "rename": {"price": "cost"}, "cast": {"price": "number", "id": "text"}}
    out, [rejected] = row_wise(Select, config, id=[1, 2, 3], price=["1.5", "dear", None])
    assert out == {"id": ["1", "3"], "cost": [1.5, None]}
    assert rejected.rows.to_pydict() == {"id": [2], "price": ["dear"]}
    [problem] = rejected.problems
    assert (problem.type, problem.column, problem.value) == ("cast", "price", "dear")
    assert problem.message == '"dear" in the column "price" is no number.'


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (
            {"columns": ["prise"]},
            'There is no column "prise" (setting columns). Did you mean "price"?',
        ),
        ({"rename": {"prise": "x"}}, "(setting rename)"),
        ({"cast": {"prise": "text"}}, "(setting cast)"),
        ({"columns": ["id"], "cast": {"price": "text"}}, "(setting cast)"),
        ({"rename": {"id": "price"}}, 'Two columns would be called "price"'),
        ({"rename": {"id": "Price"}}, 'Two columns would be called "Price"'),
    ],
)
def test_settings_that_do_not_fit_the_columns_are_refused(row_wise, config, words):
    with pytest.raises(PermanentError) as caught:
        row_wise(Select, config, id=[1], price=[2])
    assert words in str(caught.value)


def test_an_unknown_type_is_refused_before_the_run():
    with pytest.raises(ValidationError, match=r'no column type "nunber".*Did you mean "number"'):
        Select.Config(cast={"price": "nunber"})


def test_a_column_listed_twice_is_refused_before_the_run():
    with pytest.raises(ValidationError, match='"a" is listed twice'):
        Select.Config(columns=["a", "b", "a"])
