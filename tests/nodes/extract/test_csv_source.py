from __future__ import annotations

import bz2
import contextlib
import csv
import datetime as dt
import gzip
import io
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract import _csv_parser as csv_parser
from etl_studio.nodes.extract import csv_source
from etl_studio.nodes.extract.csv_source import CsvSource
from tests.nodes.conftest import rows_of

if TYPE_CHECKING:
    from pathlib import Path


class Read:
    """What a source gave: its rows as dicts, and its rejects."""

    def __init__(self, context, name: str = "data.csv", **config: Any) -> None:
        emissions = list(rows_of(CsvSource(CsvSource.Config(path=name, **config)), context))
        batches = [item for item in emissions if isinstance(item, pa.RecordBatch)]
        rejected = [item for item in emissions if isinstance(item, sdk.Rejected)]
        self.schema = batches[0].schema
        assert all(batch.schema == self.schema for batch in batches)
        self.rows = [row for batch in batches for row in batch.to_pylist()]
        self.rejects = [row for item in rejected for row in item.rows.to_pylist()]
        self.problems = [problem for item in rejected for problem in item.problems]
        assert len(self.rejects) == len(self.problems)
        self.types = {field.name: sdk.type_name(field.type) for field in self.schema}


def write(context, content: str | bytes, name: str = "data.csv") -> Path:
    path = context.path(name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_types_are_found_and_empty_fields_are_missing_values(context):
    lines = ["id,price,day,at,paid,name", "1,2.50,2026-11-23,2026-11-23 10:00:00,true,a"]
    write(context, "\n".join([*lines, "2,3,2026-11-24,2026-11-24T11:30,false,"]))
    read = Read(context)
    assert read.types == {
        "id": "integer", "price": "number", "day": "date", "at": "timestamp", "paid": "boolean", "name": "text",
    }  # fmt: skip
    assert read.rows[1] == {
        "id": 2, "price": 3.0, "day": dt.date(2026, 11, 24), "at": dt.datetime(2026, 11, 24, 11, 30),  # noqa: DTZ001 - has no zone
        "paid": False, "name": None,
    }  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_even_when_lines_are_broken(context, delimiter):
    lines = [
        ["id", "qty", "name"],
        ["1", "2", "a"],
        ["2", "3"],
        ["3", "4", "b", "c"],
        ["4", "5", '"x, y; z|q\tr"'],
        ["5", "6", "d"],
    ]
    write(context, "\n".join(delimiter.join(line) for line in lines))
    read = Read(context)
    assert [row["id"] for row in read.rows] == [1, 4, 5]
    assert [problem.line for problem in read.problems] == [3, 4]


def test_the_first_line_may_name_the_delimiter_as_excel_writes_it(context):
    write(context, "sep=;\na;b\n1,5;2\n")
    assert Read(context).rows == [{"a": "1,5", "b": 2}]


def test_text_in_a_number_column_is_rejected_where_it_is_read(context):
    rows = [f"{number},{number}" for number in range(200_000)]
    rows[150_000] = "150000,ten"
    write(context, "id,qty\n" + "\n".join(rows) + "\n")
    read = Read(context)
    assert len(read.rows) == 199_999
    assert read.rejects == [{"line": 150_002, "record": "150000,ten"}]
    (problem,) = read.problems
    assert (problem.type, problem.column, problem.line, problem.value) == ("cast", "qty", 150_002, "ten")
    assert problem.message == (
        '"ten" in the column "qty" is no integer. Mend the value or read the column as text: columns: {qty: text}.'
    )


def test_a_misfit_in_the_first_rows_does_not_turn_the_column_into_text(context):
    write(context, "qty\n1\n2\nten\n4\n5\n6\n")
    read = Read(context)
    assert read.types == {"qty": "integer"}
    assert [(problem.line, problem.value) for problem in read.problems] == [(4, "ten")]


def test_a_column_with_as_many_words_as_numbers_is_text(context):
    write(context, "code\n1\na\n2\nb\n")
    assert Read(context).types == {"code": "text"}


@pytest.mark.parametrize("value", ["1.5", "1_000", "1e3", "99999999999999999999"])
def test_an_integer_is_never_rounded_or_cut_to_make_it_fit(context, value):
    write(context, "n\n" + "1\n" * 600_000 + value + "\n")
    read = Read(context)
    assert read.types == {"n": "integer"}
    assert [(problem.line, problem.value) for problem in read.problems] == [(600_002, value)]


@pytest.mark.parametrize("values", [["01067", "80331"], ["12345678901234567890", "1"]])
def test_codes_made_of_digits_stay_text(context, values):
    write(context, "code\n" + "\n".join(values) + "\n")
    assert [row["code"] for row in Read(context).rows] == values


def test_decimals_among_integers_make_a_number_column(context):
    write(context, "n\n" + "1\n" * 500 + "2.5\n")
    read = Read(context)
    assert (read.types, read.problems) == ({"n": "number"}, [])


def test_a_row_with_too_many_or_too_few_fields_is_rejected_with_its_line(context):
    write(context, "a,b\n1,x\n2,y,z\n3\n4,q\n")
    read = Read(context)
    assert read.rows == [{"a": 1, "b": "x"}, {"a": 4, "b": "q"}]
    assert read.rejects == [{"line": 3, "record": "2,y,z"}, {"line": 4, "record": "3"}]
    many, few = read.problems
    assert (many.type, many.value) == ("too_many_fields", "z")
    assert "3 fields where 2 are expected" in many.message
    assert (few.type, few.column) == ("too_few_fields", "b")


def test_several_errors_of_a_line_are_one_reject(context):
    write(context, "a,b,c\n" + "1,2,x\n" * 8 + "one,two,y\n")
    (problem,) = Read(context).problems
    assert '"one" in the column "a"' in problem.message
    assert '"two" in the column "b"' in problem.message


def test_lines_are_counted_as_an_editor_counts_them(context):
    write(context, 'a,b\n1,"x\ny\nz"\n\n\nten,"p\nq"\n' + "2,w\n" * 8)
    read = Read(context)
    assert read.rows[0]["b"] == "x\ny\nz"
    assert read.rejects == [{"line": 7, "record": 'ten,"p\nq"'}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(context, end):
    write(context, end.join(["a,b", "1,x", '2,"y', 'z"', "three,q", *["4,r"] * 8]))
    read = Read(context)
    assert read.rows[:2] == [{"a": 1, "b": "x"}, {"a": 2, "b": f"y{end}z"}]
    assert [problem.line for problem in read.problems] == [5]


def test_kinds_of_line_ends_may_be_mixed(context):
    write(context, "a,b\r\n1,x\n2,y\r\n3,z\r4,q")
    assert [row["b"] for row in Read(context).rows] == ["x", "y", "z", "q"]


def test_quoted_nothing_is_an_empty_text_but_a_missing_number(context):
    write(context, '"n","t"\n"1","x"\n"",""\n,\n')
    assert Read(context).rows == [{"n": 1, "t": "x"}, {"n": None, "t": ""}, {"n": None, "t": None}]


def test_texts_for_missing_values_can_be_named(context):
    write(context, 'n,t\n1,NA\nNA,"NA"\n3,x\n')
    read = Read(context, null_texts=["", "NA"])
    assert read.rows == [{"n": 1, "t": None}, {"n": None, "t": "NA"}, {"n": 3, "t": "x"}]


def test_a_quote_that_is_never_closed_costs_only_its_line(context):
    write(context, 'a,b\n1,x\n2,"open\n' + "".join(f"{number},y\n" for number in range(3, 20_000)))
    read = Read(context)
    assert len(read.rows) == 19_998
    assert [(problem.type, problem.line) for problem in read.problems] == [("open_quote", 3)]
    assert read.rejects[0]["record"] == '2,"open'


def test_stray_quotes_inside_a_field_are_kept(context):
    write(context, 'a,b\n1,5" disk\n2,"say ""hi"""\n3,6" disk\n4,"new\nline"\n')
    assert [row["b"] for row in Read(context).rows] == ['5" disk', 'say "hi"', '6" disk', "new\nline"]


def test_a_quoted_field_may_be_huge(context):
    huge = "x,\n" * 1_000_000
    write(context, f'a,b\n1,"{huge}"\n2,y\n')
    assert Read(context).rows == [{"a": "1", "b": huge}, {"a": "2", "b": "y"}]


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(context):
    write(context, b"a,b\n" + b"x" * (csv_parser.LONGEST_RECORD + csv_parser.BATCH_ROWS) * 2)
    with pytest.raises(PermanentError, match="longer than 16 MB"):
        Read(context)


def test_bytes_that_are_no_utf8_are_rejected_with_a_hint(context):
    write(context, b"a,b\n1,caf\xe9\n2,tea\n")
    read = Read(context)
    assert read.rows == [{"a": 2, "b": "tea"}]
    (problem,) = read.problems
    assert (problem.type, problem.column, problem.line) == ("encoding", "b", 2)
    assert "cp1252" in problem.message
    assert read.rejects[0]["record"] == r"1,caf\xe9"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16", "utf-16-le", "utf-8-sig"])
def test_other_encodings_are_read(context, encoding):
    write(context, "a,b\n1,café\n".encode(encoding))
    assert Read(context, encoding=encoding).rows == [{"a": 1, "b": "café"}]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_byte_order_mark_tells_the_encoding(context, encoding):
    write(context, "a,b\n1,café\n".encode(encoding))
    assert Read(context).rows == [{"a": 1, "b": "café"}]


def test_a_wrong_encoding_is_told_with_a_hint(context):
    write(context, b"a,b\n1,x\x81y\n")
    with pytest.raises(PermanentError, match="not written in cp1252") as caught:
        Read(context, encoding="cp1252")
    assert "Set the right encoding" in str(caught.value)


def test_utf16_without_a_mark_is_told_with_a_hint(context):
    write(context, ("a,b\n" + "1,x\n" * 50).encode("utf-16-le"))
    with pytest.raises(PermanentError, match="utf-16"):
        Read(context)


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_packed_files_are_unpacked(context, ending, pack):
    write(context, pack(b"a\n1\n2\n"), "data.csv" + ending)
    assert Read(context, "data.csv" + ending).rows == [{"a": 1}, {"a": 2}]


def test_a_packed_file_that_is_cut_off_fails_with_its_name(context):
    write(context, gzip.compress(os.urandom(50_000).hex().encode())[:-2000], "data.csv.gz")
    with pytest.raises(PermanentError, match=r"data\.csv\.gz cannot be read"):
        Read(context, "data.csv.gz")


def test_a_missing_file_names_its_neighbour(context):
    write(context, "a\n1\n", "orders.csv")
    with pytest.raises(PermanentError, match=r'There is no file .*oders\.csv\. Did you mean "orders\.csv"\?'):
        Read(context, "oders.csv")


def test_a_folder_is_no_file(context):
    context.path("data.csv").mkdir()
    with pytest.raises(PermanentError, match="is a folder"):
        Read(context)


@pytest.mark.parametrize("content", ["", "\n\n\r\n"])
def test_an_empty_file_is_an_error(context, content):
    write(context, content)
    with pytest.raises(PermanentError, match=r"is empty|holds no line"):
        Read(context)


def test_a_header_alone_gives_columns_without_rows_that_fit_every_expression(context):
    write(context, "a,b")
    read = Read(context, columns={"a": "integer"})
    assert (read.types, read.rows) == ({"a": "integer", "b": "empty"}, [])


def test_names_that_are_there_twice_are_made_different_with_a_warning(context):
    write(context, "id,name,Name,\n1,a,b,c\n")
    assert Read(context).rows == [{"id": 1, "name": "a", "Name_2": "b", "column_4": "c"}]
    assert ("warning", 'The column "Name" is there twice: column 3 is called "Name_2".', {}) in context.logged


def test_a_file_without_header_gets_numbered_columns(context):
    write(context, "1,x\n2,y\n")
    assert Read(context, header=False).rows == [{"column_1": 1, "column_2": "x"}, {"column_1": 2, "column_2": "y"}]


def test_lines_at_the_top_can_be_skipped_and_still_count(context):
    write(context, "Report\nof today\n\nn\n" + "1\n" * 8 + "x\n")
    read = Read(context, skip_lines=2)
    assert read.types == {"n": "integer"}
    assert [problem.line for problem in read.problems] == [13]


def test_declared_types_win(context):
    write(context, "id,amount,on\n1,2.50,yes\n")
    read = Read(context, columns={"id": "text", "amount": "decimal(10,2)", "on": "boolean"})
    assert read.types == {"id": "text", "amount": "decimal(10,2)", "on": "boolean"}
    assert (read.rows[0]["id"], str(read.rows[0]["amount"]), read.rows[0]["on"]) == ("1", "2.50", True)


def test_a_declared_column_that_is_not_there_is_refused_with_a_guess(context):
    write(context, "id,quantity\n1,2\n")
    with pytest.raises(PermanentError, match=r'no column "quantiy" \(setting columns\).*Did you mean "quantity"\?'):
        Read(context, columns={"quantiy": "text"})


def test_a_decimal_comma_is_read(context):
    write(context, "n;m\n1,5;2\n2,25;3\n1.5;4\n" + "3,5;1\n" * 8)
    read = Read(context, decimal=",")
    assert [row["n"] for row in read.rows[:2]] == [1.5, 2.25]
    assert [problem.value for problem in read.problems] == ["1.5"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04abc", "Excel"),
        (b"PAR1abc", "Parquet"),
        (b"\x1f\x8b\x08", "gzip"),
    ],
)
def test_other_kinds_of_files_are_named(context, content, kind):
    write(context, content)
    with pytest.raises(PermanentError, match=kind):
        Read(context)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"delimiter": "::"}, "one sign"),
        ({"encoding": "utf8000"}, "no such encoding"),
        ({"columns": {"a": "intger"}}, 'Did you mean "integer"'),
        ({"delimeter": ";"}, "delimeter"),
    ],
)
def test_wrong_settings_are_refused(config, message):
    with pytest.raises(ValidationError, match=message):
        CsvSource.Config(path="data.csv", **config)


