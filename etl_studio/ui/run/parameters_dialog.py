"""Asks for the parameters of a run that have no default."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from etl_studio.pipeline.parameters import read_value
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etl_studio.pipeline.model import Parameter


class ParametersDialog(QDialog):
    """One field for each parameter; Run is possible when every value fits its type.

    Args:
        parameters: those to ask for.
        before: values of the last run, to begin with.
    """

    def __init__(
        self, parameters: Iterable[Parameter], before: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Parameters of this run"))
        self.setMinimumWidth(420)
        self._parameters = list(parameters)
        self.fields: dict[str, QLineEdit] = {}
        form = QFormLayout()
        form.setVerticalSpacing(2 * SPACE)
        for parameter in self._parameters:
            field = QLineEdit(before.get(parameter.name, ""), self)
            field.setPlaceholderText(parameter.type)
            field.setToolTip(parameter.description)
            field.setAccessibleName(parameter.name)
            field.textChanged.connect(self._judge)
            form.addRow(parameter.name, field)
            self.fields[parameter.name] = field
        self.problem = QLabel(self)
        self.problem.setProperty("role", "danger")
        self.problem.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.run_button = self.buttons.addButton(tr("Run"), QDialogButtonBox.ButtonRole.AcceptRole)
        set_role(self.run_button, "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(self.buttons)
        self._judge()

    @property
    def values(self) -> dict[str, str]:
        """What was typed, by parameter."""
        return {name: field.text() for name, field in self.fields.items()}

    def _judge(self) -> None:
        self.problem.setText("")
        missing = False
        for parameter in self._parameters:
            text = self.fields[parameter.name].text()
            missing = missing or not text
            try:
                if text:
                    read_value(parameter, text)
            except ValueError as error:
                self.problem.setText(f'"{parameter.name}" {error}')
        self.run_button.setEnabled(not missing and not self.problem.text())
