"""The ends of a pipeline that is used as a node, and the passages that they become."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio.errors import PermanentError
from etl_studio.nodes.sub_pipelines.passage import Passage
from etl_studio.nodes.sub_pipelines.pipeline_input import PipelineInput
from etl_studio.nodes.sub_pipelines.pipeline_output import PipelineOutput
from etl_studio.sdk import Cursor


def read(context, **settings):
    node = PipelineInput(PipelineInput.Config(**settings))
    return [one for one in node.read(context) if not isinstance(one, Cursor)]


def test_an_input_gives_its_sample_rows_with_the_types_of_its_columns(context):
    (batch,) = read(context, columns={"price": "decimal(6,2)"}, rows=[{"price": "9.50", "name": "tea"}, {"price": 1}])

    assert batch.schema.field("price").type == pa.decimal128(6, 2)
    assert [str(row["price"]) for row in batch.to_pylist()] == ["9.50", "1.00"]
    assert batch.column("name").to_pylist() == ["tea", None]


def test_an_input_without_rows_but_with_columns_gives_no_rows_of_these(context):
    batches = read(context, columns={"price": "number"})

    assert sum(batch.num_rows for batch in batches) == 0
    assert batches[0].schema.names == ["price"]


def test_an_input_that_knows_nothing_says_that_rows_come_from_another_pipeline(context):
    with pytest.raises(PermanentError, match='No rows come by the input "orders" when this pipeline runs by itself'):
        read(context, port="orders")


def test_sample_rows_hold_columns_with_values():
    with pytest.raises(ValidationError, match="names of columns"):
        PipelineInput.Config(rows=[1, 2])


def test_no_output_is_called_rejects():
    with pytest.raises(ValidationError, match="rows that a node refuses"):
        PipelineOutput.Config(port="rejects")


def test_an_output_accounts_for_its_rows_and_keeps_none(context):
    node = PipelineOutput(PipelineOutput.Config())
    batch = pa.record_batch({"n": [1, 2, 3]})
    node.open(batch.schema, context)

    assert list(node.write(batch, context)) == []
    assert node.commit(context).rows == 3
    assert node.commit(context).rows == 0


def test_rows_pass_a_passage_as_they_are(context):
    node = Passage(Passage.Config(columns={"n": "integer"}))
    batch = pa.record_batch({"n": [1, 2], "m": ["a", None]})

    assert list(node.start(batch.schema, context)) == []
    assert list(node.process(batch, context)) == [batch]


def test_a_passage_tells_which_column_does_not_arrive(context):
    node = Passage(Passage.Config(port="orders", columns={"price": "number"}))

    with pytest.raises(PermanentError, match='arrive at the input "orders" have no column "price"') as caught:
        node.start(pa.schema([("prize", pa.float64())]), context)
    assert "They have: prize." in caught.value.hint