def test_reading_ends_when_the_run_is_stopped(context):
    write(context, "a\n" + "1\n" * 2_000_000)
    emissions = rows_of(CsvSource(CsvSource.Config(path="data.csv")), context)
    rows = next(iter(emissions)).num_rows
    context.stopping.set()
    assert rows + sum(batch.num_rows for batch in emissions) < 2_000_000


def test_very_many_bad_lines_come_in_parts(context):
    write(context, "a,b\n1,2\n" + "1,2,3\n" * 50_000)
    rejected = [
        item
        for item in rows_of(CsvSource(CsvSource.Config(path="data.csv")), context)
        if isinstance(item, sdk.Rejected)
    ]
    assert sum(item.rows.num_rows for item in rejected) == 50_000
    assert max(item.rows.num_rows for item in rejected) <= csv_parser.REJECTED_ROWS


FIELDS = st.text(alphabet='a1",; \n\r\té', max_size=6) | st.integers(-50, 50).map(str) | st.just("")


@st.composite
def messy_files(draw) -> str:
    """Rows of any width, any field, with quotes where Python's writer puts them, blank lines and stray quotes."""
    out = io.StringIO()
    end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(out, lineterminator=end)
    writer.writerow(["first", "second", "third"])
    for row in draw(
        st.lists(st.lists(FIELDS, min_size=1, max_size=4) | st.just([]) | st.just(["7", "x", "y"]), max_size=30)
    ):
        if row == ["7", "x", "y"]:
            out.write(f'7,x"y,"z" {end}')
        else:
            writer.writerow(row)
    return out.getvalue()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=messy_files(), size=st.sampled_from([16, 64, 64 * 1024]))
