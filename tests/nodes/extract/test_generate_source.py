from __future__ import annotations

import time
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.extract.generate_source import GenerateSource
from tests.nodes.conftest import rows_of


def batches(context, **config: Any) -> list[pa.RecordBatch]:
    return list(rows_of(GenerateSource(GenerateSource.Config(**config)), context))


def rows(context, **config: Any) -> list[dict[str, Any]]:
    return pa.Table.from_batches(batches(context, **config)).to_pylist()


def test_each_column_is_an_expression_over_the_number_of_the_row(context):
    assert rows(context, rows=3, columns={"id": "i", "text": "'item ' || i -- counted"}) == [
        {"id": 0, "text": "item 0"},
        {"id": 1, "text": "item 1"},
        {"id": 2, "text": "item 2"},
    ]


def test_the_defaults_give_a_useful_table(context):
    (first, *_), made = batches(context), rows(context)
    assert first.schema.names == ["id", "customer", "quantity", "price", "day"]
    assert len(made) == 1_000
    assert {1 <= row["quantity"] <= 20 and 1 <= row["price"] <= 100 for row in made} == {True}


def test_the_same_seed_gives_the_same_rows_and_another_gives_others(context):
    columns = {"a": "random()", "b": "random()"}
    first = rows(context, rows=200_000, columns=columns, seed=7)
    assert rows(context, rows=200_000, columns=columns, seed=7) == first
    assert rows(context, rows=200_000, columns=columns, seed=8) != first


def test_many_rows_come_in_batches(context):
    sizes = [batch.num_rows for batch in batches(context, rows=150_000, columns={"i": "i"})]
    assert (sum(sizes), max(sizes)) == (150_000, 65_536)


def test_without_rows_the_columns_are_told(context):
    (batch,) = batches(context, rows=0, columns={"a": "i"})
    assert (batch.num_rows, batch.schema.names) == (0, ["a"])


def test_a_rate_is_kept(context):
    began = time.monotonic()
    made = batches(context, rows=60, columns={"i": "i"}, rows_per_second=200)
    assert time.monotonic() - began >= 0.3
    assert [batch.num_rows for batch in made] == [20, 20, 20]


def test_waiting_for_the_rate_ends_at_once_when_the_run_is_stopped(context, stopping_after):
    stopping_after(context, 0.05)
    began = time.monotonic()
    assert batches(context, rows=10, columns={"i": "i"}, rows_per_second=0.01) == []
    assert time.monotonic() - began < 10


def test_very_many_rows_can_be_stopped(context):
    emissions = iter(rows_of(GenerateSource(GenerateSource.Config(rows=10**12, columns={"i": "i"})), context))
    assert next(emissions).num_rows == 65_536
    context.stopping.set()
    assert list(emissions) == []


def test_a_wrong_expression_names_its_column(context):
    with pytest.raises(PermanentError, match=r'column "b" is wrong: .*"j"') as caught:
        batches(context, columns={"a": "i", "b": "j + 1"})
    assert (caught.value.column, caught.value.value) == ("b", "j + 1")


def test_an_expression_that_fails_for_a_row_is_told(context):
    with pytest.raises(PermanentError, match="Could not convert string 'x5'"):
        batches(context, rows=10, columns={"a": "CAST(CASE WHEN i = 5 THEN 'x5' ELSE '1' END AS INTEGER)"})


def test_no_file_can_be_read_by_an_expression(context):
    path = context.path("secret.txt")
    path.write_text("secret")
    with pytest.raises(PermanentError):
        batches(context, columns={"a": f"(SELECT content FROM read_text('{path}'))"})


@pytest.mark.parametrize("config", [{"columns": {}}, {"rows": -1}, {"rows_per_second": 0}, {"row": 1}])
def test_senseless_settings_are_refused(config):
    with pytest.raises(ValidationError):
        GenerateSource.Config(**config)
