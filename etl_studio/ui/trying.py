"""Tries out the SQL that a person types, in a thread, on rows that the last preview has shown."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from etl_studio.errors import UsageError
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.translation import N_, tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from etl_studio.engine.expression_trial import Question, Trial, Trials
    from etl_studio.engine.sql_functions import SqlFunction
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.pipeline.sql_words import Filled
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.forms.setting import Setting

QUIET = 150
"""Milliseconds without a keystroke before a text is tried."""
NO_ROWS = N_("No rows are known here yet. Preview the node, and its values show up as you type.")


class KnowsRows(Protocol):
    """What is known of the rows that arrive at a node; ``panels.known_columns.KnownColumns`` does."""

    def arriving_types(self, node: str) -> Mapping[str, str]:
        """Types of the columns by name."""
        ...

    def tables_arriving(self, node: str) -> Mapping[str, pa.Table]:
        """Rows by input."""
        ...


class Trying(QObject):
    """Tries one text at a time; a new one ends the trial of the one before.

    Signals:
        answered: who asked, and what came of it: a ``Trial``, or a sentence that says why there was none.

    Args:
        document: parameters and settings of the nodes.
        rows: what arrives at nodes.
        given: values of parameters that a person has given.
        parent: its parent.

    Attributes:
        node: whose settings are edited.
        functions: what SQL may call; none until something was asked.
    """

    answered = Signal(object, object)

    def __init__(
        self,
        document: PipelineDocument,
        rows: KnowsRows,
        given: Callable[[], Mapping[str, str]] = dict,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._rows, self._given = document, rows, given
        self.node = ""
        self._trials: Trials | None = None
        self._filled: Filled | None = None
        self._asker: QObject | None = None
        self._waiting: tuple[Setting, str, Sequence[tuple[str, str]]] | None = None
        self._quiet = QTimer(self, singleShot=True, interval=QUIET)
        self._quiet.timeout.connect(self.try_now)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._came)
        self._fetcher.failed.connect(self._came)
        self.functions: Sequence[SqlFunction] = ()
        self._learning = Fetcher(self)
        self._learning.fetched.connect(self._learn)

    def ask(self, asker: QObject, setting: Setting, text: str, before: Sequence[tuple[str, str]]) -> None:
        """Try a text soon.

        Args:
            asker: comes back with the answer.
            setting: where it stands.
            text: as it is typed.
            before: name and text of those above it in the same map.
        """
        self._fetcher.cancel()
        if not self.functions and not self._learning.is_busy:
            from etl_studio.engine.sql_functions import sql_functions

            self._learning.ask(sql_functions)
        self._asker, self._waiting = asker, (setting, text, before)
        self._quiet.start()

    def again(self) -> None:
        """Other rows are known: try what was asked last once more."""
        if self._waiting is not None:
            self._quiet.start()

    def leave(self, node: str) -> None:
        """The settings of another node are edited from now on."""
        self.node = node
        self._asker = self._waiting = None
        self._quiet.stop()
        self._fetcher.cancel()

    def close(self) -> None:
        """End the trial and free the memory."""
        self.leave("")
        self._fetcher.close()
        self._learning.close()
        if self._trials is not None:
            self._trials.close()

    def try_now(self) -> None:
        """Try what waits, without waiting for quiet."""
        self._quiet.stop()
        if self._waiting is None:
            return
        question = self._question(*self._waiting)
        if isinstance(question, str):
            self._came(question)
            return
        if self._trials is None:
            from etl_studio.engine.expression_trial import Trials

            self._trials = Trials()
        trials = self._trials
        self._fetcher.ask(lambda: trials.ask(question), trials.interrupt)

    def _learn(self, functions: Sequence[SqlFunction]) -> None:
        self.functions = functions

    def _came(self, answer: Trial | str) -> None:
        if not isinstance(answer, str) and answer.start is not None and self._filled is not None:
            end = self._filled.place(answer.end or answer.start + 1)
            answer = replace(answer, start=self._filled.place(answer.start), end=end)
        if self._asker is not None:
            self.answered.emit(self._asker, answer)

    def _question(self, setting: Setting, text: str, before: Sequence[tuple[str, str]]) -> Question | str:
        """What to try; a sentence where it cannot be tried, empty where there is nothing to say."""
        from etl_studio.engine.expression_trial import Question
        from etl_studio.pipeline.parameters import in_sql, parameter_values, reference_problem
        from etl_studio.pipeline.sql_words import filled

        spec = self._document.pipeline.nodes.get(self.node)
        node_type = self._document.registry.get(spec.type) if spec else None
        if spec is None or node_type is None or not text.strip():
            return ""
        tables = _tables(node_type.tried_on) if not node_type.inputs else self._rows.tables_arriving(self.node)
        if not tables:
            return tr(NO_ROWS) if node_type.inputs else ""

        def look_up(name: str) -> object:
            if problem := reference_problem(name, self._document.pipeline.parameters):
                raise UsageError(*problem[:1])
            if name.startswith("secret:"):
                raise UsageError(tr("A secret is never tried out."))
            return parameter_values(self._document.pipeline, {**self._defaults(), **self._given()})[name]

        try:
            made = filled(text, lambda part: in_sql(part, look_up))
            above = [(name, in_sql(one, look_up)) for name, one in before if name and one.strip()]
        except UsageError as error:
            return error.what
        self._filled = made
        if setting.editor == "sql_query":
            return Question(made.text, "query", tables)
        if setting.keys == "makes" and node_type.inputs:
            return Question(made.text, "group", tables, by=self._groups(spec.config.get("by")))
        return Question(made.text, "row", tables, above if setting.keys == "sets" else ())

    def _defaults(self) -> dict[str, str]:
        """Something for each parameter that has no value yet, so that the others can be tried."""
        from etl_studio.pipeline.setting_rules import SAMPLES

        missing = [one for one in self._document.pipeline.parameters.values() if one.default is None]
        return {one.name: str(SAMPLES.get(one.type, "x")) for one in missing}

    @staticmethod
    def _groups(by: object) -> list[str]:
        return [name for name in by if isinstance(name, str)] if isinstance(by, list) else []


def _tables(columns: Mapping[str, Sequence[object]]) -> dict[str, pa.Table]:
    import pyarrow as pa

    return {"input": pa.table({name: list(values) for name, values in columns.items()})} if columns else {}


def secret_names(pipeline: Pipeline) -> list[str]:
    """The names of the secrets that settings ask for, and of those that the environment has."""
    from etl_studio.pipeline.parameters import SECRET, SECRET_VARIABLE, references
    from etl_studio.pipeline.setting_fields import map_texts

    found = {name.removeprefix(SECRET_VARIABLE).lower() for name in os.environ if name.startswith(SECRET_VARIABLE)}

    def look(_: object, text: str, __: object) -> str:
        found.update(name.removeprefix(SECRET) for name in references(text) if name.startswith(SECRET))
        return text

    for node in pipeline.nodes.values():
        map_texts([node.config, node.policy], (), look)
    return sorted(found - {""})
