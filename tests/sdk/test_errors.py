from __future__ import annotations

import pickle

import pytest

from etl_studio import errors
from etl_studio.errors import CircuitOpenError, DeadlineError, EtlError, PermanentError, PipelineError, TransientError


def test_the_text_says_what_where_and_what_to_do():
    error = EtlError(
        "The value is no integer.",
        hint="Mend it.",
        pipeline="orders",
        node="read",
        line=3,
        row=2,
        column="qty",
        value="ten",
    )
    assert str(error) == 'orders > read: The value is no integer (line 3, row 2, column "qty", value "ten"). Mend it.'


def test_what_is_not_known_is_left_out():
    assert str(EtlError("It failed.")) == "It failed."


def test_a_long_value_is_cut():
    text = EtlError("x", value="v" * 200).details
    assert text.endswith('…"')
    assert len(text) < 100


def test_the_first_address_stays():
    error = PermanentError("x", node="read").at(pipeline="orders", node="filter")
    assert error.place == "orders > read"


@pytest.mark.parametrize("kind", [CircuitOpenError, DeadlineError])
def test_what_may_succeed_later_is_transient(kind):
    assert isinstance(kind("x"), TransientError)


def test_a_pipeline_error_carries_every_problem():
    assert PipelineError("Two problems.", problems=["a", "b"]).problems == ("a", "b")


def all_kinds() -> list[type[EtlError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, EtlError)]


@pytest.mark.parametrize("kind", all_kinds())
def test_an_error_survives_the_way_to_another_process(kind):
    error = kind("It failed.", hint="Again.", node="read", line=3, value="ten")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (kind, str(error), vars(error))


def test_the_tree_in_the_docstring_is_the_real_one():
    for kind in all_kinds():
        assert kind.__name__ in (errors.__doc__ or "")