def test_every_record_is_a_row_or_a_reject_as_pythons_csv_module_sees_it(context, content, size):
    write(context, content)
    expected = [row for row in csv.reader(io.StringIO(content, newline="")) if row][1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_parser, "SMALL_PIECE", size)
        read = Read(context, columns={"first": "integer"}, delimiter=",")
    assert len(read.rows) + len(read.rejects) == len(expected)
    good = [
        row
        for row in expected
        if len(row) == 3 and (row[0].strip(" \t") == "" or row[0].strip(" \t").lstrip("-").isdigit())
    ]
    as_text = [["" if value is None else str(value) for value in row.values()] for row in read.rows]
    numbers = [str(int(row[0])) if row[0].strip(" \t") else "" for row in good]
    assert [row[0] for row in as_text] == numbers
    if read.types["third"] == read.types["second"] == "text":
        assert [row[1:] for row in as_text] == [row[1:] for row in good]


def test_names_with_a_quote_that_is_never_closed_are_refused_instead_of_swallowing_the_file(context):
    write(context, 'id,"name\n1,Tea\n2,Coffee\n')
    with pytest.raises(PermanentError, match=r"opens a quote that is never closed \(line 1\)"):
        Read(context)


def test_a_first_line_that_is_longer_than_the_sample_is_refused_instead_of_cut(context, monkeypatch):
    monkeypatch.setattr(csv_source, "SAMPLE", 20)
    write(context, "a_name_that_is_long,another\n1,2\n")
    with pytest.raises(PermanentError, match=r"is longer than 20 bytes \(line 1\)"):
        Read(context)


