"""Read a table of an SQLite database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import field_validator, model_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

_Rows = list[tuple[Any, ...]]
ROWS = 16_384
_KINDS = {"INT": "integer", "BOOL": "boolean", "CHAR": "text", "CLOB": "text", "TEXT": "text",
          "REAL": "number", "FLOA": "number", "DOUB": "number"}  # fmt: skip
"""Parts of declared types, as SQLite itself looks for them (https://sqlite.org/datatype3.html, 3.1)."""


class SqliteSource(sdk.Source):
    """Read a table or view of an SQLite file, or what a SELECT gives. The file is not changed in any way.

    All rows are those of one moment, even while another program writes. Columns have the types that the table declares;
    where it declares none, or a date, the first 1,000 rows decide, unless *Column types* name them. A value that does
    not fit its column's type is rejected with its row.

    With *Order by*, rows come in the order of a column, and a run that broke off goes on behind the last one that was
    loaded: each row is loaded exactly once. Choose a column that new rows only ever add to at its end, such as an `id`
    or `rowid`; an index on it saves the sorting. Without it, the run begins again.
    """

    type: ClassVar[str] = "sqlite_source"
    title: ClassVar[str] = "SQLite table"
    icon: ClassVar[str] = "database"
    group: ClassVar[sdk.node.Group] = "extract"
    keywords: ClassVar[tuple[str, ...]] = ("read", "database", "db", "sql", "select", "query", "table", "view")
    example: ClassVar[dict[str, Any]] = {"database": "shop.db", "table": "orders", "order_by": "id"}
    local: ClassVar[bool] = True

    class Config(sdk.Config):
        """What to read."""

        database: str | None = sdk.setting(
            None,
            title="Database",
            description="SQLite file, relative to the pipeline file; empty: the workspace's own.",
            example="shop.db",
            editor="file",
        )
        table: str | None = sdk.setting(None, title="Table", description="Name of a table or view.", example="orders")
        query: str | None = sdk.setting(
            None,
            title="Query",
            description="A SELECT in SQLite's dialect, in place of a table.",
            example="SELECT id, price FROM orders JOIN items USING (id)",
            editor="sql",
        )
        columns: list[str] = sdk.setting(
            [], title="Columns", description="Which to read; empty: all.", example=["id", "price"], names="mentions"
        )
        where: str | None = sdk.setting(
            None, title="Condition", description="Condition in SQLite's SQL; empty: all rows.", example="price > 0"
        )
        order_by: str | None = sdk.setting(
            None,
            title="Order by",
            description="Column that tells how far a run has come, so that it can go on there.",
            example="id",
            names="mentions",
        )
        types: dict[str, str] = sdk.setting(
            {},
            title="Column types",
            description="Types that win over those declared: text, integer, number, boolean, date, time, timestamp, "
            "timestamptz, json or decimal(10,2).",
            example={"day": "date"},
            editor="type",
            keys="mentions",
            advanced=True,
        )

        _types = field_validator("types")(sdk.known_types)

        @field_validator("query")
        @classmethod
        def _without_semicolon(cls, value: str | None) -> str | None:
            return None if value is None else value.rstrip().rstrip(";")

        @model_validator(mode="after")
        def _table_or_query(self) -> Self:
            if bool(self.table) is bool(self.query):
                raise ValueError("table: name a table, or write a query; one of the two")
            return self

    config: Config

    @property
    def replays(self) -> bool:
        """An order tells what has come."""
        return bool(self.config.order_by)

    def read(self, context: sdk.RunContext) -> Iterator[sdk.node.SourceEmission]:
        """Yield the rows, with a cursor wherever the value of the order column changes."""
        resume = context.resume or {}
        with context.reading(self.config.database) as reader:
            if self.config.query:
                # By itself, since SQLite gives columns of one name other names in a subquery.
                _refuse_twins([name for name, _ in reader.columns(self.config.query)])
            sql = self._select(resume)
            columns = reader.columns(sql)
            names = [name for name, _ in columns[: len(columns) - self.replays]]
            types = {**_declared(columns[: len(names)]), **self.config.types}
            sdk.require_columns(types, names, setting="types")
            builder = sdk.RecordBuilder(resume.get("columns", types), fixed="columns" in resume)
            chunk, rows = context.call(lambda: _begun(reader, sql, [resume["after"]] if resume else []))
            while chunk:
                following = next(rows, None)
                yield from _batches(builder, names, chunk)
                if self.replays and builder.columns is not None and (after := _place(chunk, following)) is not None:
                    yield sdk.Cursor({"after": after, "columns": builder.columns})
                chunk = following
            yield from builder.finish()

    def _select(self, resume: dict[str, Any]) -> str:
        config = self.config
        origin = f"(\n{config.query}\n)" if config.query else f"main.{sdk.identifier(config.table or '')}"
        wanted = sdk.identifiers(config.columns) if config.columns else "*"
        conditions = [f"(\n{config.where}\n)"] if config.where else []
        order = ""
        if config.order_by:
            column = sdk.identifier(config.order_by)
            wanted = f"{wanted}, {column}"
            order = f" ORDER BY {column}"
            conditions += [f"{column} > ?"] if resume else []
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {wanted} FROM {origin}{where}{order}"  # noqa: S608 - quoted, and only a SELECT passes


def _begun(reader: sdk.Reader, sql: str, parameters: list[Any]) -> tuple[_Rows | None, Iterator[_Rows]]:
    """The first rows, for which SQLite may have to sort all of them, and the others."""
    rows = reader.rows(sql, parameters, ROWS)
    return next(rows, None), rows


def _declared(columns: Sequence[tuple[str, str]]) -> dict[str, str]:
    found = {}
    for name, declared in columns:
        kind = next((kind for part, kind in _KINDS.items() if part in declared.upper()), None)
        if kind is not None:
            found[name] = kind
    return found


def _refuse_twins(names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise PermanentError(
                f'The query gives two columns "{name}".', hint="Name one of them otherwise, with AS.", column=name
            )
        seen.add(name.lower())


def _place(chunk: _Rows, following: _Rows | None) -> int | float | str | None:
    """The order value behind which a run can go on; None where rows with the same one still come."""
    last = chunk[-1][-1]
    if isinstance(last, bytes):
        raise PermanentError("The order column holds bytes, which tell no place.", hint="Order by a number or a text.")
    return None if following and following[0][-1] == last else last


def _batches(builder: sdk.RecordBuilder, names: list[str], chunk: _Rows) -> Iterator[pa.RecordBatch | sdk.Rejected]:
    batch = None if builder.schema is None else _at_once(builder.schema, names, chunk)
    if batch is not None:
        yield batch
        return
    booleans = {name for name in names if builder.is_boolean(name)}
    records = [
        {
            name: bool(value) if name in booleans and value in (0, 1) else value
            for name, value in zip(names, row, strict=False)
        }
        for row in chunk
    ]
    yield from builder.add(records)
    yield from builder.finish()


def _at_once(schema: pa.Schema, names: list[str], chunk: _Rows) -> pa.RecordBatch | None:
    """The rows as a batch, by columns; None where a value does not fit."""
    import pyarrow as pa

    if names != schema.names:
        return None
    try:
        arrays = [
            _array(list(values), field.type) for values, field in zip(zip(*chunk, strict=True), schema, strict=False)
        ]
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return pa.record_batch(arrays, schema=schema)


def _array(values: list[Any], data_type: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_boolean(data_type):
        return pa.array(values, pa.int8()).cast(data_type)
    if pa.types.is_integer(data_type) or pa.types.is_floating(data_type) or pa.types.is_string(data_type):
        return pa.array(values, data_type)
    raise TypeError("read by the record builder")
