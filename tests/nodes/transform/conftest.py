"""Runs SQL nodes in a session, as the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from etl_studio.engine.sql import SqlSession
from tests.nodes.extract.conftest import web_context  # noqa: F401 - a fixture for nodes that ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from etl_studio import sdk


@pytest.fixture(scope="session")
def sql_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlSession]:
    session = SqlSession(tmp_path_factory.mktemp("spill"))
    yield session
    session.close()


@pytest.fixture
def row_wise(sql_session: SqlSession) -> Callable[..., tuple[dict[str, list[Any]], list[sdk.Rejected]]]:
    """The columns that come out of one batch, and what is rejected."""

    def run(node_type: type[sdk.SqlTransform], config: dict[str, Any], **columns: Any):
        node = node_type(node_type.Config(**config))
        out, rejected = sql_session.row_wise(node).process(pa.record_batch(columns))
        return out.to_pydict(), rejected

    return run


@pytest.fixture
def whole(sql_session: SqlSession) -> Callable[..., pa.Table]:
    """The table that a blocking node makes of the batches of each input."""

    def run(node_type: type[sdk.SqlTransform], config: dict[str, Any], **inputs: list[pa.RecordBatch]) -> pa.Table:
        work = sql_session.blocking(node_type(node_type.Config(**config)))
        if work.streams:
            [batches] = inputs.values()
            parts = list(work.run(iter(batches)))
        else:
            for port, batches in inputs.items():
                for batch in batches:
                    work.add(port, batch)
            parts = list(work.finish())
        work.close()
        return pa.Table.from_batches(parts)

    return run
