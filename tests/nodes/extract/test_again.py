"""What a source could not read is tried again: mended texts give rows, all others come back as they were."""

from __future__ import annotations

import pyarrow as pa
import pytest

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.extract.csv_source import CsvSource
from etl_studio.nodes.extract.json_source import JsonSource
from etl_studio.nodes.extract.web_page_source import WebPageSource

ORDERS = pa.schema([("id", pa.int64()), ("qty", pa.int64())])


def again(source, tried, context, schema=None):
    """Rows, and (record, type of the problem) of those that came back."""
    emissions = list(source.read_again(tried, schema, context))
    batches = [each for each in emissions if isinstance(each, pa.RecordBatch)]
    back = [
        (row.get("record"), problem.type)
        for each in emissions
        if isinstance(each, sdk.Rejected)
        for row, problem in zip(each.rows.to_pylist(), each.problems, strict=True)
    ]
    return pa.Table.from_batches(batches).to_pylist(), back


@pytest.fixture
def orders(tmp_path):
    (tmp_path / "orders.csv").write_text("id,qty\n1,5\n")
    return CsvSource(CsvSource.Config(path="orders.csv"))


def line(text, number=2):
    return {"line": number, "record": text}


class TestLines:
    def test_a_mended_line_gives_its_row_with_the_types_of_the_run(self, orders, context):
        assert again(orders, [line("2,7")], context, ORDERS) == ([{"id": 2, "qty": 7}], [])

    def test_a_line_that_still_fails_comes_back_as_it_was(self, orders, context):
        assert again(orders, [line("2,seven"), line("3,8")], context, ORDERS) == (
            [{"id": 3, "qty": 8}],
            [("2,seven", "cast")],
        )

    @pytest.mark.parametrize(
        ("text", "problem"),
        [("", "empty"), ('2,"', "open_quote"), ("2,7\n3,x", "cast"), (r"2,\xe9", "encoding"), ("2", "too_few_fields")],
    )
    def test_a_text_that_is_no_line_gives_no_row_at_all(self, orders, context, text, problem):
        assert again(orders, [line(text)], context, ORDERS) == ([], [(text, problem)])

    def test_types_that_are_declared_by_now_win(self, tmp_path, orders, context):
        source = CsvSource(CsvSource.Config(path="orders.csv", columns={"qty": "text"}))
        assert again(source, [line("2,seven")], context, ORDERS) == ([{"id": 2, "qty": "seven"}], [])

    def test_without_the_file_nobody_knows_the_columns(self, tmp_path, orders, context):
        (tmp_path / "orders.csv").unlink()
        with pytest.raises(PermanentError, match="There is no file"):
            again(orders, [line("2,7")], context, ORDERS)


class TestRecords:
    def test_a_mended_record_gives_its_row(self, context):
        source = JsonSource(JsonSource.Config(path="orders.json"))
        assert again(source, [line('{"id": 2, "qty": 7}')], context, ORDERS) == ([{"id": 2, "qty": 7}], [])

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("{x", "json"),
            ("[1]", "no_object"),
            ("[]", "no_object"),
            ('{"id": 2, "colour": 1}', "new_column"),
            ('{"id": "two"}', "cast"),
            ("[" * 100_000, "json"),
        ],
        ids=lambda value: value[:20],
    )
    def test_one_that_still_fails_comes_back_as_it_was(self, context, text, problem):
        source = JsonSource(JsonSource.Config(path="orders.json"))
        assert again(source, [line(text)], context, ORDERS) == ([], [(text, problem)])

    def test_a_field_that_is_declared_by_now_becomes_a_column(self, context):
        source = JsonSource(JsonSource.Config(path="orders.json", columns={"colour": "text"}))
        rows, back = again(source, [line('{"id": 2, "colour": "red"}')], context, ORDERS)
        assert (rows, back) == ([{"id": 2, "qty": None, "colour": "red"}], [])

    def test_a_whole_line_is_looked_through_for_its_items(self, context):
        source = JsonSource(JsonSource.Config(path="orders.ndjson", items="data"))
        rows, _ = again(source, [line('{"data": [{"id": 1}, {"id": 2}]}')], context, ORDERS)
        assert [row["id"] for row in rows] == [1, 2]


class TestAddresses:
    @pytest.fixture
    def shop(self, demo_site):
        urls = [demo_site.url + "/shop?token=s3cret", demo_site.url + "/shop?page=2"]
        return WebPageSource(WebPageSource.Config(urls=urls, item=".card", fields={"name": "h2 a::text"}))

    def test_what_a_letter_hides_is_found_in_the_settings(self, shop, web_context, demo_site):
        hidden = {"url": demo_site.url + "/shop?token=***", "number": 1}
        rows, back = again(shop, [hidden], web_context)
        assert (len(rows), back) == (20, [])

    def test_an_address_that_is_no_longer_wanted_comes_back(self, shop, web_context, demo_site):
        gone = {"url": demo_site.url + "/shop?page=9", "number": 2}
        emissions = list(shop.read_again([gone], None, web_context))
        (refused,) = (each for each in emissions if isinstance(each, sdk.Rejected))
        assert refused.problems[0].operation == gone
        assert "not among the addresses any more" in refused.problems[0].message
