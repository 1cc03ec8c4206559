"""A small dialog for the condition of a breakpoint; what is wrong with it is told before it is set."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from etl_studio.ui.debug.breakpoints import shown_place
from etl_studio.ui.forms.editor import FormContext
from etl_studio.ui.forms.sql_line import SqlLineCompletion
from etl_studio.ui.panels.fetching import Fetcher
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from etl_studio.engine.breakpoints import Breakpoint
    from etl_studio.engine.sql_functions import SqlFunction
    from etl_studio.ui.theme.theme import Theme

WIDTH = 110 * SPACE


class ConditionDialog(QDialog):
    """Asks for the condition of one breakpoint. Empty: it halts at each batch.

    Args:
        one: the breakpoint.
        columns: names of the columns there with their types, as far as they are known.
        schema: these columns with their types, where a run has shown them.
        theme: its font.
        parent: its parent.

    Attributes:
        breakpoint: with the condition, once the dialog was accepted.
        completion: offers columns and functions.
    """

    def __init__(
        self,
        one: Breakpoint,
        columns: Mapping[str, str],
        schema: pa.Schema | None,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.breakpoint = one
        self._schema = schema
        self.setWindowTitle(tr("Condition of the breakpoint"))
        self.setMinimumWidth(WIDTH)
        self.line = QLineEdit(one.condition, self)
        self.line.setPlaceholderText(tr("such as  price > 100 AND status IS NULL"))
        self.line.setAccessibleName(tr("Condition"))
        self.line.setStyleSheet(f"font-family: '{theme.mono}';")
        context = FormContext(theme, columns=partial(list, columns), types=partial(dict, columns))
        self.completion = SqlLineCompletion(self.line, context)
        self._learning = Fetcher(self)
        self._learning.fetched.connect(self._learn)
        self._learning.ask(_functions)
        self.message = QLabel(self)
        self.message.setWordWrap(True)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self._hint = (
            tr("Columns: {columns}.", columns=", ".join(columns))
            if columns
            else tr("An SQL expression on the columns there.")
        )
        self.set_button, cancel = QPushButton(tr("Set"), self), QPushButton(tr("Cancel"), self)
        set_role(self.set_button, "primary")
        self.set_button.setDefault(True)
        self.set_button.clicked.connect(self._check)
        cancel.clicked.connect(self.reject)
        self._fetcher = Fetcher(self)
        self._fetcher.fetched.connect(self._take)
        self._fetcher.failed.connect(self._refuse)
        self.line.textEdited.connect(self._explain)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(2 * SPACE)
        column.addWidget(QLabel(tr("Halt at {place}, at each row that meets", place=shown_place(one.place)), self))
        column.addWidget(self.line)
        column.addWidget(self.message)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.set_button)
        column.addSpacing(SPACE)
        column.addLayout(row)
        self._explain()

    def done(self, result: int) -> None:
        self._fetcher.close()
        self._learning.close()
        super().done(result)

    def _learn(self, functions: Sequence[SqlFunction]) -> None:
        self.completion.functions = functions

    def _explain(self) -> None:
        set_role(self.message, "muted")
        empty = "" if self.line.text().strip() else tr("Empty: at each batch.")
        self.message.setText(f"{self._hint} {empty}".strip())

    def _check(self) -> None:
        text, schema = self.line.text().strip(), self._schema
        if not text:
            self._take("")
            return

        def check() -> str:
            from etl_studio.engine.row_condition import check_condition

            check_condition(text, schema)
            return text

        self.set_button.setEnabled(False)
        self._fetcher.ask(check)

    def _take(self, text: str) -> None:
        self.breakpoint = replace(self.breakpoint, condition=text, enabled=True)
        self.accept()

    def _refuse(self, message: str) -> None:
        self.set_button.setEnabled(True)
        set_role(self.message, "danger")
        self.message.setText(message)


def _functions() -> Sequence[SqlFunction]:
    from etl_studio.engine.sql_functions import sql_functions

    return sql_functions()
