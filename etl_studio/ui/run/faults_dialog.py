"""Asks what to fail in a run with faults, and shows what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from etl_studio.engine.inject import FAULT_KINDS, Injection
from etl_studio.ui.quantities import count
from etl_studio.ui.tables.rows_model import Column, RowsModel
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.theme import set_role
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import N_, digits, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etl_studio.engine.inject import FaultKind, FaultReport, NodeFaults
    from etl_studio.ui.theme.theme import Theme

KIND_TITLES: dict[FaultKind, str] = {
    "too_many_requests": N_("429 with Retry-After"),
    "unavailable": N_("503 Service Unavailable"),
    "reset": N_("Connection reset"),
    "timeout": N_("Timeout"),
    "busy": N_("Database locked"),
    "malformed_rows": N_("Malformed rows"),
    "disk_full": N_("Disk full (ends the run)"),
}


class FaultsDialog(QDialog):
    """Seed, rate, nodes and kinds of faults.

    Args:
        nodes: those of the pipeline.
        before: what was injected last.
    """

    def __init__(self, nodes: Sequence[str], before: Injection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Run with faults"))
        self.setMinimumWidth(520)
        words = QLabel(
            tr(
                "Attempts fail on purpose, so that you see what each policy does. It is a real run: it loads into the "
                "tables and files of the pipeline; malformed rows become rejects or dead letters."
            ),
            self,
        )
        words.setWordWrap(True)
        words.setProperty("role", "muted")
        self.seed = QSpinBox(self, maximum=999_999, value=before.seed, accessibleName=tr("Seed"))
        self.seed.setToolTip(tr("The same seed gives the same faults."))
        self.rate = QDoubleSpinBox(
            self, maximum=100.0, decimals=0, suffix=" %", value=100 * before.rate, accessibleName=tr("Share that fails")
        )
        self.rate.setToolTip(tr("Share of attempts that fail; rows are malformed 20 times less often."))
        for field in (self.seed, self.rate):
            field.lineEdit().setTextMargins(2 * SPACE, 0, 0, 0)
        self.nodes = QListWidget(self, accessibleName=tr("Nodes"))
        self.nodes.setMaximumHeight(30 * SPACE)
        for node in nodes:
            item = QListWidgetItem(node, self.nodes)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            chosen = not before.nodes or node in before.nodes
            item.setCheckState(Qt.CheckState.Checked if chosen else Qt.CheckState.Unchecked)
        self.kinds: dict[FaultKind, QCheckBox] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * SPACE)
        grid.setVerticalSpacing(2 * SPACE)
        for number, kind in enumerate(FAULT_KINDS):
            box = self.kinds[kind] = QCheckBox(tr(KIND_TITLES[kind]), self, checked=kind in before.kinds)
            box.toggled.connect(self._judge)
            grid.addWidget(box, *divmod(number, 2))
        form = QFormLayout()
        form.setVerticalSpacing(2 * SPACE)
        form.addRow(tr("Seed"), self.seed)
        form.addRow(tr("Share that fails"), self.rate)
        form.addRow(tr("Nodes"), self.nodes)
        form.addRow(tr("Faults"), grid)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.run_button = self.buttons.addButton(tr("Run"), QDialogButtonBox.ButtonRole.AcceptRole)
        set_role(self.run_button, "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.nodes.itemChanged.connect(self._judge)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        column.addWidget(words)
        column.addLayout(form)
        column.addWidget(self.buttons)
        self._judge()

    @property
    def injection(self) -> Injection:
        """What was chosen."""
        chosen = self._chosen_nodes()
        return Injection(
            self.seed.value(),
            self.rate.value() / 100,
            () if len(chosen) == self.nodes.count() else tuple(chosen),
            tuple(kind for kind, box in self.kinds.items() if box.isChecked()),
        )

    def _chosen_nodes(self) -> list[str]:
        items = [self.nodes.item(row) for row in range(self.nodes.count())]
        return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]

    def _judge(self) -> None:
        self.run_button.setEnabled(bool(self._chosen_nodes()) and any(box.isChecked() for box in self.kinds.values()))


class FaultReportDialog(QDialog):
    """What each policy did.

    Args:
        report: of the run.
        theme: colours.
    """

    def __init__(self, report: FaultReport, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Run with faults: report"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1000, 320)
        self.words = QLabel(report.summary, self)
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.model = RowsModel(_columns(theme), self)
        self.model.show_rows(list(report.nodes.items()))
        table = DataTable(self)
        table.setModel(self.model)
        table.fit_columns()
        table.setAccessibleName(tr("What each policy did"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * SPACE, 4 * SPACE, 4 * SPACE, 4 * SPACE)
        column.setSpacing(3 * SPACE)
        for widget in (self.words, table, buttons):
            column.addWidget(widget)


def _columns(theme: Theme) -> list[Column]:
    def number(title: str, name: str) -> Column:
        return Column(title, lambda row: count(getattr(row[1], name)), right=True)

    return [
        Column(tr("Node"), lambda row: str(row[0])),
        Column(tr("Faults"), lambda row: count(sum(row[1].injected.values())), right=True, tip=_kinds_of),
        number(tr("Attempts"), "attempts"),
        number(tr("Retries"), "retries"),
        number(tr("Openings"), "openings"),
        number(tr("Refused"), "refused"),
        number(tr("Rejected"), "rejected"),
        number(tr("Dead letters"), "dead_letters"),
        number(tr("Skipped"), "skipped"),
        Column(
            tr("Lost"),
            lambda row: "–" if row[1].lost is None else count(row[1].lost),  # noqa: RUF001 - a dash in a table
            right=True,
            colour=lambda row: theme.tokens.danger if row[1].lost else None,
        ),
        Column(tr("Per call"), lambda row: digits(f"{row[1].amplification:.2f}"), right=True),
    ]


def _kinds_of(row: tuple[str, NodeFaults]) -> str:
    return "\n".join(f"{tr(KIND_TITLES[kind])}: {count(number)}" for kind, number in row[1].injected.items())
