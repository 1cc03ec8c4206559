"""Tables as files: the values survive, and a file is whole or not there."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
import zipfile

import pyarrow.parquet as pq
import pytest

from etl_studio.errors import Cancelled, PermanentError, UsageError
from etl_studio.storage import export as export_module
from etl_studio.storage.results import Results

COLUMNS = ["id", "name", "price", "ok", "data"]


@pytest.fixture
def results(file):
    file.query("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, price REAL, ok BOOLEAN, data BLOB)")
    return Results(file)


def add(file, *rows):
    for row in rows:
        file.query("INSERT INTO t VALUES (?, ?, ?, ?, ?)", row)


def sheet(path):
    """Rows of the first sheet as texts."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        tree = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    return [["".join(cell.itertext()) for cell in row] for row in tree.iter(f"{space}row")]


def test_csv_holds_the_values_as_they_are(file, results, tmp_path):
    name = 'said "no",\r\nthen\rleft; é 漢 🙂'
    add(file, (2, name, 0.1, 0, None), (1, None, 1e300, 1, b"\xff"), (3, "a\rb", 2.0, None, b""))
    assert results.export("t", tmp_path / "out.csv") == 3
    text = (tmp_path / "out.csv").read_bytes().decode("utf-8")
    assert text.startswith("id,name,price,ok,data\n1,,1e+300,true,/w==\n")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as content:
        assert list(csv.reader(content))[1:] == [
            ["1", "", "1e+300", "true", "/w=="],
            ["2", name, "0.1", "false", ""],
            ["3", "a\rb", "2.0", "", ""],
        ]


def test_json_lines_hold_typed_values(file, results, tmp_path):
    add(file, (1, "é", 0.1, 1, b"\xff"), (2, None, float("inf"), 0, None))
    results.export("t", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line, parse_constant=pytest.fail) for line in lines] == [
        {"id": 1, "name": "é", "price": 0.1, "ok": True, "data": "/w=="},
        {"id": 2, "name": None, "price": "inf", "ok": False, "data": None},
    ]


