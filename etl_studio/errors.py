"""The error tree. Each error is made of facts; its text says what, where and what to do next.

::

    EtlError
    ├── UsageError            the call is wrong (a parameter, a file name)
    │   └── SourceChanged     what a run reads is another than when it broke off; a person may accept that
    ├── PipelineError         the pipeline file is wrong; carries every problem found
    ├── Cancelled             a person, or a failing neighbour, stopped the run
    ├── TransientError        may succeed when tried again; retry reads this type
    │   ├── CircuitOpenError  a breaker refused the call; nothing was sent
    │   └── DeadlineError     an attempt took longer than its timeout
    └── PermanentError        will fail again in the same way
        └── ConservationError rows vanished or appeared: a defect, never the user's fault
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class EtlError(Exception):
    """An error for people.

    Args:
        what: one sentence: what happened.
        hint: one sentence: what to do next.
        pipeline: name of the pipeline.
        node: id of the node that met the problem.
        line: line in the source file, counted from 1.
        row: number of the row in the source, counted from 1.
        column: name of the column or setting.
        value: the offending value; cut to 80 characters when shown.
    """

    shown: ClassVar[int] = 80

    def __init__(  # noqa: PLR0913 - an address has many parts
        self,
        what: str,
        *,
        hint: str | None = None,
        pipeline: str | None = None,
        node: str | None = None,
        line: int | None = None,
        row: int | None = None,
        column: str | None = None,
        value: Any = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.pipeline = pipeline
        self.node = node
        self.line = line
        self.row = row
        self.column = column
        self.value = value

    def at(self, *, pipeline: str | None = None, node: str | None = None) -> EtlError:
        """Add the address where it is not known yet and return the same error."""
        self.pipeline = self.pipeline or pipeline
        self.node = self.node or node
        return self

    @property
    def place(self) -> str:
        """``pipeline > node``, as far as it is known."""
        return " > ".join(part for part in (self.pipeline, self.node) if part)

    @property
    def details(self) -> str:
        """``line 3, column "qty", value "ten"``, as far as it is known and not yet in the sentence."""
        parts = []
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.column is not None and f'"{self.column}"' not in self.what:
            parts.append(f'column "{self.column}"')
        if self.value is not None and f'"{self.value}"' not in self.what:
            text = str(self.value)
            parts.append(f'value "{text if len(text) <= self.shown else text[: self.shown - 1] + "…"}"')
        return ", ".join(parts)

    def __str__(self) -> str:
        text = f"{self.place}: {self.what}" if self.place else self.what
        if self.details:
            text = f"{text.rstrip('.')} ({self.details})."
        return f"{text} {self.hint}" if self.hint else text


class UsageError(EtlError):
    """The call is wrong: a parameter, an option, a file name."""


class SourceChanged(UsageError):  # noqa: N818 - a question to a person
    """What a run reads is another than when it broke off; a person may accept that."""


class PipelineError(EtlError):
    """The pipeline file is wrong. ``problems`` holds every problem with its address."""

    def __init__(self, what: str, *, problems: Sequence[Any] = (), **facts: Any) -> None:
        super().__init__(what, **facts)
        self.problems = tuple(problems)


class Cancelled(EtlError):  # noqa: N818 - not an error: somebody asked for it
    """The run was stopped."""


class TransientError(EtlError):
    """Something that may succeed when tried again.

    Args:
        retry_after: seconds that the other side asked to wait, if it did.
        status: HTTP status, if there was one.

    Attributes:
        attempts: how often it was tried until a policy gave up; 0 before that.
    """

    def __init__(self, what: str, *, retry_after: float | None = None, status: int | None = None, **facts: Any) -> None:
        super().__init__(what, **facts)
        self.retry_after = retry_after
        self.status = status
        self.attempts = 0


class CircuitOpenError(TransientError):
    """A breaker is open: the call was refused and nothing was sent."""


class DeadlineError(TransientError):
    """An attempt took longer than its timeout."""


class PermanentError(EtlError):
    """Something that will fail again in the same way.

    Args:
        status: HTTP status, if there was one.
    """

    def __init__(self, what: str, *, status: int | None = None, **facts: Any) -> None:
        super().__init__(what, **facts)
        self.status = status


class ConservationError(PermanentError):
    """The counts of a node do not add up: rows vanished or appeared."""
