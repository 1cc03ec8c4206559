from __future__ import annotations

import gzip
import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract import json_source
from etl_studio.nodes.extract.json_source import JsonSource
from tests.nodes.conftest import rows_of


class Read:
    """What a source gave: its rows as dicts, and its rejects."""

    def __init__(self, context, name: str = "data.json", **config: Any) -> None:
        emissions = list(rows_of(JsonSource(JsonSource.Config(path=name, **config)), context))
        batches = [item for item in emissions if isinstance(item, pa.RecordBatch)]
        rejected = [item for item in emissions if isinstance(item, sdk.Rejected)]
        assert all(batch.schema == batches[0].schema for batch in batches)
        self.schema = batches[0].schema
        self.rows = [row for batch in batches for row in batch.to_pylist()]
        self.rejects = [row for item in rejected for row in item.rows.to_pylist()]
        self.problems = [problem for item in rejected for problem in item.problems]
        assert len(self.rejects) == len(self.problems)


def write(context, content: str | bytes, name: str = "data.json") -> None:
    context.path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def test_a_list_of_objects_gives_rows(context):
    write(context, '[{"a": 1, "b": {"x": [1]}},\n {"a": 2, "c": "y"}]')
    assert Read(context).rows == [{"a": 1, "b": '{"x": [1]}', "c": None}, {"a": 2, "b": None, "c": "y"}]


@pytest.mark.parametrize("path", ["data.items", "$.data.items[*]", "$.data.items", "data.items[*]"])
def test_a_path_leads_to_the_records(context, path):
    write(context, '{"data": {"items": [{"a": 1}, {"a": 2}]}}')
    assert Read(context, items=path).rows == [{"a": 1}, {"a": 2}]


def test_a_path_may_count_in_a_list(context):
    write(context, '{"pages": [{"rows": [{"a": 1}]}, {"rows": [{"a": 2}]}]}')
    assert Read(context, items="$.pages[1].rows").rows == [{"a": 2}]


def test_a_single_object_is_one_row(context):
    write(context, '{\n  "a": 1\n}')
    assert Read(context).rows == [{"a": 1}]


def test_a_wrong_path_names_the_keys_that_are_there(context):
    write(context, '{"data": {"items": []}}')
    with pytest.raises(PermanentError, match=r'no "itms".*the keys items'):
        Read(context, items="data.itms")


def test_a_path_to_something_else_is_told(context):
    write(context, '{"data": 5}')
    with pytest.raises(PermanentError, match="no list but a number"):
        Read(context, items="data")


def test_records_that_are_no_objects_are_rejected_with_their_line(context):
    write(context, '[\n{"a": 1},\n5,\n{"a": 2},\n"x"\n]')
    read = Read(context)
    assert read.rows == [{"a": 1}, {"a": 2}]
    assert read.rejects == [{"line": 3, "record": "5"}, {"line": 5, "record": '"x"'}]
    assert "no object but a number" in read.problems[0].message


def test_a_value_that_does_not_fit_is_rejected_with_its_line(context):
    write(context, "[\n" + ",\n".join('{"n": 1}' for _ in range(1_000)) + ',\n{"n": "ten"}\n]')
    read = Read(context)
    assert len(read.rows) == 1_000
    assert [(problem.line, problem.column, problem.value) for problem in read.problems] == [(1_002, "n", "ten")]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('[{"a": 1},\n {"a": }]', "line 2"),
        ('[{"a": 1}\n {"a": 2}]', "line 2"),
        ('{"a": 1,\n\n "b": tru}', "line 3"),
        ('[{"a": 1},\n{"a": NaN}]', "NaN is no JSON value at character 7 of line 2"),
        ('[{"a": 1},\n{"a"', "line 2"),
        ('[{"a": 1}', "line 1"),
        ('[{"a": 1}] x', "Extra data"),
    ],
)
def test_a_broken_document_tells_line_and_character(context, content, place):
    write(context, content)
    with pytest.raises(PermanentError, match=place) as caught:
        Read(context)
    assert "data.json is no valid JSON" in str(caught.value)


