"""A row that became a dead letter becomes the same Arrow row again, and what a person types gets the column's type."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math

import pyarrow as pa
import pytest

from etl_studio.engine.json_values import json_rows
from etl_studio.engine.letter_rows import batch_of, edited, read_text, schema_of, type_words, types_of
from etl_studio.errors import UsageError

MOMENT = dt.datetime.fromisoformat("2026-01-31T14:30:05.123456")
VALUES = [
    (pa.int64(), 2**62),
    (pa.uint64(), 2**64 - 1),
    (pa.int8(), -3),
    (pa.float64(), 1e-300),
    (pa.float64(), math.inf),
    (pa.float32(), 0.5),
    (pa.bool_(), False),
    (pa.string(), "é\n'\""),
    (pa.large_string(), "long"),
    (pa.binary(), b"\x00\xff"),
    (pa.binary(2), b"\x00\xff"),
    (pa.date32(), dt.date(2026, 1, 31)),
    (pa.timestamp("us"), MOMENT),
    (pa.timestamp("us", "UTC"), MOMENT.replace(tzinfo=dt.UTC)),
    (pa.time64("us"), MOMENT.time()),
    (pa.duration("us"), dt.timedelta(days=-2, seconds=3, microseconds=4)),
    (pa.decimal128(10, 2), decimal.Decimal("12.50")),
    (pa.decimal256(60, 4), decimal.Decimal("123456789012345678901234567890123456789.0001")),
    (pa.null(), None),
    (pa.list_(pa.decimal128(5, 1)), [decimal.Decimal("1.5"), None]),
    (pa.struct([("a>b: x", pa.date32()), ("n", pa.list_(pa.int32()))]), {"a>b: x": dt.date(2020, 2, 29), "n": [1]}),
    (pa.map_(pa.string(), pa.timestamp("us")), [("k", MOMENT)]),
]


@pytest.mark.parametrize(("kind", "value"), VALUES, ids=[str(kind) for kind, _ in VALUES])
def test_a_row_is_the_same_after_it_was_stored(kind, value):
    before = pa.record_batch({"v": pa.array([value, None], kind)})
    stored = json.loads(json.dumps(json_rows(before)))
    types = json.loads(json.dumps(type_words(before.schema)))
    assert batch_of(stored, schema_of(types)).equals(before)


def test_not_a_number_stays_that():
    before = pa.record_batch({"v": pa.array([math.nan])})
    after = batch_of(json_rows(before), before.schema)
    assert math.isnan(after.column("v")[0].as_py())


def test_a_dictionary_column_becomes_its_values():
    before = pa.record_batch({"v": pa.array(["a", "b"]).dictionary_encode()})
    after = batch_of(json_rows(before), schema_of(type_words(before.schema)))
    assert after.column("v").to_pylist() == ["a", "b"]


def test_a_column_that_one_row_lacks_is_missing_there():
    batch = batch_of([{"a": 1}, {"a": 2, "b": "x"}], pa.schema([("a", pa.int64()), ("b", pa.string())]))
    assert batch.column("b").to_pylist() == [None, "x"]


def test_a_row_of_an_older_workspace_gets_the_types_that_its_values_have():
    types = types_of({"n": 1, "text": "x", "items": [1], "none": None, "odd": [1, "x"]}, {})
    assert types == {"n": "int64", "text": "string", "items": {"list": "int64"}, "none": "null", "odd": "string"}


@pytest.mark.parametrize(
    ("words", "text", "value"),
    [
        ("int64", " 12 ", 12),
        ("int64", "", None),
        ("string", "", ""),
        ("string", " 12 ", " 12 "),
        ("double", "1e3", 1000.0),
        ("double", "nan", "nan"),
        ("bool", "TRUE", True),
        ("decimal128(10, 2)", "12.5", "12.50"),
        ("date32[day]", "2026-01-31", "2026-01-31"),
        ("timestamp[us]", "2026-01-31 14:30", "2026-01-31T14:30:00"),
        ("timestamp[us, tz=UTC]", "2026-01-31T14:30:00+02:00", "2026-01-31T12:30:00+00:00"),
        ({"list": "int64"}, "[1, 2]", [1, 2]),
        ({"struct": [["a", "int64"]]}, '{"a": 1}', {"a": 1}),
        ("binary", "AP8=", "AP8="),
    ],
)
def test_a_typed_text_becomes_a_value_of_its_column(words, text, value):
    assert read_text("c", text, words) == value


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("int64", "ten"),
        ("int64", "1.5"),
        ("int8", "300"),
        ("double", "1,5"),
        ("bool", "maybe"),
        ("decimal128(10, 2)", "1.005"),
        ("decimal128(4, 2)", "100"),
        ("decimal128(4, 2)", "x"),
        ("date32[day]", "31.01.2026"),
        ("timestamp[us]", "2026-01-31T14:30:00+02:00"),
        ("timestamp[us, tz=UTC]", "2026-01-31T14:30:00"),
        ("binary", "#"),
        ({"list": "int64"}, "1, 2"),
        ({"list": "int64"}, '["a"]'),
        ({"struct": [["a", "int64"]]}, '{"b": 1}'),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_the_column_and_its_type(words, text):
    with pytest.raises(UsageError, match=r'does not fit the column "c", which is'):
        read_text("c", text, words)


def test_an_edit_of_an_unknown_column_names_the_nearest():
    with pytest.raises(UsageError, match=r'no column "quantty".*Did you mean "quantity"'):
        edited({"quantity": 1}, {"quantity": "int64"}, {"quantty": 2})


def test_an_edit_changes_only_what_it_names():
    assert edited({"a": 1, "b": "x"}, {"a": "int64", "b": "string"}, {"b": None}) == {"a": 1, "b": None}