def test_a_first_line_with_more_fields_than_any_table_takes_is_refused(context):
    write(context, ",".join(["a"] * 4_001) + "\n")
    with pytest.raises(PermanentError, match="has 4,001 fields"):
        Read(context)


def test_the_same_name_many_times_gives_names_that_differ(context):
    write(context, ",".join(["a", "A"] * 1_000) + "\n")
    names = Read(context).schema.names
    assert len({name.lower() for name in names}) == 2_000
    assert names[:3] == ["a", "A_2", "a_3"]


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("sample", [3, 4, 5, 7, 100])
def test_lines_are_left_out_even_where_they_are_longer_than_what_is_read_at_once(context, monkeypatch, newline, sample):
    monkeypatch.setattr(csv_source, "SAMPLE", sample)
    write(context, newline.join(["one", "a long second line", "", "n,m", "1,2", ""]))
    monkeypatch.setattr(csv_source, "SAMPLE", max(sample, 8))
    assert Read(context, skip_lines=3, columns={"n": "integer", "m": "integer"}).rows == [{"n": 1, "m": 2}]


def test_what_is_left_out_does_not_count_for_the_types(context, monkeypatch):
    """A column that is empty in the first megabyte may have values behind it."""
    monkeypatch.setattr(csv_source, "SAMPLE", 60)
    write(context, "x" * 50 + "\nn,m\n" + "1,\n" * 30 + "2,text\n")
    read = Read(context, skip_lines=1)
    assert read.rows[-1] == {"n": 2, "m": "text"}
    assert read.problems == []


