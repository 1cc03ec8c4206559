"""Check rows against rules."""

from __future__ import annotations

import json
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
    | `unique` | the first row with a value, in the whole run; it remembers 16 bytes for each value |
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
        self._seen = {number: sdk.SeenKeys() for number, rule in enumerate(config.rules) if rule.rule == "unique"}
        self._warned: dict[int, int] = {}
        self._rows = 0

    @property
    def holds_rows(self) -> bool:
        """``unique`` looks at earlier rows; warnings are counted, and a stop names the row by its number."""
        return any(rule.rule == "unique" or rule.severity != "reject" for rule in self.config.rules)

    def snapshot(self) -> bytes:
        """What the rules have counted, and the values that ``unique`` has met since the last snapshot."""
        import pyarrow as pa

        counted = json.dumps({"rows": self._rows, "warned": self._warned})
        fresh = {str(number): pa.array([seen.snapshot()], pa.large_binary()) for number, seen in self._seen.items()}
        batch = pa.record_batch({"counted": pa.array([counted]), **fresh})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        state: bytes = sink.getvalue().to_pybytes()
        return state

    def restore(self, snapshots: Sequence[bytes]) -> None:
        """Go on with what a run that broke off had met."""
        import pyarrow as pa

        states = [pa.ipc.open_stream(snapshot).read_all().to_pylist()[0] for snapshot in snapshots]
        for number, seen in self._seen.items():
            seen.restore([state[str(number)] for state in states])
        if states:
            counted = json.loads(states[-1]["counted"])
            self._rows = counted["rows"]
            self._warned = {int(number): count for number, count in counted["warned"].items()}

    def start(self, schema: pa.Schema, context: sdk.RunContext) -> Iterable[pa.RecordBatch]:
        """Prepare the query that checks a batch."""
        del context
        rules = self.config.rules
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
        for number, prints in self._queries.fingerprints(batch).items():
            there = batch.column(self.config.rules[number].column).is_valid()
            masks[number] = pc.and_(there, pc.invert(self._seen[number].first(prints)))
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
