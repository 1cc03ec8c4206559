from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.load.sqlite_sink import SqliteSink
from etl_studio.storage.databases import Databases
from tests.storage.tables import rows_of

ROWS = pa.RecordBatch.from_pydict({"id": [1, 2], "name": ["a", "b"]})


@pytest.fixture
def databases():
    opened = Databases(0.1)
    yield opened
    opened.close()


@pytest.fixture
def context(node_context, databases, tmp_path):
    """``data.db`` is the workspace's own database; other paths start at the pipeline's folder."""
    return node_context(tmp_path, database=lambda path: databases.open(tmp_path / (path or "data.db")))


def opened(context, **config: Any) -> SqliteSink:
    sink = SqliteSink(SqliteSink.Config(**({"table": "t"} | config)))
    sink.open(ROWS.schema, context)
    return sink


def save(context, *batches: pa.RecordBatch, **config: Any) -> sdk.Loaded:
    sink = opened(context, **config)
    for batch in batches:
        assert list(sink.write(batch, context)) == []
    try:
        return sink.commit(context)
    finally:
        sink.abort(context)


def rows(context, table: str = "t", database: str | None = None):
    return rows_of(context.database(database), table)


def test_by_default_rows_are_appended_to_a_table_of_the_workspace(context):
    assert save(context, ROWS) == sdk.Loaded(inserted=2)
    assert save(context, ROWS) == sdk.Loaded(inserted=2)
    assert rows(context) == 2 * [(1, "a"), (2, "b")]


def test_merge_updates_by_key_and_tells_what_it_did(context):
    save(context, ROWS, write_disposition="merge", key=["id"])
    again = pa.RecordBatch.from_pydict({"id": [2, 3, 3], "name": ["B", "x", "c"]})
    assert save(context, again, write_disposition="merge", key=["id"]) == (
        sdk.Loaded(inserted=1, updated=1, superseded=1)
    )
    assert rows(context) == [(1, "a"), (2, "B"), (3, "c")]


def test_replace_puts_the_rows_in_the_place_of_the_old_ones(context):
    save(context, ROWS)
    assert save(context, ROWS.slice(1), write_disposition="replace") == sdk.Loaded(inserted=1)
    assert rows(context) == [(2, "b")]


def test_another_database_is_found_from_the_folder_of_the_pipeline(context):
    save(context, ROWS, database="results.db")
    assert rows(context, database="results.db") == [(1, "a"), (2, "b")]
    assert context.folder.joinpath("results.db").is_file()
    assert not context.folder.joinpath("data.db").exists()


def test_a_row_without_its_key_is_rejected_and_the_others_are_loaded(context):
    sink = opened(context, write_disposition="merge", key=["id"])
    batch = pa.RecordBatch.from_pydict({"id": [1, None], "name": ["a", "b"]})
    (rejected,) = sink.write(batch, context)
    assert rejected.rows.to_pylist() == [{"id": None, "name": "b"}]
    assert rejected.problems[0].column == "id"
    assert sink.commit(context) == sdk.Loaded(inserted=1)
    sink.abort(context)
    assert rows(context) == [(1, "a")]


def test_nothing_is_visible_before_the_commit_and_nothing_after_an_abort(context):
    save(context, ROWS)
    sink = opened(context, write_disposition="replace")
    sink.write(ROWS.slice(0, 1), context)
    assert rows(context) == [(1, "a"), (2, "b")]
    sink.abort(context)
    assert rows(context) == [(1, "a"), (2, "b")]


def test_abort_is_harmless_when_open_failed(context):
    sink = SqliteSink(SqliteSink.Config(table="t", database="nowhere/x.db"))
    with pytest.raises(PermanentError, match="nowhere"):
        sink.open(ROWS.schema, context)
    sink.abort(context)


def test_abort_is_harmless_when_the_table_did_not_fit(context):
    save(context, ROWS)
    other = pa.RecordBatch.from_pydict({"id": [1], "price": [2.0]})
    sink = SqliteSink(SqliteSink.Config(table="t"))
    with pytest.raises(PermanentError, match='"price"'):
        sink.open(other.schema, context)
    sink.abort(context)
    assert rows(context) == [(1, "a"), (2, "b")]


def test_an_empty_batch_makes_the_table_with_its_columns(context):
    assert save(context, ROWS.slice(0, 0)) == sdk.Loaded()
    assert rows(context) == []


@pytest.mark.parametrize(
    ("config", "at_barriers", "partial"),
    [
        ({}, True, True),
        ({"write_disposition": "replace"}, False, False),
        ({"write_disposition": "merge"}, True, True),
        ({"write_disposition": "merge", "strategy": "insert_only"}, True, True),
        ({"write_disposition": "merge", "strategy": "delete_insert"}, False, False),
        ({"write_disposition": "merge", "strategy": "scd2"}, False, True),
        ({"write_disposition": "merge", "dedup_sort": "id"}, False, True),
        ({"write_disposition": "merge", "hard_delete": "gone"}, True, True),
        ({"write_disposition": "merge", "hard_delete": "gone", "version": "id"}, False, True),
    ],
)
def test_a_part_of_the_rows_is_committed_only_where_it_does_right(config, at_barriers, partial):
    sink = SqliteSink(SqliteSink.Config(table="t", key=["id"], **config))
    assert (sink.commits_at_barriers, sink.keeps_partial) == (at_barriers, partial)


def test_the_settings_of_a_merge_reach_the_table(context):
    settings = {
        "write_disposition": "merge",
        "key": ["id"],
        "strategy": "scd2",
        "valid_from": "since",
        "valid_to": "to",
    }
    save(context, ROWS, **settings)
    again = pa.RecordBatch.from_pydict({"id": [2], "name": ["B"]})
    assert save(context, again, **settings) == sdk.Loaded(updated=1)
    now = context.database(None).query('SELECT id, name FROM t WHERE "to" IS NULL ORDER BY id')
    assert now == [(1, "a"), (2, "B")]


def test_a_load_is_recorded_with_its_run_and_node(context):
    save(context, ROWS)
    assert context.database(None).query("SELECT run, node FROM _etl_loads") == [(context.run, context.node)]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"table": "t", "write_disposition": "merge"}, "merge needs at least one key column"),
        ({"table": ""}, "table"),
        ({"write_disposition": "append"}, "table"),
        ({"table": "t", "write_disposition": "upsert"}, "write_disposition"),
        ({"table": "t", "keys": ["id"]}, "keys"),
        ({"table": "t", "write_disposition": "merge", "key": ["id"], "dedup_sort": "a", "version": "a"}, "dedup_sort"),
        ({"table": "t", "valid_from": "at", "valid_to": "At"}, "valid_to"),
    ],
)
def test_settings_that_cannot_work_are_refused(config, message):
    with pytest.raises(ValidationError, match=message):
        SqliteSink.Config(**config)


def test_a_reserved_name_is_refused_before_any_row_comes(context):
    sink = SqliteSink(SqliteSink.Config(table="sqlite_orders"))
    with pytest.raises(PermanentError, match="sqlite_orders"):
        sink.open(ROWS.schema, context)
    sink.abort(context)
