"""Check rows against rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from etl_studio import sdk
from etl_studio.errors import PermanentError
from etl_studio.nodes.quality._rules import Rule  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from etl_studio.nodes.quality._rule_queries import RuleQueries


class Validate(sdk.Transform):
    """Checks rows against rules, and sends those that break one to **rejects**.

    | rule | passes |
    |---|---|
    | `not_null` | values that are there |
    | `range` | values from `min` to `max`, both included |
    | `regex` | values that match the whole `pattern` |
    | `in_list` | values among `values` |
    | `unique` | the first row with a value, in the whole run; it remembers each value |
    | `expression` | rows for which the SQL `expression` is true |

    Only `not_null` looks at empty values (NULL): the other rules let them pass. A value that a rule cannot read, such
    as text where a range of numbers is asked for, breaks it. A row that breaks several rules is rejected once, with all
    of them named. The severity `warn` lets rows pass and tells their number in the log at the end; `stop` ends the run
    at the first one.
    """

    type = "validate"
    title = "Validate"
    icon = "shield-check"
    group = "quality"
    keywords = ("check", "quality", "rules", "not null", "range", "regex", "unique", "expectation", "assert")
    example: ClassVar = {
        "rules": [
            {"column": "id", "rule": "not_null"},
            {"column": "price", "rule": "range", "min": 0, "severity": "warn"},
        ]
    }
    keeps_columns = True

    class Config(sdk.Config):
        """The rules."""

        rules: list[Rule] = sdk.setting(
            title="Rules",
            description="What each row has to meet.",
            example=[{"column": "price", "rule": "range", "min": 0}],
            min_length=1,
        )

    config: Config

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._queries: RuleQueries | None = None
        self._seen: dict[int, set[Any]] = {
            number: set() for number, rule in enumerate(config.rules) if rule.rule == "unique"
        }
        self._fresh: dict[int, list[Any]] = {number: [] for number in self._seen}
        self._kept: dict[int, set[Any]] = {}
        self._warned: dict[int, int] = {}
        self._rows = self._rows_before = 0

    @property
    def holds_rows(self) -> bool:
        """Only ``unique`` looks at earlier rows."""
        return bool(self._seen)

    def snapshot(self) -> bytes:
        """The values that ``unique`` rules have met since the last snapshot, and the number of rows."""
        import pyarrow as pa

        columns = {str(number): pa.array([values]) for number, values in self._fresh.items()}
        self._fresh = {number: [] for number in self._seen}
        batch = pa.record_batch({**columns, "rows": pa.array([self._rows])})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        state: bytes = sink.getvalue().to_pybytes()
        return state

    def restore(self, snapshots: Sequence[bytes]) -> None:
        """Remember the values of a run that broke off."""
        import pyarrow as pa

        for snapshot in snapshots:
            (row,) = pa.ipc.open_stream(snapshot).read_all().to_pylist()
            self._rows_before = row.pop("rows")
            for number, values in row.items():
                self._kept.setdefault(int(number), set()).update(values)

    def start(self, schema: pa.Schema, context: sdk.RunContext) -> Iterable[pa.RecordBatch]:
        """Prepare the query that checks a batch."""
        del context
        rules = self.config.rules
        self._warned = {}
        self._rows, self._rows_before = self._rows_before, 0
        self._seen = {number: self._kept.pop(number, set()) for number in self._seen}
        self._fresh = {number: [] for number in self._seen}
        if schema.names:
            sdk.require_columns(
                (rule.column for rule in rules if rule.column is not None), schema.names, setting="rules"
            )
            from etl_studio.nodes.quality._rule_queries import RuleQueries

            self._queries = RuleQueries(rules, schema)
        return ()

    def process(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterator[pa.RecordBatch | sdk.Rejected]:
        """Give the rows that pass, then those that do not."""
        del context
        if self._queries is None or not batch.num_rows:
            yield batch
            return
        import pyarrow.compute as pc

        masks = self._queries.violations(batch)
        masks.update({number: self._repeated(number, batch) for number in self._seen})
        broken = {number: mask for number, mask in masks.items() if pc.any(mask).as_py()}
        self._stop_at_first(batch, broken)
        rejecting = {number: mask for number, mask in broken.items() if self.config.rules[number].severity == "reject"}
        for number, mask in broken.items():
            if number not in rejecting:
                self._warned[number] = self._warned.get(number, 0) + pc.sum(mask).as_py()
        self._rows += batch.num_rows
        if not rejecting:
            yield batch
            return
        bad = next(iter(rejecting.values()))
        for mask in rejecting.values():
            bad = pc.or_(bad, mask)
        yield batch.filter(pc.invert(bad))
        rows = batch.filter(bad)
        yield sdk.Rejected(rows, self._problems(rows, {number: mask.filter(bad) for number, mask in rejecting.items()}))

    def finish(self, context: sdk.RunContext) -> Iterable[pa.RecordBatch]:
        """Tell what was let through with a warning, one line for each rule."""
        for number, count in sorted(self._warned.items()):
            rule = self.config.rules[number]
            context.log(
                "warning", f"{count} rows break the rule {rule.label}: {rule.subject} {rule.demand}.", rows=count
            )
        if self._queries is not None:
            self._queries.close()
            self._queries = None
        return ()

    def _repeated(self, number: int, batch: pa.RecordBatch) -> pa.Array:
        """Where a value has come before, in this batch or an earlier one."""
        import pyarrow as pa

        seen = self._seen[number]
        values = batch.column(self.config.rules[number].column).to_pylist()
        fresh = set(values)
        if len(fresh) == len(values) and seen.isdisjoint(fresh):
            seen |= fresh - {None}
            self._fresh[number] += [value for value in values if value is not None]
            return pa.nulls(len(values), pa.bool_()).fill_null(False)
        repeated = []
        for value in values:
            repeated.append(value in seen)
            if value is not None and value not in seen:
                seen.add(value)
                self._fresh[number].append(value)
        return pa.array(repeated, pa.bool_())

    def _stop_at_first(self, batch: pa.RecordBatch, broken: dict[int, pa.Array]) -> None:
        import pyarrow.compute as pc

        stopping = {number: mask for number, mask in broken.items() if self.config.rules[number].severity == "stop"}
        if not stopping:
            return
        number, row = min(
            ((number, pc.index(mask, True).as_py()) for number, mask in stopping.items()), key=lambda found: found[1]
        )
        rule = self.config.rules[number]
        raise PermanentError(
            f"A row breaks the rule {rule.label}: {rule.subject} {rule.demand}.",
            row=self._rows + row + 1,
            column=rule.column,
            value=None if rule.column is None else batch.column(rule.column)[row].as_py(),
            hint="Mend the data, or change the rule's severity to reject or warn.",
        )

    def _problems(self, rows: pa.RecordBatch, masks: dict[int, pa.Array]) -> list[sdk.Problem]:
        """For each row the rules that it breaks; the first one gives type, column and value."""
        causes = zip(*(mask.to_pylist() for mask in masks.values()), strict=True)
        values = {number: self._values(rows, number) for number in masks}
        problems = []
        for row, flags in enumerate(causes):
            found = [
                (self.config.rules[number], values[number][row])
                for number, flag in zip(masks, flags, strict=True)
                if flag
            ]
            sentences = (rule.complaint(value) for rule, value in found)
            first, value = found[0]
            problems.append(sdk.Problem(first.rule, " ".join(sentences), first.column, value=value))
        return problems

    def _values(self, rows: pa.RecordBatch, number: int) -> list[Any]:
        column = self.config.rules[number].column
        return [None] * rows.num_rows if column is None else rows.column(column).to_pylist()
