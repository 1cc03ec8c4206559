"""What leaves a node: batches to its wires, refused rows to the rejects port or the dead letters."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from etl_studio.engine.error_budget import check_number, check_share
from etl_studio.engine.events import DeadLettered
from etl_studio.engine.json_values import json_rows
from etl_studio.engine.letter_rows import type_words
from etl_studio.errors import PermanentError
from etl_studio.sdk import REJECTS, Output, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etl_studio.engine.checkpoints import Barrier
    from etl_studio.engine.events import Listener
    from etl_studio.engine.inbox import Inbox
    from etl_studio.engine.meter import Meter
    from etl_studio.engine.plan import PlannedNode
    from etl_studio.pipeline.model import Wire
    from etl_studio.sdk import Problem

    Tap = Callable[[str, str, pa.RecordBatch], None]

ERROR_COLUMNS = pa.schema([("_error", pa.string()), ("_error_type", pa.string()), ("_node", pa.string())])


class Outlet:
    """Sends what a node gives out and counts it.

    Args:
        run: id of the run.
        planned: the node.
        inboxes: where wires end, by wire.
        meter: counts of the node.
        emit: takes the events.
        tap: looks at each batch that leaves, with node and port, before it is on its wires.

    Attributes:
        cursor: where a source stands, for its dead letters.
        epoch: number of the next barrier: dead letters up to it belong to its checkpoint.
    """

    def __init__(  # noqa: PLR0913 - where everything leaves
        self,
        run: str,
        planned: PlannedNode,
        inboxes: Mapping[Wire, Inbox],
        meter: Meter,
        emit: Listener,
        tap: Tap | None = None,
    ) -> None:
        self._run = run
        self._planned = planned
        self._inboxes = inboxes
        self._meter = meter
        self._emit = emit
        self._tap = tap
        self._told: dict[str, pa.Schema] = {}
        self._columns: dict[str, str] = {}
        self.cursor: Any = None
        self.epoch = 1

    @property
    def columns(self) -> dict[str, str]:
        """The columns of each port that has told them: Arrow's schema message (IPC format) in base64."""
        if len(self._columns) < len(self._told):
            self._columns = {port: _written(schema) for port, schema in self._told.items()}
        return self._columns

    def tell_again(self, columns: Mapping[str, str]) -> None:
        """Tell the columns of a run that broke off, before its first row."""
        for port, text in columns.items():
            self._put(port, pa.RecordBatch.from_pylist([], pa.ipc.read_schema(pa.py_buffer(b64decode(text)))))

    def send(self, emission: pa.RecordBatch | Output | Rejected) -> None:
        """Send one emission of the node."""
        if isinstance(emission, Rejected):
            self.refuse(emission)
        elif isinstance(emission, Output):
            self._put(emission.port, emission.batch)
        else:
            self._meter.rows_out += emission.num_rows
            self._meter.bytes_out += emission.nbytes
            port = self._planned.default_output
            if port is not None:
                self._put(port, emission)
            if emission.num_rows:
                self._check_share_read()

    def refuse(self, rejected: Rejected) -> None:
        """Do with refused rows what the policy says.

        Raises:
            PermanentError: the policy says stop, or its error budget is used up.
        """
        if not rejected.rows.num_rows:
            return
        if self._planned.policy.on_error == "reject" and self._planned.outputs.get(REJECTS.name):
            self._meter.rejected += rejected.rows.num_rows
            self._put(REJECTS.name, self._with_errors(rejected))
        else:
            self._keep(rejected)
        self.check_budget()

    def refuse_late(self, rejected: Rejected, epoch: int, about: str) -> None:
        """Do with rows what the policy says that a commit could not deliver: behind them, all wires may be closed.

        Args:
            rejected: the rows.
            epoch: of the commit: a resume from it does not read these rows again.
            about: what was refused (``Sink.unfinished``).

        Raises:
            PermanentError: the policy says stop, or its error budget was used up before these rows.
        """
        # Not after them: the sink must hear that they are kept.
        self.check_budget()
        after, self.epoch = self.epoch, epoch
        try:
            self._keep(rejected, about)
        finally:
            self.epoch = after

    def _keep(self, rejected: Rejected, about: str | None = None) -> None:
        on_error = self._planned.policy.on_error
        if on_error == "stop":
            raise _as_error(rejected.problems[0])
        if on_error == "skip":
            self._meter.skipped += rejected.rows.num_rows
        else:
            self._dead_letter(rejected, about)

    def check_budget(self) -> None:
        """Judge what was refused so far.

        Raises:
            PermanentError: it is more than the policy allows.
        """
        budget = self._planned.policy.budget
        if budget is not None:
            check_number(budget, self._meter)
            if self._planned.node.inputs:
                check_share(budget, self._meter, self._meter.rows_in)

    def _check_share_read(self) -> None:
        """Judge a source's share once it gave rows: its rejects may come long before the good rows beside them."""
        budget, meter = self._planned.policy.budget, self._meter
        if budget is not None and not self._planned.node.inputs:
            check_share(budget, meter, meter.rows_out + meter.refused_rows)

    def refuse_again(self, rejected: Rejected) -> None:
        """Send rows on whose refusal was counted before the run broke off."""
        if rejected.rows.num_rows and self._planned.policy.on_error == "reject":
            self._put(REJECTS.name, self._with_errors(rejected))

    def pass_on(self, barrier: Barrier) -> None:
        """Send a barrier behind everything that the node gave out before it."""
        for wires in self._planned.outputs.values():
            for wire in wires:
                self._inboxes[wire].put_barrier(wire, barrier)
        self.epoch = barrier.epoch + 1

    def tell(self, schema: pa.Schema | None) -> None:
        """Ports that gave nothing tell their columns; ``schema``: columns that arrived at the node."""
        for port in self._planned.outputs:
            if port not in self._told:
                columns: list[pa.Field] = []
                if port == REJECTS.name:
                    # Rejects of rejects have them already.
                    columns = [column for column in schema or () if column.name not in ERROR_COLUMNS.names]
                    columns += list(ERROR_COLUMNS)
                self._put(port, _nothing(columns))

    def close(self, schema: pa.Schema | None) -> None:
        """The node ended; ``schema``: columns that arrived at it."""
        self._check_share_read()
        self.tell(schema)
        self.close_wires()

    def close_wires(self) -> None:
        """Nothing more comes."""
        for wires in self._planned.outputs.values():
            for wire in wires:
                self._inboxes[wire].close(wire)

    def _put(self, port: str, batch: pa.RecordBatch) -> None:
        if not batch.num_rows and port in self._told:
            return
        self._told.setdefault(port, batch.schema)
        if self._tap is not None:
            self._tap(self._planned.id, port, batch)
        for wire in self._planned.outputs.get(port, ()):
            self._inboxes[wire].put(wire, batch)

    def _with_errors(self, rejected: Rejected) -> pa.RecordBatch:
        rows = rejected.rows
        columns = {name: rows.column(name) for name in rows.schema.names if name not in ERROR_COLUMNS.names}
        columns["_error"] = pa.array([problem.message for problem in rejected.problems], pa.string())
        columns["_error_type"] = pa.array([problem.type for problem in rejected.problems], pa.string())
        columns["_node"] = pa.array([self._planned.id] * rows.num_rows, pa.string())
        return pa.record_batch(columns)

    def _dead_letter(self, rejected: Rejected, about: str | None = None) -> None:
        now = time.time()
        planned = self._planned
        types = type_words(rejected.rows.schema)
        gives = self._told.get(planned.default_output or "") if not planned.node.inputs else None
        facts: dict[str, Any] = {
            "port": planned.only_input,
            "types": types,
            "gives": None if gives is None else type_words(gives),
            "cursor": self.cursor,
            "epoch": self.epoch,
        }
        rows = zip(json_rows(rejected.rows), rejected.problems, strict=True)
        for number, (row, problem) in enumerate(rows):
            if about is not None:
                facts["cursor"] = {"request": about, "row": number}
            self._meter.dead_letters += 1
            self._emit(
                DeadLettered(
                    self._run,
                    now,
                    planned.id,
                    problem.type,
                    problem.message,
                    row,
                    problem.column,
                    problem.line,
                    problem.attempts,
                    row=problem.row,
                    operation=problem.operation,
                    **facts,
                )
            )


def _written(schema: pa.Schema) -> str:
    return b64encode(schema.serialize()).decode()


def _as_error(problem: Problem) -> PermanentError:
    facts: dict[str, Any] = {"column": problem.column, "line": problem.line, "value": problem.value}
    return PermanentError(problem.message, **facts)


def _nothing(columns: list[pa.Field]) -> pa.RecordBatch:
    return pa.record_batch([pa.array([], field.type) for field in columns], schema=pa.schema(columns))
