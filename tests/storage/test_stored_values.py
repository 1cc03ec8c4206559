"""What arrives as Arrow is kept exactly, in a form that SQLite's own functions read."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import pyarrow as pa
import pytest

from etl_studio.sdk import Loaded

NOON = dt.datetime(2026, 11, 23, 12, 0, 0)  # noqa: DTZ001 - has no zone
EAST = pa.timestamp("us", tz="+02:00")


def kept(load, array):
    """The values of one column after a load, in order, and their kinds in SQLite."""
    batch = pa.RecordBatch.from_arrays([pa.array(range(len(array))), array], ["n", "v"])
    assert load("t", "append", batch) == Loaded(inserted=len(array))
    values = [value for (value,) in load.file.query("SELECT v FROM t ORDER BY n")]
    kinds = {kind for (kind,) in load.file.query("SELECT typeof(v) FROM t WHERE v IS NOT NULL")}
    return values, kinds


@pytest.mark.parametrize(
    ("array", "values", "kind"),
    [
        (pa.array([True, False, None]), [1, 0, None], "integer"),
        (pa.array([-(2**63), 2**63 - 1, 0, None]), [-(2**63), 2**63 - 1, 0, None], "integer"),
        (pa.array([0, 255], pa.uint8()), [0, 255], "integer"),
        (pa.array([2**63 - 1, None], pa.uint64()), [2**63 - 1, None], "integer"),
        (pa.array([0.1, -0.0, 1e308, 5e-324, None]), [0.1, 0.0, 1e308, 5e-324, None], "real"),
        (pa.array([1.5, None], pa.float32()), [1.5, None], "real"),
        (pa.array([1.5, None], pa.float16()), [1.5, None], "real"),
        (pa.array([float("inf"), float("-inf")]), [float("inf"), float("-inf")], "real"),
        (pa.array(["", "a\0b", "🛒 é", "007", None]), ["", "a\0b", "🛒 é", "007", None], "text"),
        (pa.array(["x", None], pa.large_string()), ["x", None], "text"),
        (pa.array(["x", None], pa.string_view()), ["x", None], "text"),
        (pa.array(["p", "q", "p", None]).dictionary_encode(), ["p", "q", "p", None], "text"),
        (pa.array([7, 8, 7]).dictionary_encode(), [7, 8, 7], "integer"),
        (pa.array([b"", b"\0\xff", None]), [b"", b"\0\xff", None], "blob"),
        (pa.array([b"\0\xff"], pa.large_binary()), [b"\0\xff"], "blob"),
        (pa.array([b"\0\xff"], pa.binary(2)), [b"\0\xff"], "blob"),
        (pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), None]), ["0001-01-01", "9999-12-31", None], "text"),
        (pa.array([dt.date(2026, 1, 2)], pa.date64()), ["2026-01-02"], "text"),
        (pa.array([dt.time(9), dt.time(9, 0, 0, 1)], pa.time64("us")), ["09:00:00", "09:00:00.000001"], "text"),
        (
            pa.array([NOON, NOON.replace(microsecond=500_000), None], pa.timestamp("us")),
            ["2026-11-23 12:00:00", "2026-11-23 12:00:00.500000", None],
            "text",
        ),
        (pa.array([NOON], pa.timestamp("s")), ["2026-11-23 12:00:00"], "text"),
        (pa.array([1], pa.timestamp("ns")), ["1970-01-01 00:00:00.000000001"], "text"),
        (
            pa.array([decimal.Decimal("1.20"), decimal.Decimal("-12345678901234567890.12"), None]),
            ["1.20", "-12345678901234567890.12", None],
            "text",
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_every_type_is_kept(load, array, values, kind):
    assert kept(load, array) == (values, {kind})


def test_a_time_with_a_zone_is_kept_in_utc_and_says_so(load, file):
    (text,), _ = kept(load, pa.array([NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=2)))], EAST))
    assert text in {"2026-11-23 10:00:00Z", "2026-11-23 10:00:00+00:00"}
    assert file.query("SELECT unixepoch(v) FROM t") == [(int(NOON.replace(tzinfo=dt.UTC).timestamp()) - 7200,)]


def test_times_are_read_by_the_functions_of_sqlite(load, file):
    kept(load, pa.array([NOON.replace(microsecond=500_000)], pa.timestamp("us")))
    assert file.query("SELECT date(v), strftime('%f', v) FROM t") == [("2026-11-23", "00.500")]


def test_not_a_number_becomes_null(load):
    assert kept(load, pa.array([float("nan"), 1.0]))[0] == [None, 1.0]


def test_a_column_of_nothing_but_null_is_kept(load):
    assert kept(load, pa.nulls(2)) == ([None, None], set())


@pytest.mark.parametrize(
    ("array", "meaning"),
    [
        (pa.array([["x", 'y"', None], []]), [["x", 'y"', None], []]),
        (pa.array([{"a": 1, "b": None}]), [{"a": 1, "b": None}]),
        (pa.array([{"at": dt.date(2026, 1, 2), "é": [True]}]), [{"at": "2026-01-02", "é": [True]}]),
    ],
    ids=["list", "struct", "nested"],
)
def test_nested_values_are_kept_as_json(load, array, meaning):
    texts, kinds = kept(load, array)
    assert [json.loads(text) for text in texts] == meaning
    assert kinds == {"text"}


def test_not_a_number_inside_a_list_is_still_json(load, file):
    kept(load, pa.array([[float("nan"), 1.0]]))
    assert file.query("SELECT json_valid(v) FROM t") == [(1,)]


def test_a_missing_list_is_null_and_not_the_text_null(load):
    assert kept(load, pa.array([None, [1]]))[0][0] is None


def test_a_row_with_an_integer_that_sqlite_has_no_room_for_comes_back(file, load):
    load("t", "append", {"n": [1], "v": pa.array([1], pa.uint64())})
    writing = file.load_table("t", "append", [])
    batch = pa.RecordBatch.from_pydict({"n": [2, 3], "v": pa.array([2**63, 5], pa.uint64())})
    (rejected,) = writing.write(batch)
    assert rejected.rows.to_pylist() == [{"n": 2, "v": 2**63}]
    assert rejected.problems[0].column == "v"
    assert writing.commit() == Loaded(inserted=1)
    writing.abort()
    assert load.rows() == [(1, 1), (3, 5)]


@pytest.mark.parametrize("array", [pa.array(["1.50"]), pa.array([NOON]), pa.array([[1]]), pa.array([b"\xff"])])
def test_a_value_that_was_converted_counts_as_unchanged_in_a_rerun(load, array):
    batch = pa.RecordBatch.from_arrays([pa.array([1]), array], ["id", "v"])
    load("t", "merge", batch, key=["id"])
    assert load("t", "merge", batch, key=["id"]) == Loaded(unchanged=1)