def test_one_object_per_line_is_read_line_by_line(context):
    write(context, '{"a": 1}\r\n\n{"a": 2}\n{"a": 3}')
    assert Read(context).rows == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_broken_line_is_rejected_and_the_rest_goes_on(context):
    write(context, b'{"a": 1}\n{"a": \n\n{"a": 2}\n[5]\n{"a": "\xff"}\n{"a": NaN}\n{"a": 3}\n')
    read = Read(context)
    assert [row["a"] for row in read.rows] == [1, 2, 3]
    assert [(problem.type, problem.line) for problem in read.problems] == [
        ("json", 2), ("no_object", 5), ("encoding", 6), ("json", 7),
    ]  # fmt: skip
    assert read.rejects[0] == {"line": 2, "record": '{"a": '}


def test_records_of_each_line_can_be_under_a_path(context):
    write(context, '{"rows": [{"a": 1}, {"a": 2}]}\n{"other": 1}\n{"rows": {"a": 3}}\n')
    read = Read(context, items="rows")
    assert [row["a"] for row in read.rows] == [1, 2, 3]
    assert [(problem.type, problem.line) for problem in read.problems] == [("items", 2)]


def test_the_ending_of_the_name_tells_that_lines_are_records(context):
    write(context, '{"a" 1}\n{"a": 2}\n', "data.ndjson")
    read = Read(context, "data.ndjson")
    assert (read.rows, [problem.line for problem in read.problems]) == ([{"a": 2}], [1])


def test_a_pretty_document_is_not_taken_for_lines(context):
    write(context, json.dumps([{"a": 1}, {"a": 2}], indent=2))
    assert Read(context).rows == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    "line", ['{"n": 1.5}', '{"n": 1, "new": 2}', '{"n": "x"}', '{"n": 1} {"n": 2}', "{", '{"n": true}']
)
def test_among_very_many_lines_exactly_the_bad_one_is_rejected(context, line):
    lines = [json.dumps({"n": number, "t": f"text {number}"}) for number in range(60_000)]
    lines[50_000] = line
    write(context, "\n".join(lines) + "\n")
    read = Read(context)
    assert [problem.line for problem in read.problems] == [50_001]
    assert [row["n"] for row in read.rows] == [number for number in range(60_000) if number != 50_000]


def test_declared_types_win(context):
    write(context, '[{"n": "5", "o": {"x": 1}}]')
    read = Read(context, columns={"n": "integer", "o": "json"})
    assert read.rows == [{"n": 5, "o": '{"x": 1}'}]


def test_an_empty_list_gives_the_declared_columns(context):
    write(context, "[]")
    assert Read(context, columns={"n": "integer"}).schema == pa.schema([("n", pa.int64())])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("<!doctype html><p>Sorry", "a web page"),
        ("\n<html><body>", "a web page"),
        ("<?xml version='1.0'?>", "as XML does"),
        (b'[{"a": "\xff"}]', "no UTF-8 text"),
    ],
)
def test_what_is_no_json_is_told_in_clear_words(context, content, words):
    write(context, content)
    with pytest.raises(PermanentError, match=words):
        Read(context)


def test_a_missing_file_is_told(context):
    with pytest.raises(PermanentError, match="There is no file"):
        Read(context)


def test_other_encodings_and_packed_files_are_read(context):
    write(context, '[{"a": "é"}]'.encode("utf-16"))
    assert Read(context).rows == [{"a": "é"}]
    write(context, gzip.compress(b'{"a": 1}\n{"a": 2}\n'), "data.json.gz")
    assert Read(context, "data.json.gz").rows == [{"a": 1}, {"a": 2}]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(context, monkeypatch):
    monkeypatch.setattr(json_source, "LONGEST_LINE", 3 * json_source.PIECE)
    write(context, b'{"a": 1}\n{"a": "' + b"x" * 6 * json_source.PIECE)
    with pytest.raises(PermanentError, match="longer than 3 MB"):
        Read(context, format="ndjson")


