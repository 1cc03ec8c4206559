from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
import os
import subprocess
import sys
import textwrap
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract.csv_source import CsvSource
from etl_studio.nodes.load.csv_sink import CsvSink
from etl_studio.storage.databases import Databases
from tests.nodes.conftest import rows_of


def save(context, *batches: pa.RecordBatch, path: str = "out.csv", **config: Any) -> str:
    sink = CsvSink(CsvSink.Config(path=path, **config))
    sink.open(batches[0].schema, context)
    for batch in batches:
        assert list(sink.write(batch, context)) == []
    loaded = sink.commit(context)
    assert loaded == sdk.Loaded(inserted=sum(batch.num_rows for batch in batches))
    return context.path(path).read_bytes().decode()


def names(context) -> list[str]:
    return sorted(path.name for path in context.folder.iterdir())


ROWS = pa.RecordBatch.from_pydict({"id": [1, 2], "name": ["a", "b, c"]})


def test_rows_are_written_with_the_names_first(context):
    assert save(context, ROWS, ROWS) == 'id,name\n1,a\n2,"b, c"\n1,a\n2,"b, c"\n'
    assert names(context) == ["out.csv"]


def test_without_rows_the_names_are_written(context):
    assert save(context, ROWS.slice(0, 0)) == "id,name\n"


def test_every_type_has_a_text_that_others_understand(context):
    at = dt.datetime(2026, 11, 23, 10, 0, 0, 120_000)  # noqa: DTZ001 - has no zone
    values = [
        pa.array([at, at.replace(microsecond=0)], pa.timestamp("us")),
        pa.array([at, None], pa.timestamp("us", tz="UTC")),
        pa.array([at.date(), None], pa.date32()),
        pa.array([at.time(), dt.time(9)], pa.time64("us")),
        pa.array([decimal.Decimal("1.20"), None], pa.decimal128(10, 2)),
        pa.array([True, False]),
        pa.array([1e20, 2.5]),
        pa.array([["x", 'y"'], None]),
        pa.array([{"a": 1}, {"a": None}]),
        pa.array(["p", "q"]).dictionary_encode(),
        pa.array([b"\xff", None]),
        pa.nulls(2),
    ]
    batch = pa.RecordBatch.from_arrays(values, [f"c{number}" for number in range(len(values))])
    lines = save(context, batch, header=False).splitlines()
    assert lines == [
        (
            "2026-11-23T10:00:00.12,2026-11-23T10:00:00.12Z,2026-11-23,10:00:00.12,1.20,true,1e+20,"
            '"[""x"", ""y\\""""]","{""a"": 1}",p,ff,'
        ),
        '2026-11-23T10:00:00,,,09:00:00,,false,2.5,,"{""a"": null}",q,,',
    ]


def test_a_missing_value_and_an_empty_text_stay_different(context):
    assert save(context, pa.RecordBatch.from_pydict({"a": [1, 2], "t": ["", None]})) == 'a,t\n1,""\n2,\n'


def test_missing_values_may_have_a_text(context):
    batch = pa.RecordBatch.from_pydict(
        {"a": [None, 2], "t": ["NULL", None]}, pa.schema([("a", "int64"), ("t", "string")])
    )
    assert save(context, batch, null_text="NULL") == 'a,t\nNULL,"NULL"\n2,NULL\n'


def test_a_single_column_without_a_value_gives_no_blank_line(context):
    batch = pa.RecordBatch.from_pydict({"a": pa.array([1, None, 3])})
    assert save(context, batch) == 'a\n1\n""\n3\n'


@pytest.mark.parametrize(("delimiter", "sign"), [(";", ";"), ("tab", "\t"), ("]", "]"), ("^", "^"), ("\\", "\\")])
def test_the_delimiter_is_free_and_protected_by_quotes(context, delimiter, sign):
    batch = pa.RecordBatch.from_pydict({"a": [f"x{sign}y"], "b": ["1,5"]})
    assert save(context, batch, delimiter=delimiter) == f'a{sign}b\n"x{sign}y"{sign}1,5\n'


