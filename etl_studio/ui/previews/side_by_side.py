"""What a node does to its rows: those that arrive on the left, those that leave on the right, changes in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from etl_studio.engine.alignment import NOTHING
from etl_studio.ui.quantities import rows
from etl_studio.ui.tables.cells import cell_text, tip_text
from etl_studio.ui.tables.changes import SIGNS, TINT, ChangedCell
from etl_studio.ui.tables.view import DataTable
from etl_studio.ui.theme.style_sheet import mix
from etl_studio.ui.theme.tokens import SPACE
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    import pyarrow as pa

    from etl_studio.engine.alignment import Alignment
    from etl_studio.ui.theme.theme import Theme

Side = Literal["before", "after"]
LINE = 5 * SPACE
_NOWHERE = QModelIndex()


class SideModel(QAbstractTableModel):
    """One side of an alignment; a row of the model is a pair of it.

    Args:
        side: which.
        theme: colours.
        parent: its parent.
    """

    def __init__(self, side: Side, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_after = side == "after"
        self._alignment: Alignment | None = None
        self._columns: list[pa.ChunkedArray] = []
        self._names: list[str] = []
        self._types: list[str] = []
        self._struck = QFont()
        self._struck.setStrikeOut(True)

    def show_alignment(self, alignment: Alignment | None) -> None:
        """Show others; None: none."""
        from etl_studio.sdk.types import type_name

        self.beginResetModel()
        self._alignment = alignment
        table = None if alignment is None else alignment.after if self._is_after else alignment.before
        self._columns = [] if table is None else list(table.columns)
        self._names = [] if table is None else list(table.column_names)
        self._types = [] if table is None else [type_name(field.type) for field in table.schema]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() or self._alignment is None else len(self._alignment.pairs)

    def columnCount(self, parent: QModelIndex = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        alignment, pair, column = self._alignment, index.row(), index.column()
        if alignment is None:
            return None
        row, other = self._numbers(pair)
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._ground(alignment, pair, column)
        if row == NOTHING:
            return None
        gone = alignment.matched and other == NOTHING and not self._is_after
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(self._columns[column][row].as_py())
        if role == Qt.ItemDataRole.FontRole:
            return self._struck if gone else None
        if role == Qt.ItemDataRole.ForegroundRole:
            pale = gone or not self._columns[column][row].is_valid
            return QColor(self._theme.tokens.text_disabled) if pale else None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side_of(column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(alignment, pair, column)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            row, _ = self._numbers(section)
            return None if role != Qt.ItemDataRole.DisplayRole else "" if row == NOTHING else str(row + 1)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{self._names[section]}\n{self._types[section]}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side_of(section)
        if role == Qt.ItemDataRole.ForegroundRole and (kind := self._column_kind(section)):
            return QColor(getattr(self._theme.tokens, kind))
        return None

    # -- inside -----------------------------------------------------------------------------------------------

    def _numbers(self, pair: int) -> tuple[int, int]:
        """The row on this side and the one on the other."""
        assert self._alignment is not None  # noqa: S101 - there are rows only with it
        before, after = self._alignment.pairs[pair]
        return (after, before) if self._is_after else (before, after)

    def _column_kind(self, column: int) -> str:
        """The role of a column that only this side has."""
        if self._alignment is None:
            return ""
        only = self._alignment.added if self._is_after else self._alignment.removed
        return ("success" if self._is_after else "danger") if self._names[column] in only else ""

    def _ground(self, alignment: Alignment, pair: int, column: int) -> QColor | None:
        row, other = self._numbers(pair)
        if row == NOTHING:
            return QColor(self._theme.tokens.window)
        kind = self._column_kind(column)
        if not self._is_after and row in alignment.refused:
            kind = "danger"
        elif not kind and pair in alignment.changed.get(self._names[column], ()):
            kind = "warning"
        elif other == NOTHING and alignment.matched:
            kind = ""
        tokens = self._theme.tokens
        return QColor(mix(getattr(tokens, kind), tokens.surface, TINT)) if kind else None

    def _tip(self, alignment: Alignment, pair: int, column: int) -> str | None:
        row, other = self._numbers(pair)
        name = self._names[column]
        if not self._is_after and row in alignment.refused:
            return tr("refused: {reason}", reason=alignment.refused[row])
        if pair in alignment.changed.get(name, ()):
            sides = (alignment.before, alignment.after)
            texts = [
                cell_text(side.column(name)[at].as_py()) for side, at in zip(sides, alignment.pairs[pair], strict=True)
            ]
            return tr("before: {old}\nafter: {new}", old=texts[0], new=texts[1])
        if alignment.matched and other == NOTHING and not self._is_after:
            return tr("does not leave the node")
        return tip_text(self._columns[column][row].as_py())

    def _side_of(self, column: int) -> int:
        numeric = self._types[column] in ("integer", "number") or self._types[column].startswith("decimal")
        side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
        return int(side | Qt.AlignmentFlag.AlignVCenter)


class SideBySide(QWidget):
    """Two tables that scroll together, and a line that says what the colours mean.

    Args:
        theme: colours.
        parent: its parent.

    Attributes:
        before, after: the tables.
        summary: what was done to the rows, in words.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._alignment: Alignment | None = None
        self.before, self.after = DataTable(numbered=True), DataTable(numbered=True)
        self._models = SideModel("before", theme, self), SideModel("after", theme, self)
        self.summary = QLabel()
        self.summary.setMinimumWidth(1)
        self.summary.setFixedHeight(LINE)
        self.summary.setTextFormat(Qt.TextFormat.RichText)
        self._captions = QLabel(), QLabel()
        self._lay_out()
        for table, other in ((self.before, self.after), (self.after, self.before)):
            table.verticalScrollBar().valueChanged.connect(other.verticalScrollBar().setValue)
            table.horizontalScrollBar().valueChanged.connect(other.horizontalScrollBar().setValue)
        self.before.selectionModel().currentRowChanged.connect(self._follow_before)
        self.after.selectionModel().currentRowChanged.connect(self._follow_after)
        theme.changed.connect(self._dress)

    def show_alignment(self, alignment: Alignment | None) -> None:
        """Show other rows; None: none."""
        self._alignment = alignment
        for model, table in zip(self._models, (self.before, self.after), strict=True):
            model.show_alignment(alignment)
            table.fit_columns()
        if alignment is not None:
            self._even_out(alignment)
            self._captions[0].setText(tr("Arrives: {rows}", rows=rows(alignment.before.num_rows)))
            self._captions[1].setText(tr("Leaves: {rows}", rows=rows(alignment.after.num_rows)))
        self._dress()

    def _lay_out(self) -> None:
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setHandleWidth(1)
        both.setChildrenCollapsible(False)
        for table, model, caption in zip((self.before, self.after), self._models, self._captions, strict=True):
            table.setModel(model)
            table.setItemDelegate(ChangedCell(self._theme, table))
            caption.setProperty("role", "overline")
            caption.setFixedHeight(LINE)
            line = QHBoxLayout()
            line.setContentsMargins(3 * SPACE, 0, 3 * SPACE, SPACE)
            line.setSpacing(4 * SPACE)
            line.addWidget(caption)
            if table is self.after:
                line.addWidget(self.summary, 1)
            else:
                line.addStretch(1)
            side = QWidget()
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            column.addLayout(line)
            column.addWidget(table, 1)
            both.addWidget(side)
        both.setSizes([500, 500])
        self.before.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for table in (self.before, self.after):  # both are as high, so that they scroll alike
            table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(both, 1)

    def _even_out(self, alignment: Alignment) -> None:
        """Columns that both sides have are as wide on both, so that they stay beside each other."""
        headers = self.before.horizontalHeader(), self.after.horizontalHeader()
        for column, name in enumerate(alignment.before.column_names):
            if name in alignment.after.column_names:
                sections = column, alignment.after.column_names.index(name)
                width = max(header.sectionSize(at) for header, at in zip(headers, sections, strict=True))
                for header, at in zip(headers, sections, strict=True):
                    header.resizeSection(at, width)

    def _follow_before(self, current: QModelIndex) -> None:
        if self.after.currentIndex().row() != current.row():
            self.after.selectRow(current.row())

    def _follow_after(self, current: QModelIndex) -> None:
        if self.before.currentIndex().row() != current.row():
            self.before.selectRow(current.row())

    def _dress(self) -> None:
        self.summary.setText(_summary(self._alignment, self._theme) if self._alignment is not None else "")
        for table in (self.before, self.after):
            table.viewport().update()