def test_nesting_without_end_is_told(context):
    write(context, "[" * 200_000)
    with pytest.raises(PermanentError, match=r"nested too deeply|no valid JSON"):
        Read(context)


def test_reading_ends_when_the_run_is_stopped(context):
    write(context, '{"a": 1}\n' * 1_000_000)
    emissions = rows_of(JsonSource(JsonSource.Config(path="data.json")), context)
    rows = next(iter(emissions)).num_rows
    context.stopping.set()
    assert rows + sum(batch.num_rows for batch in emissions) < 1_000_000


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError, match="itms"):
        JsonSource.Config(path="data.json", itms="x")


VALUES = st.none() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=3) | st.booleans()
RECORDS = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, min_size=1)
LINES = RECORDS.map(json.dumps) | RECORDS.map(lambda record: json.dumps(record, ensure_ascii=False)) | st.sampled_from(
    ["", "5", "{", "[]", '{"a": NaN}', '{"a": 1} {"a": 2}', '{"a": 1, "a": 2}', '  {"a": 1}\r']
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=RECORDS, lines=st.lists(LINES, max_size=25))
def test_every_line_is_a_row_or_a_reject_and_the_fast_way_gives_the_same(context, first, lines):
    write(context, "\n".join([json.dumps(first), *lines]) + "\n", "data.ndjson")
    results = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_source, "PIECE", 40)
        patch.setattr(sdk.records, "SETTLE_ROWS", 2)
        for fast in (True, False):
            if not fast:
                patch.setattr(json_source._Lines, "_fast", lambda self, piece: None)
            results.append(Read(context, "data.ndjson"))
    quick, exact = results
    assert len(exact.rows) + len(exact.rejects) == 1 + sum(bool(line.strip()) for line in lines)
    assert [problem.line for problem in quick.problems] == [problem.line for problem in exact.problems]
    assert quick.rows == exact.rows


@pytest.mark.parametrize(
    "line", ["null", "nullnull", '{"n": 1}null', "5", '"x"', "[1]", "[" * 2_000, '{"n": 1}{"n": 2}', '{"n":']
)
def test_a_line_that_is_no_object_is_rejected_where_the_fast_way_is_taken(context, monkeypatch, line):
    """Arrow's reader ends the process at some of them, and takes two objects on a line for two lines."""
    monkeypatch.setattr(json_source, "PIECE", 100)
    good = '{"n": 1}\n' * 1_200
    write(context, f"{good}{line}\n\n{good}", "data.ndjson")
    read = Read(context, "data.ndjson")
    assert len(read.rows) == 2_400
    assert [row["line"] for row in read.rejects] == [1_201]


def test_an_object_on_two_lines_is_two_rejects_where_the_fast_way_is_taken(context, monkeypatch):
    monkeypatch.setattr(json_source, "PIECE", 100)
    good = '{"n": 1}\n' * 1_200
    write(context, good + '{"n":\n2}\n{"n": 3}{"n": 4}\n' + good, "data.ndjson")
    assert [row["line"] for row in Read(context, "data.ndjson").rejects] == [1_201, 1_202, 1_203]


def test_a_number_of_five_thousand_digits_is_told_with_its_place(context):
    write(context, f'[{{"n": 1}},\n{{"n": {"9" * 5_000}}}]')
    with pytest.raises(PermanentError, match="more digits than can be read at character 7 of line 2"):
        Read(context)
    write(context, f'{{"n": {"9" * 5_000}}}\n{{"n": 1}}\n', "data.ndjson")
    read = Read(context, "data.ndjson")
    assert read.rows == [{"n": 1}]
    assert "more digits than can be read at character 7" in read.problems[0].message


def test_a_document_that_begins_very_deep_is_refused(context):
    write(context, '{"a":' * 100_000 + "\n1")
    with pytest.raises(PermanentError, match="nested too deeply"):
        Read(context)
