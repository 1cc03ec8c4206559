"""A SELECT over the node's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from etl_studio import sdk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class Sql(sdk.SqlTransform):
    """Runs one SELECT over its inputs, in DuckDB's dialect.

    Each input is a table that is called as its port: `input`, or the name that a wire gives it (`-> node.customers`
    makes the table `customers`). Joins, windows, subqueries, CTEs and `PIVOT ... IN` all work:

    ```sql
    SELECT c.name, sum(o.price) AS revenue
    FROM orders AS o JOIN customers AS c USING (customer_id)
    GROUP BY ALL ORDER BY revenue DESC
    ```

    The query sees its inputs and nothing else: no file, no database, no network. It runs once all rows are there.
    A value on which it fails ends the run; use `TRY_CAST`, or convert types with *Select* first: that rejects bad rows.
    """

    type = "sql"
    title = "SQL"
    icon = "database"
    group = "transform"
    keywords = ("query", "select", "window", "pivot", "duckdb", "join", "subquery")
    inputs = (sdk.Port("input", "Rows", optional=True),)
    outputs = (sdk.OUT,)
    open_inputs = True
    rows = "any"
    blocking = True
    example: ClassVar = {"query": "SELECT category, max(price) AS dearest FROM input GROUP BY category"}

    class Config(sdk.Config):
        """The query."""

        query: str = sdk.setting(
            title="Query",
            description="One SELECT; the tables are the node's inputs by the names of their ports.",
            example="SELECT category, max(price) AS dearest FROM input GROUP BY category",
            editor="sql_query",
            min_length=1,
        )

    config: Config

    def query(self, inputs: Mapping[str, pa.Schema]) -> str:
        """The query as it was written."""
        del inputs
        return self.config.query.strip().removesuffix(";")