def test_parquet_holds_the_types_of_the_table(file, results, tmp_path):
    add(file, (2**62, "é", 0.1, 1, b"\xff"), (2, None, None, None, None))
    results.export("t", tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert [str(field.type) for field in table.schema] == ["int64", "string", "double", "bool", "binary"]
    assert table.to_pylist() == [
        dict(zip(COLUMNS, (2, None, None, None, None), strict=True)),
        dict(zip(COLUMNS, (2**62, "é", 0.1, True, b"\xff"), strict=True)),
    ]


def test_parquet_refuses_a_column_of_mixed_values_and_leaves_no_file(file, results, tmp_path):
    file.query("CREATE TABLE mixed (n INTEGER)")
    file.query("INSERT INTO mixed VALUES (1), ('ten')")
    with pytest.raises(PermanentError, match=r'column "n".*no int64') as caught:
        results.export("mixed", tmp_path / "out.parquet")
    assert "csv" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []
    assert results.export("mixed", tmp_path / "out.csv") == 2


def test_excel_keeps_long_numbers_and_runs_no_formula(file, results, tmp_path):
    add(file, (1234567890123456789, "=1+1", float("inf"), 1, None), (2, "https://example.org", 0.5, 0, b"\xff"))
    file.query('CREATE TABLE "a/b: [c]" AS SELECT * FROM t')
    results.export("t", tmp_path / "out.xlsx")
    rows = sheet(tmp_path / "out.xlsx")
    assert rows[0] == COLUMNS
    assert rows[1] == ["2", "https://example.org", "0.5", "0", "/w=="]
    assert rows[2][:3] == ["1234567890123456789", "=1+1", "inf"]
    assert results.export("a/b: [c]", tmp_path / "other.xlsx") == 2


def test_more_rows_than_a_sheet_takes_are_refused_before_anything_is_written(file, results, tmp_path, monkeypatch):
    add(file, (1, "a", 1, 1, None), (2, "b", 1, 1, None))
    monkeypatch.setattr(export_module, "EXCEL_ROWS", 1)
    with pytest.raises(UsageError, match="has 2 rows; a sheet of Excel takes 1"):
        results.export("t", tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


def test_a_text_too_long_for_a_cell_is_told_and_not_cut(file, results, tmp_path):
    add(file, (1, "x" * 32_767, 1, 1, None))
    assert results.export("t", tmp_path / "fits.xlsx") == 1
    add(file, (2, "x" * 32_768, 1, 1, None))
    with pytest.raises(PermanentError, match=r"no room for this row.*row 2"):
        results.export("t", tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()


def test_formulas_are_guarded_where_that_is_asked_for(file, results, tmp_path):
    add(file, (1, "=cmd()", -1.5, 1, None), (2, "-x", 1, 1, None), (3, "plain", 1, 1, None))
    results.export("t", tmp_path / "plain.csv")
    results.export("t", tmp_path / "guarded.csv", guard_formulas=True)
    assert "\n1,=cmd(),-1.5," in (tmp_path / "plain.csv").read_text()
    lines = (tmp_path / "guarded.csv").read_text().splitlines()
    assert [line.split(",")[1:3] for line in lines[1:]] == [["'=cmd()", "-1.5"], ["'-x", "1.0"], ["plain", "1.0"]]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_table_without_rows_gives_a_file_without_rows(results, tmp_path, ending):
    assert results.export("t", tmp_path / f"out.{ending}") == 0
    assert (tmp_path / f"out.{ending}").exists()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_cancelled_export_leaves_the_old_file_and_nothing_else(file, results, tmp_path, ending, monkeypatch):
    monkeypatch.setattr(export_module, "CHUNK", 1)
    add(file, *((number, "a", 1, 1, None) for number in range(5)))
    target = tmp_path / "files" / f"out.{ending}"
    target.parent.mkdir()
    target.write_text("old")
    done = []
    with pytest.raises(Cancelled):
        results.export("t", target, lambda rows, total: done.append((rows, total)), lambda: len(done) >= 2)
    assert done == [(1, 5), (2, 5)]
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert target.read_text() == "old"
    # Its query has ended, too: nothing holds the database.
    file.query("DROP TABLE t")


def test_progress_ends_with_all_rows(file, results, tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "CHUNK", 2)
    add(file, *((number, "a", 1, 1, None) for number in range(5)))
    done = []
    results.export("t", tmp_path / "out.csv", lambda rows, total: done.append((rows, total)))
    assert done == [(2, 5), (4, 5), (5, 5)]


def test_an_ending_that_is_not_known_is_told_with_those_that_are(results, tmp_path):
    with pytest.raises(UsageError, match=r'"\.ods".*\.csv, \.jsonl, \.parquet, \.xlsx'):
        results.export("t", tmp_path / "out.ods")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_folder_that_is_not_there_is_told(results, tmp_path, ending):
    with pytest.raises(PermanentError, match="cannot be written"):
        results.export("t", tmp_path / "missing" / f"out.{ending}")


FULL = """
import resource, signal, sys
from pathlib import Path
from etl_studio.errors import EtlError
from etl_studio.storage.databases import Databases
from etl_studio.storage.results import Results
import etl_studio.storage.export, pyarrow.parquet, xlsxwriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Databases() as databases:
    results = Results(databases.open(Path(sys.argv[1])))
    results.tables()
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    try:
        results.export("t", Path(sys.argv[2]))
    except EtlError as error:
        print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of files are POSIX")
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_full_disk_leaves_the_old_file(file, results, tmp_path, ending):
    add(file, *((number, os.urandom(200).hex(), 1, 1, None) for number in range(500)))
    file.release()
    target = tmp_path / "files" / f"out.{ending}"
    target.parent.mkdir()
    target.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FULL), str(file.path), str(target)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.startswith("PermanentError")
    assert "cannot be written" in done.stdout
    assert target.read_text() == "old"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
