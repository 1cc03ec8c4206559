"""What the columns of a sample hold."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa
import pytest

from etl_studio.engine.profile import profile


def of(values, kind=None):
    (found,) = profile(pa.table({"c": pa.array(values, kind)}))
    return found


def test_numbers_have_a_range_a_mean_and_a_histogram():
    found = of([1, 2, 2, None, 9])
    assert (found.type, found.rows, found.nulls, found.values, found.distinct) == ("integer", 5, 1, 4, 3)
    assert (found.low, found.high, found.mean, found.median) == (1, 9, 3.5, 2.0)
    assert found.histogram.counts == (1, 2, 0, 0, 0, 0, 0, 0, 1)
    assert found.top == ((2, 2), (1, 1), (9, 1))


def test_a_histogram_holds_every_value_once():
    found = of([number / 7 for number in range(1_000)])
    assert len(found.histogram.counts) == 20
    assert sum(found.histogram.counts) == 1_000
    assert max(found.histogram.counts) - min(found.histogram.counts) <= 1


def test_texts_have_a_length_and_no_histogram():
    found = of(["pear", "fig", "", "pear", None])
    assert (found.low, found.high, found.shortest, found.longest) == ("", "pear", 0, 4)
    assert found.top == (("pear", 2), ("fig", 1), ("", 1))
    assert found.histogram is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([dt.date(2026, 1, day) for day in range(1, 9)], pa.date32()),
        ([dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in range(1, 9)], pa.timestamp("us", tz="UTC")),
        ([dt.time(hour) for hour in range(1, 9)], pa.time64("us")),
        ([Decimal(f"{number}.50") for number in range(1, 9)], pa.decimal128(10, 2)),
    ],
)
def test_dates_times_and_decimals_keep_their_kind(values, kind):
    found = of(values, kind)
    assert (found.low, found.high) == (values[0], values[-1])
    assert (found.histogram.low, found.histogram.high) == (values[0], values[-1])
    assert sum(found.histogram.counts) == 8
    assert (found.mean is None) == (not isinstance(values[0], Decimal))


def test_infinities_are_values_but_have_no_place_in_a_range():
    found = of([1.0, math.inf, math.nan, 3.0])
    assert (found.values, found.low, found.high, found.mean) == (4, 1.0, 3.0, 2.0)
    assert of([math.inf, math.nan]).histogram is None


def test_nested_values_are_counted_as_json():
    found = of([{"a": 1}, {"a": 1}, None])
    assert (found.type, found.distinct, found.top) == ("json", 1, (('{"a": 1}', 2),))


@pytest.mark.parametrize("values", [[], [None, None]])
@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.null(), pa.bool_(), pa.list_(pa.int64()), pa.float64()])
def test_a_column_without_values_has_no_facts(values, kind):
    found = of(values, kind)
    assert (found.rows, found.nulls, found.distinct, found.top) == (len(values), len(values), 0, ())
    assert (found.low, found.histogram) == (None, None)


def test_one_value_many_times_has_no_histogram():
    assert of([7] * 50).histogram is None
    assert of([True, False, True]).top == ((True, 2), (False, 1))


def test_only_the_most_frequent_values_are_kept():
    found = of([f"v{number}" for number in range(100)] + ["v99"])
    assert (len(found.top), found.top[0], found.distinct) == (20, ("v99", 2), 100)


def test_columns_of_one_name_each_have_their_own_facts():
    first, second = profile(pa.Table.from_arrays([pa.array([1]), pa.array(["a"])], names=["x", "x"]))
    assert (first.type, second.type) == ("integer", "text")
