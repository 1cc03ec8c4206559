from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.sdk import records


class Built:
    """What a builder made of records."""

    def __init__(self, given_records: list[dict[str, Any]], builder: sdk.RecordBuilder | None = None, **options: Any):
        self.builder = builder or sdk.RecordBuilder(**options)
        emissions = [*self.builder.add(given_records, first_line=1), *self.builder.finish()]
        batches = [item for item in emissions if isinstance(item, pa.RecordBatch)]
        rejected = [item for item in emissions if isinstance(item, sdk.Rejected)]
        self.schema = batches[0].schema
        assert all(batch.schema == self.schema for batch in batches)
        self.rows = [row for batch in batches for row in batch.to_pylist()]
        self.rejects = [row for item in rejected for row in item.rows.to_pylist()]
        self.problems = [problem for item in rejected for problem in item.problems]
        self.types = {field.name: sdk.type_name(field.type) for field in self.schema}


FIRST = records.SETTLE_ROWS


def test_the_first_records_decide_columns_and_types():
    built = Built([{"a": 1, "b": 1, "c": True, "d": None}, {"a": 2, "b": 1.5, "e": "x"}])
    assert built.types == {"a": "integer", "b": "number", "c": "boolean", "d": "text", "e": "text"}
    assert built.rows[1] == {"a": 2, "b": 1.5, "c": None, "d": None, "e": "x"}


def test_nested_values_become_json_text():
    assert Built([{"a": {"x": ["é", 1]}}]).rows == [{"a": '{"x": ["é", 1]}'}]


def test_a_later_field_is_rejected_with_its_line_and_not_cut():
    built = Built([{"a": 1}] * FIRST + [{"a": 1, "new": "x"}])
    assert len(built.rows) == FIRST
    assert built.rejects == [{"line": FIRST + 1, "record": '{"a": 1, "new": "x"}'}]
    assert (built.problems[0].type, built.problems[0].column) == ("new_column", "new")


@pytest.mark.parametrize("value", [1.5, "1", True, 2**70, float("nan"), [1], {"x": 1}])
def test_a_value_is_never_rounded_or_turned_to_fit_an_integer_column(value):
    built = Built([{"a": 1}] * FIRST + [{"a": value}, {"a": 7}])
    assert len(built.rows) == FIRST + 1
    assert [(problem.type, problem.column) for problem in built.problems] == [("cast", "a")]


def test_a_whole_number_written_with_a_point_is_an_integer():
    assert Built([{"a": 1}] * FIRST + [{"a": 2.0}]).rows[-1] == {"a": 2}


def test_declared_types_read_texts():
    columns = {"day": "date", "n": "integer", "p": "decimal(10,2)", "at": "timestamp", "raw": "json"}
    built = Built(
        [{"day": "2026-11-23", "n": " 5 ", "p": 2.5, "at": "2026-11-23T10:00:00", "raw": "x"}], columns=columns
    )
    (row,) = built.rows
    assert (row["day"], row["n"], str(row["p"]), row["raw"]) == (dt.date(2026, 11, 23), 5, "2.50", '"x"')
    assert row["at"] == dt.datetime(2026, 11, 23, 10)  # noqa: DTZ001 - has no zone


def test_a_number_is_no_date():
    assert [problem.column for problem in Built([{"day": 20261123}], columns={"day": "date"}).problems] == ["day"]


def test_an_empty_text_is_a_missing_value_in_a_declared_number():
    assert Built([{"n": ""}], columns={"n": "integer"}).rows == [{"n": None}]


def test_half_a_surrogate_pair_is_rejected_and_does_not_stop_the_run():
    built = Built([{"a": "x"}, {"a": "\ud800"}])
    assert built.rows == [{"a": "x"}]
    assert built.rejects == [{"line": 2, "record": r'{"a": "\ud800"}'}]


def test_when_all_records_are_bad_the_columns_are_still_told():
    built = Built([{"n": "x"}], columns={"n": "integer"})
    assert (built.types, built.rows, len(built.rejects)) == ({"n": "integer"}, [], 1)


def test_without_records_there_is_one_empty_batch():
    assert Built([], columns={"n": "integer"}).types == {"n": "integer"}


def test_fixed_columns_give_rows_at_once_after_their_time():
    now = [0.0]
    builder = sdk.RecordBuilder({"a": "integer"}, fixed=True, clock=lambda: now[0])
    assert list(builder.add([{"a": 1}])) == []
    now[0] = 0.3
    assert [batch.num_rows for batch in builder.add([{"a": 2}])] == [2]


VALUES = st.none() | st.integers(-3, 3) | st.floats(-2, 2) | st.booleans() | st.text(max_size=2) | st.just("4")


@settings(max_examples=60, deadline=None)
@given(
    given_records=st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES), max_size=30),
    columns=st.dictionaries(
        st.sampled_from(["a", "b"]), st.sampled_from(["integer", "number", "boolean", "text", "date"])
    ),
)
def test_every_record_is_a_row_or_a_reject_whatever_comes_together(given_records, columns):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "SETTLE_ROWS", 3)
        patch.setattr(records, "BATCH_ROWS", 7)
        together = Built(given_records, columns=columns)
        assert len(together.rows) + len(together.rejects) == len(given_records)
        alone = sdk.RecordBuilder(columns)
        list(alone.add(given_records[:3]))
        list(alone.finish())
        rows = sum(
            item.num_rows
            for record in given_records[3:]
            for item in [*alone.add([record]), *alone.finish()]
            if isinstance(item, pa.RecordBatch)
        )
        first = Built(given_records[:3], columns=columns)
    assert len(together.rows) == len(first.rows) + rows


def test_a_field_whose_name_is_half_a_character_is_rejected_and_does_not_stop_the_run():
    built = Built([{"a": 1, "\ud800": 2}, {"a": 2}])
    assert built.rows == [{"a": 2}]
    assert built.problems[0].message.encode()
    assert built.problems[0].column == "\\ud800"


@pytest.mark.parametrize("value", [1e400, [1e400], {"x": 1e400}])
def test_a_number_that_is_too_large_is_rejected_and_not_made_infinite(value):
    built = Built([{"n": value if isinstance(value, list | dict) else 1.5}, {"n": value}, {"n": 0.5}])
    assert {"n": 0.5 if built.types["n"] == "number" else "0.5"} in built.rows
    assert not any("inf" in str(row["n"]).lower() for row in built.rows)
    assert built.problems[0].column == "n"


def test_a_value_that_is_nested_too_deeply_to_be_written_is_rejected():
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    built = Built([{"a": deep}, {"a": 1}])
    assert built.rows == [{"a": "1"}]
    assert "nested too deeply" in built.problems[0].message


def test_a_declared_time_of_day_is_read_from_its_text():
    texts = ["10:30", None, "10:30:15.25", "noon", "10"]
    built = Built([{"at": text} for text in texts], columns={"at": "time"})
    assert [row["at"] for row in built.rows] == [dt.time(10, 30), None, dt.time(10, 30, 15, 250_000)]
    assert [problem.value for problem in built.problems] == ["noon", "10"]


def test_records_with_thousands_of_different_fields_are_refused():
    with pytest.raises(PermanentError, match="5,000 different fields"):
        Built([{f"a{number}_{part}": 1 for part in range(10)} for number in range(500)])