def test_the_quote_is_no_delimiter(context):
    with pytest.raises(ValidationError, match="is the delimiter already"):
        CsvSource.Config(path="a.csv", delimiter=";", quote=";")
    write(context, "a;b\n1;,2;3,\n")
    assert Read(context, quote=",").rows == [{"a": 1, "b": "2;3"}]


@pytest.mark.parametrize("sign", [b'"', b"\n", b"\xe9"])
def test_a_line_that_names_a_delimiter_that_is_none_is_read_as_names(context, sign):
    write(context, b"sep=" + sign + b"\nx\n1\n")
    with contextlib.suppress(PermanentError):
        Read(context)


@pytest.mark.parametrize("encoding", ["hex", "zlib", "undefined"])
def test_a_codec_that_is_none_of_texts_is_no_encoding(encoding):
    with pytest.raises(ValidationError, match="there is no such encoding"):
        CsvSource.Config(path="a.csv", encoding=encoding)


def test_utf_16_without_its_mark_and_half_a_character_are_told(context):
    write(context, b"a,b\n1,2\n")
    with pytest.raises(PermanentError, match="is not written in utf-16: UTF-16 stream does not start with BOM"):
        Read(context, encoding="utf-16")
    write(context, b"a\n+2AA-\n")
    with pytest.raises(PermanentError, match="half a character"):
        Read(context, encoding="utf-7")


def test_a_time_that_does_not_fit_is_rejected_and_the_others_are_times(context):
    times = [f"{hour:02}:30" for hour in range(20)]
    write(context, "at\n" + "\n".join([*times, "24:61", "12:00:00.5"]) + "\n")
    read = Read(context)
    assert read.types == {"at": "time"}
    assert [row["at"] for row in read.rows] == [*(dt.time(hour, 30) for hour in range(20)), dt.time(12, 0, 0, 500_000)]
    assert [problem.value for problem in read.problems] == ["24:61"]