def test_for_excel_formulas_are_made_harmless_and_numbers_stay(context):
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "fine", None]
    batch = pa.RecordBatch.from_pydict({"n": [-1] * 7, "=t": texts})
    text = save(context, batch, excel=True)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert rows[0] == ["n", "'=t"]
    assert [row[1] for row in rows[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "fine", ""]
    assert {row[0] for row in rows[1:]} == {"-1"}


def test_the_old_file_stays_until_the_new_one_is_complete(context):
    context.path("out.csv").write_text("old")
    sink = CsvSink(CsvSink.Config(path="out.csv"))
    sink.open(ROWS.schema, context)
    sink.write(ROWS, context)
    assert context.path("out.csv").read_text() == "old"
    sink.commit(context)
    assert context.path("out.csv").read_text() != "old"


def test_an_aborted_run_leaves_nothing_behind(context):
    sink = CsvSink(CsvSink.Config(path="out.csv"))
    sink.open(ROWS.schema, context)
    sink.write(ROWS, context)
    assert names(context) == [".out.csv.node.test-run.part"]
    sink.abort(context)
    assert names(context) == []


def test_abort_is_harmless_when_open_failed(context):
    sink = CsvSink(CsvSink.Config(path="nowhere/out.csv"))
    with pytest.raises(PermanentError):
        sink.open(ROWS.schema, context)
    sink.abort(context)


def test_what_a_killed_run_left_is_overwritten(context):
    context.path(".out.csv.node.an-earlier-run.part").write_text("half a li")
    assert save(context, ROWS) == 'id,name\n1,a\n2,"b, c"\n'
    assert names(context) == ["out.csv"]


def test_a_link_keeps_pointing_at_the_file(context):
    context.path("real.csv").write_text("old")
    context.path("out.csv").symlink_to("real.csv")
    save(context, ROWS)
    assert context.path("out.csv").is_symlink()
    assert context.path("real.csv").read_text().startswith("id,name")


def test_a_missing_folder_is_told(context):
    with pytest.raises(PermanentError, match=r"There is no folder .*nowhere.*create_folders"):
        save(context, ROWS, path="nowhere/out.csv")


def test_a_missing_folder_is_made_when_asked(context):
    assert save(context, ROWS, path="new/deep/out.csv", create_folders=True).startswith("id,name")


def test_a_folder_is_no_target(context):
    context.path("out.csv").mkdir()
    with pytest.raises(PermanentError, match="is a folder"):
        save(context, ROWS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_told(context):
    context.folder.chmod(0o500)
    try:
        with pytest.raises(PermanentError, match=r"not allowed.*choose another path"):
            save(context, ROWS)
    finally:
        context.folder.chmod(0o700)


FULL_DISK = """
    import resource, sys
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    import pyarrow as pa
    from conftest import NodeContext
    from etl_studio.errors import PermanentError
    from etl_studio.nodes.load.csv_sink import CsvSink

    context = NodeContext(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    sink = CsvSink(CsvSink.Config(path="out.csv"))
    batch = pa.RecordBatch.from_pydict({"a": ["x" * 1000] * 1000})
    try:
        sink.open(batch.schema, context)
        sink.write(batch, context)
        sink.commit(context)
    except PermanentError as error:
        sink.abort(context)
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are a POSIX thing")
def test_a_disk_that_has_no_room_is_told_and_nothing_half_written_stays(context, request):
    context.path("out.csv").write_text("old")
    program = textwrap.dedent(FULL_DISK)
    arguments = [sys.executable, "-c", program, str(context.folder), str(request.path.parent.parent)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert "cannot be written: the disk is full. Free some space" in done.stdout, done.stderr
    assert names(context) == ["out.csv"]
    assert context.path("out.csv").read_text() == "old"


@pytest.mark.parametrize("config", [{"delimiter": "::"}, {"delimiter": '"'}, {"null_text": 'a"b'}])
def test_settings_that_would_give_an_unreadable_file_are_refused(config):
    with pytest.raises(ValidationError):
        CsvSink.Config(path="out.csv", **config)


TEXTS = st.none() | st.text(alphabet="ab\",; \n\r\t'=é", max_size=6)
TABLES = st.lists(st.tuples(st.none() | st.integers(-(2**63), 2**63 - 1), TEXTS, TEXTS), max_size=20)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=TABLES,
    delimiter=st.sampled_from([",", ";", "tab"]),
    null_text=st.sampled_from(["", "NULL", "a"]),
    start=st.integers(0, 3),
)
def test_what_is_written_is_read_back_the_same(context, rows, delimiter, null_text, start):
    schema = pa.schema([("n", pa.int64()), ("t", pa.string()), ("u", pa.string())])
    batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema).slice(start)
    save(context, batch, delimiter=delimiter, null_text=null_text)
    config = CsvSource.Config(
        path="out.csv",
        delimiter=delimiter,
        null_texts=[null_text],
        columns={"n": "integer", "t": "text", "u": "text"},
    )
    emissions = list(rows_of(CsvSource(config), context))
    assert all(isinstance(item, pa.RecordBatch) for item in emissions)
    assert [row for item in emissions for row in item.to_pylist()] == batch.to_pylist()


def test_a_half_file_that_is_complete_is_put_in_place_though_no_row_came_after_the_resume(tmp_path, node_context):
    with Databases() as databases:
        context = node_context(tmp_path, database=lambda _: databases.open(tmp_path / "data.db"))
        first = CsvSink(CsvSink.Config(path="out.csv"))
        first.open(ROWS.schema, context)
        first.write(ROWS, context)
        first.commit(context, sdk.Mark(context.run, context.node, 1))
        first.abort(context)

        resumed = CsvSink(CsvSink.Config(path="out.csv"))
        assert resumed.last_mark(context).epoch == 1
        resumed.commit(context, sdk.Mark(context.run, context.node, 2))
        resumed.commit(context, sdk.Mark(context.run, context.node, 3, final=True))

        assert context.path("out.csv").read_text() == 'id,name\n1,a\n2,"b, c"\n'
        assert not list(tmp_path.glob(".*.part"))
