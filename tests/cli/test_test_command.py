"""``test`` runs the tests that are kept beside a pipeline."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from etl_studio.engine.golden_rows import batch_from, read_rows, rows_of, write_rows
from etl_studio.errors import UsageError
from tests.pipeline.test_file_properties import quick


@pytest.fixture
def shop(tmp_path):
    """A pipeline whose sources cannot be read and whose sinks must not be written."""
    path = tmp_path / "shop.etl.yaml"
    path.write_text(
        "etl_studio: 1\n"
        "parameters:\n  minimum: {type: number, default: 1}\n"
        "nodes:\n"
        '  pages:\n    type: rest_source\n    config: {url: "http://127.0.0.1:1/goods?token=${secret:shop}"}\n'
        '  clean:\n    type: derive\n    config: {columns: {price: "CAST(price AS DECIMAL(10,2))"}}\n'
        '  keep:\n    type: filter\n    config: {where: "price >= ${minimum}"}\n'
        "  sum:\n    type: aggregate\n    config: {by: [shop], measures: {total: sum(price)}}\n"
        "  save:\n    type: sqlite_sink\n    config: {table: goods, database: goods.db}\n"
        "  file:\n    type: csv_sink\n    config: {path: totals.csv}\n"
        "wires:\n  - pages -> clean\n  - clean -> keep\n  - keep -> save\n  - keep -> sum\n  - sum -> file\n"
    )
    return path


@pytest.fixture
def case(shop):
    """``case("name", "given/pages.csv", "text", ...)`` writes files of a test."""

    def write(name, *files):
        folder = shop.with_name("shop.tests") / name
        for path, text in zip(files[::2], files[1::2], strict=True):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    return write


PAGES = "shop:text,price:text\na,1.50\na,0.20\nb,3.00\n"
KEPT = 'shop:text,"price:decimal(10,2)"\na,1.50\nb,3.00\n'


def test_a_case_that_holds_passes_and_nothing_is_read_or_written(call, shop, case):
    case("prices", "given/pages.csv", PAGES, "expected/keep.csv", KEPT, "expected/save.csv", KEPT)
    before = sorted(path.name for path in shop.parent.iterdir())
    answer = call("test", shop)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"passed  {shop} prices (keep: 2, save: 2)\n1 of 1 passed.\n"
    assert sorted(path.name for path in shop.parent.iterdir()) == before


def test_what_differs_is_told_by_row_and_column(call, shop, case):
    case("prices", "given/pages.csv", PAGES, "expected/keep.csv", KEPT.replace("a,1.50", "a,1.60") + "c,9.00\n")
    answer = call("test", shop)
    assert answer.code == 1
    assert answer.out.splitlines()[1:] == [
        "  keep:",
        "    row           column  expected  actual",
        '    1    changed  price   "1.60"    "1.50"',
        '    3    missing  shop    "c"',
        '    3    missing  price   "9.00"',
        "0 of 1 passed.",
    ]


def test_a_row_too_many_does_not_make_the_others_differ(call, shop, case):
    case("prices", "given/pages.csv", PAGES, "expected/clean.csv", KEPT)
    out = call("test", shop).out
    assert out.count("unexpected") == 2
    assert '    2    unexpected  price             "0.20"' in out
    assert "changed" not in out


def test_another_type_and_other_columns_are_told(call, shop, case):
    case("prices", "given/pages.csv", PAGES, "expected/keep.csv", "price:number,size:text\n1.5,\n3.0,\n")
    out = call("test", shop).out
    assert "the column price is decimal(10,2), expected was number" in out
    assert "the column size (text) did not come" in out
    assert "the column shop (text) was not expected" in out


def test_rows_without_types_are_compared_by_value(call, shop, case):
    case("csv", "given/pages.csv", PAGES, "expected/keep.csv", "shop,price\na,1.50\nb,3.00\n")
    rows = '[{"shop": "a", "price": "1.50"}, {"shop": "b", "price": "3.00"}]'
    case(
        "json",
        "given/pages.json",
        '[{"shop": "a", "price": 1.5}, {"shop": "b", "price": 3}]',
        "expected/keep.json",
        rows,
    )
    assert call("test", shop).code == 0


def test_a_node_in_the_middle_can_be_given(call, shop, case):
    case(
        "sums", "given/keep.json", '{"columns": {"shop": "text", "price": "number"}, "rows": ['
        '{"shop": "a", "price": 0.1}, {"shop": "a", "price": 0.2}, {"shop": "a", "price": null}]}',
        "expected/file.json", '[{"shop": "a", "total": 0.3}]',
    )  # fmt: skip
    answer = call("test", shop)
    assert answer.code == 0, answer.out


def test_the_rejects_of_a_node_can_be_expected_though_no_wire_begins_there(call, shop, case):
    folder = case("bad", "given/pages.csv", "shop,price\na,1\nb,many\n", "expected/clean.rejects.json", "[]")
    answer = call("test", shop)
    assert answer.code == 1
    assert "1    unexpected  price" in answer.out
    assert '"many"' in answer.out
    (folder / "case.yaml").write_text("ignore: {clean: [_error, _error_type, _node]}\n")
    (folder / "expected" / "clean.rejects.json").write_text('[{"shop": "b", "price": "many"}]')
    answer = call("test", shop)
    assert answer.code == 0, answer.out


def test_order_matters_unless_the_case_says_no(call, shop, case):
    turned = KEPT.replace("a,1.50\nb,3.00\n", "b,3.00\na,1.50\n")
    folder = case("order", "given/pages.csv", PAGES, "expected/keep.csv", turned)
    answer = call("test", shop)
    assert answer.code == 1
    assert "in another order; if it means nothing: any_order: [keep] in case.yaml" in answer.out
    (folder / "case.yaml").write_text("any_order: [keep]\n")
    assert call("test", shop).code == 0
    (folder / "expected" / "keep.csv").write_text(turned.replace("b,3.00", "b,4.00"))
    assert '1    changed  price   "4.00"    "3.00"' in call("test", shop).out


def test_rows_that_become_dead_letters_are_counted(call, shop, case):
    case(
        "bad", "given/pages.csv", "shop,price\na,1\nb,many\n", "expected/keep.json", '[{"shop": "a", "price": "1.00"}]'
    )
    answer = call("test", shop)
    assert (answer.code, answer.out.splitlines()[0]) == (0, f"passed  {shop} bad (keep: 1; dead letters: 1)")


def test_a_case_has_parameters_of_its_own(call, shop, case):
    case("dear", "given/pages.csv", PAGES, "expected/keep.json", '[{"shop": "b", "price": "3.00"}]')
    assert call("test", shop).code == 1
    case("dear", "case.yaml", "parameters: {minimum: 2}\n")
    assert call("test", shop).code == 0


def test_an_empty_text_is_not_null(call, shop, case):
    case(
        "empty", "given/clean.csv", 'shop:text,price:number\n"",1\n,2\n', "expected/keep.csv", 'shop,price\n,1\n"",2\n'
    )
    answer = call("test", shop)
    assert '1    changed  shop    null      ""' in answer.out
    assert '2    changed  shop    ""        null' in answer.out


def test_update_writes_what_comes_out_and_then_it_passes(call, shop, case):
    folder = case("new", "given/pages.csv", PAGES)
    assert "The case expects no rows. Add new/expected/NODE.json" in call("test", shop).out
    answer = call("test", shop, "--update")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "1 of 1 updated.")
    assert (folder / "expected" / "file.json").read_text() == (
        "{\n"
        '  "columns": {"shop": "text", "total": "decimal(38,2)"},\n'
        '  "rows": [\n    {"shop": "a", "total": "1.50"},\n    {"shop": "b", "total": "3.00"}\n  ]\n}\n'
    )
    assert (folder / "expected" / "save.json").is_file()
    (folder / "case.yaml").write_text("any_order: [file]\n")
    assert call("test", shop).code == 0


def test_update_keeps_the_form_of_the_file(call, shop, case):
    folder = case("form", "given/pages.csv", PAGES, "expected/keep.csv", "shop\n")
    call("test", shop, "--update")
    assert (folder / "expected" / "keep.csv").read_text() == KEPT


def test_record_makes_a_case_from_what_the_sources_give(call, pipeline_file):
    answer = call("test", pipeline_file, "--record", "first", "--rows", "2", "-p", "minimum=4")
    assert answer.code == 0
    folder = pipeline_file.with_name("orders.tests") / "first"
    assert read_rows(folder / "given" / "read.json").rows == [{"id": 1, "quantity": 3}, {"id": 2, "quantity": 7}]
    assert read_rows(folder / "expected" / "save.json").rows == [{"id": 2, "quantity": 7}]
    pipeline_file.with_name("orders.csv").unlink()
    assert call("test", pipeline_file).code == 0
    assert not pipeline_file.with_name("kept.csv").exists()
    assert "There is a test first already." in call("test", pipeline_file, "--record", "first").err


def test_all_pipelines_of_a_folder_are_tested_and_one_case_can_be_chosen(call, shop, case, pipeline_file):
    case("good", "given/pages.csv", PAGES, "expected/keep.csv", KEPT)
    case("bad", "given/pages.csv", PAGES, "expected/keep.csv", PAGES)
    pipeline_file.with_name("orders.tests").mkdir()
    assert call("test", shop.parent).out.splitlines()[-1] == "1 of 2 passed."
    assert call("test", shop.parent, "--case", "good").code == 0
    answer = call("test", shop, "--case", "god")
    assert (answer.code, answer.err) == (
        2,
        f"etl-studio: {shop} has no case god. Make one: etl-studio test FILE --record NAME.\n",
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            ("expected/keep.csv", KEPT),
            'gives no rows for the source "pages". Add wrong/given/pages.json, or make a test with',
        ),
        (("given/page.csv", PAGES), 'about a node "page" that is not there. Did you mean "pages"?'),
        (("given/pages.txt", PAGES), "Rows are in .json and .csv files."),
        (("given/pages.more.csv", PAGES), 'pages has no output "more".'),
        (("given/pages.csv", PAGES, "given/pages.json", "[]"), "are about the same rows"),
        (("given/pages.json", "{}", "expected/keep.csv", KEPT), "an object has the keys columns and rows"),
        (("given/pages.json", "[1]", "expected/keep.csv", KEPT), "each row is an object"),
        (("given/pages.csv", "a:integer\nx\n", "expected/keep.csv", KEPT), '"x" does not fit the column "a"'),
        (("given/pages.csv", "a:intager\n1\n", "expected/keep.csv", KEPT), 'There is no column type "intager"'),
        (("given/pages.csv", PAGES, "expected/pages.csv", PAGES), 'rows of "pages" are given and expected'),
        (("given/pages.csv", "shop\na\n", "expected/keep.csv", KEPT), "price"),
        (("case.yaml", "order: any\n"), "holds something else than any_order, ignore, parameters"),
    ],
)
def test_what_is_wrong_with_a_case_is_told_and_the_others_run(call, shop, case, files, message):
    case("right", "given/pages.csv", PAGES, "expected/keep.csv", KEPT)
    case("wrong", *files)
    answer = call("test", shop)
    assert answer.code == 1
    assert message in answer.out
    assert "Traceback" not in answer.out + answer.err
    assert "1 of 2 passed." in answer.out


def test_a_pipeline_that_cannot_run_fails_its_cases(call, shop, case):
    case("prices", "given/pages.csv", PAGES, "expected/keep.csv", KEPT)
    text = shop.read_text()
    shop.write_text(text.replace("price >= ${minimum}", "price >="))
    assert "config.where" in call("test", shop).out
    shop.write_text("etl_studio: 2\n")
    answer = call("test", shop)
    assert answer.code == 1
    assert "made by a newer ETL Studio" in answer.out


def test_for_programs_it_is_one_object_for_each_case(call, shop, case):
    case("prices", "given/pages.csv", PAGES, "expected/keep.csv", KEPT.replace("1.50", "1.60"))
    answer = call("test", shop, "--json")
    (found,) = map(json.loads, answer.out.splitlines())
    assert (answer.code, found["case"], found["status"]) == (1, "prices", "failed")
    assert found["checked"][0]["place"] == "keep"
    assert found["checked"][0]["difference"]["rows"] == [
        {
            "kind": "changed",
            "expected_row": 1,
            "actual_row": 1,
            "cells": [{"column": "price", "expected": "1.60", "actual": "1.50"}],
        }
    ]


columns = {
    "a": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "b": (pa.string(), st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)),
    "c:d": (pa.float64(), st.floats(allow_nan=False)),
    "e": (pa.bool_(), st.booleans()),
    "f": (pa.decimal128(10, 2), st.decimals(-100, 100, places=2)),
    "g": (pa.date32(), st.dates()),
    "h": (pa.timestamp("us"), st.datetimes()),
}
nested = {
    "i": (pa.list_(pa.int64()), st.lists(st.integers(0, 9), max_size=3)),
    "j": (pa.binary(), st.binary(max_size=4)),
}


@pytest.mark.parametrize(("ending", "kinds"), [("json", columns | nested), ("csv", columns)])
def test_rows_are_read_back_as_they_were_with_their_types(tmp_path, ending, kinds):
    path = tmp_path / f"rows.{ending}"

    @quick
    @example([dict.fromkeys(kinds) | {"b": text} for text in ("\r", "\n", "\r\n", " ", "")])
    @given(
        st.lists(st.fixed_dictionaries({name: st.none() | values for name, (_, values) in kinds.items()}), max_size=4)
    )
    def check(rows):
        table = pa.Table.from_pylist(rows, pa.schema([(name, kind) for name, (kind, _) in kinds.items()]))
        write_rows(rows_of(table), path)
        assert pa.Table.from_batches([batch_from(read_rows(path))]) == table

    check()


def test_a_csv_file_cannot_keep_lists(tmp_path):
    table = pa.table({"a": [[Decimal(1)]]})
    with pytest.raises(UsageError, match="nested values"):
        write_rows(rows_of(table), tmp_path / "a.csv")