def _summary(alignment: Alignment, theme: Theme) -> str:
    """What was done, each part in the colour that marks it."""
    tokens = theme.tokens
    if not alignment.matched:
        return _coloured(tr("Rows are not matched: {reason}.", reason=alignment.reason), tokens.text_muted)
    changed = sum(map(len, alignment.changed.values()))
    refused = len(alignment.refused)
    dropped = sum(after == NOTHING for _, after in alignment.pairs) - refused
    cells = trn("{count} changed cell", "{count} changed cells", changed)
    parts = [
        (f"{SIGNS['updated']} {cells}", tokens.warning, changed),
        (f"{SIGNS['inserted']} {_listed(alignment.added)}", tokens.success, len(alignment.added)),
        (f"{SIGNS['deleted']} {_listed(alignment.removed)}", tokens.danger, len(alignment.removed)),
        (trn("{count} row dropped", "{count} rows dropped", dropped), tokens.text_muted, dropped),
        (trn("{count} row refused", "{count} rows refused", refused), tokens.danger, refused),
    ]
    shown = [_coloured(text, colour) for text, colour, number in parts if number]
    return "&nbsp;&nbsp;&nbsp;".join(shown) or _coloured(tr("Nothing changes in these rows."), tokens.text_muted)


def _listed(names: frozenset[str]) -> str:
    return trn("column {names}", "columns {names}", len(names), names=", ".join(sorted(names)))


def _coloured(text: str, colour: str) -> str:
    from html import escape

    return f'<span style="color:{colour}">{escape(text)}</span>'
