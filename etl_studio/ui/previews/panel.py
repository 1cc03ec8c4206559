"""The rows at the selected node or on the selected wire."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QMessageBox, QStackedWidget, QVBoxLayout, QWidget

from etl_studio.pipeline.flat import SUB_PIPELINE
from etl_studio.ui.panels.notice import Notice
from etl_studio.ui.previews.bar import BOTH, OUT, PreviewBar
from etl_studio.ui.previews.following import Following, Subject
from etl_studio.ui.previews.pinning import Pinning
from etl_studio.ui.previews.sample_table import SampleTable
from etl_studio.ui.previews.side_by_side import SideBySide
from etl_studio.ui.quantities import count, rows
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa
    from PySide6.QtGui import QHideEvent, QShowEvent

    from etl_studio.app.previews import Preview
    from etl_studio.engine.alignment import Alignment
    from etl_studio.engine.samples import Sample
    from etl_studio.pipeline.model import Wire
    from etl_studio.sdk import Port
    from etl_studio.ui.document import PipelineDocument
    from etl_studio.ui.previews.runner import PreviewRunner
    from etl_studio.ui.theme.theme import Theme

REJECTS = "rejects"


class PreviewPanel(QFrame):
    """Shows a sample of the rows at a node or on a wire, soon after something was selected or changed.

    Args:
        runner: computes the rows.
        document: the pipeline.
        theme: colours and icons.
        parent: its parent.

    Signals:
        save_wanted: the pipeline is to be saved; it has no file yet.

    Attributes:
        follower: decides when rows are computed.
        pinning: keeps rows beside the pipeline.
    """

    save_wanted = Signal()

    def __init__(
        self, runner: PreviewRunner, document: PipelineDocument, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._runner, self._document, self._theme = runner, document, theme
        self._preview: Preview | None = None
        self._stale = False
        self._view = OUT
        self.follower = Following(runner, document, self)
        self.pinning = Pinning(document, self)
        self.bar = PreviewBar(theme, self)
        self.table = SampleTable(theme, self)
        self.model = self.table.samples
        self.both = SideBySide(theme, self)
        self.notice = Notice(theme, self)
        self._lay_out()
        self._connect()
        self._on_turned()

    @property
    def node(self) -> str:
        """The node whose rows are shown; empty: none."""
        return self.follower.subject.node

    def show_node(self, node: str) -> None:
        """Turn to a node; empty: to none."""
        self.follower.turn_to(Subject(node))

    def show_wire(self, wire: Wire) -> None:
        """Turn to the rows on a wire."""
        self.follower.turn_to(Subject(wire.source, wire))

    def load(self, node: str) -> None:
        """Turn to a node and compute its rows now, asking other machines where that is needed."""
        self.show_node(node)
        self.follower.read(again=False)

    def close_threads(self) -> None:
        """Stop, and wait until nothing runs."""
        self.follower.close()
        self.pinning.close()
        self.table.close_threads()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.follower.set_seen(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.follower.set_seen(False)

    # -- inside -----------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.notice)
        self._pages.addWidget(self.table)
        self._pages.addWidget(self.both)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._pages, 1)

    def _connect(self) -> None:
        follower, bar = self.follower, self.bar
        follower.turned.connect(self._on_turned)
        follower.computing.connect(self._on_computing)
        follower.shown.connect(self._on_shown)
        follower.failed.connect(self._on_failed)
        follower.went_stale.connect(self._on_stale)
        self._document.node_changed.connect(self._tell_title)
        self._document.node_renamed.connect(self._tell_title)
        self._runner.compared.connect(self._on_compared)
        self._runner.not_compared.connect(self._on_not_compared)
        bar.port_chosen.connect(self._show_port)
        bar.view_chosen.connect(self._on_view)
        bar.rows_chosen.connect(follower.set_rows)
        bar.refreshed.connect(self._on_refresh)
        bar.pin_wanted.connect(self._on_pin)
        bar.test_wanted.connect(self._on_test)
        self._runner.recorded.connect(self._on_recorded)
        self._runner.not_recorded.connect(self._on_refused)
        self.pinning.changed.connect(self._on_pinned)
        self.pinning.failed.connect(self._on_refused)
        self.model.edited.connect(self._on_edited)
        bar.charts.toggled.connect(self.table.profile.show_charts)

    def _on_turned(self) -> None:
        self._preview, self._stale = None, False
        self.table.show_sample(None)
        self.model.set_pale(False)
        self.bar.tell("")
        self.bar.ports.offer({})
        self.bar.views.offer({})
        self.bar.show_pin(possible=False, pinned=False)
        self.bar.test.hide()
        self._tell_title()
        self.bar.refresh.setEnabled(bool(self.node))
        if self.node:
            self._say("eye", tr("No rows yet"), tr("They are read in a moment."))
        else:
            self._say("eye", tr("Nothing selected"), tr("Select a node or a wire on the canvas to look at its rows."))

    def _tell_title(self) -> None:
        titles, subject = self._document.titles(), self.follower.subject
        title = titles.get(subject.node, subject.node) or tr("Preview")
        if subject.wire is not None:
            port = f" ({subject.wire.source_port})" if subject.wire.source_port == REJECTS else ""
            title = f"{title}{port} → {titles.get(subject.wire.target, subject.wire.target)}"
        self.bar.title.setText(title)

    def _on_computing(self) -> None:
        if self.model.table is None:
            self.bar.tell(tr("computing…"), busy=True)
            self._say("clock", tr("Computing the first rows…"), tr("Nothing is written."))
        else:
            self.bar.tell(self.bar.state.text(), "warning" if self._stale else "muted", busy=True)

    def _on_refresh(self) -> None:
        self.follower.read(again=True)

    def _on_stale(self) -> None:
        if self.model.table is not None:
            self._stale = True
            self.model.set_pale(True)
            self.bar.tell(tr("stale: these rows are those of earlier settings"), "warning")

    def _on_failed(self, message: str) -> None:
        if self.model.table is None:
            self.bar.tell("")
            self._say("alert-circle", tr("The rows could not be computed"), message, bad=True)
        else:
            self.model.set_pale(True)
            self.bar.tell(tr("stale: {reason}", reason=message), "danger")

    def _on_shown(self, preview: Preview) -> None:
        if preview.sample is None:
            if preview.unasked:
                self._tell_unasked(preview)
            return
        self._preview, self._stale = preview, False
        self.model.set_pale(False)
        self.bar.views.offer({OUT: tr("Out"), BOTH: tr("In and out")} if self._can_compare() else {}, self._view)
        self.bar.show_pin(possible=self._can_pin(preview.sample), pinned=preview.sample.pinned)
        self.bar.test.setVisible(self._is_made(preview.sample))
        self._show_rows()

    def _on_view(self, view: str) -> None:
        self._view = view  # kept for the next node that can be compared
        self._show_rows()

    def _show_rows(self) -> None:
        if self._preview is None or self._preview.sample is None:
            return
        comparing = self.bar.views.key == BOTH
        subject, ports = self.follower.subject, self._preview.sample.ports
        wanted = subject.wire.source_port if subject.wire is not None else self.bar.ports.key
        choices = {port: f"{self._port_title(port)} {count(table.num_rows)}" for port, table in ports.items()}
        several = len(choices) > 1 and subject.wire is None and not comparing
        self.bar.ports.offer(choices if several else {}, wanted)
        self.bar.charts.setVisible(not comparing)
        self._show_port(wanted if wanted in ports else next(iter(ports)))
        if comparing:
            self._runner.compare(self.node)

    def _show_port(self, port: str) -> None:
        if self._preview is None or self._preview.sample is None:
            return
        table = _reasons_first(self._preview.sample.ports[port])
        sample = self._preview.sample
        editable = sample.pinned and port == next(iter(sample.ports))
        self.table.show_sample(table, self._scope(sample, table), editable=editable)
        self.bar.tell(self._count(self._preview, table))
        if self.bar.views.key == BOTH and self._pages.currentWidget() is self.both:
            return
        if table.num_columns:
            self._pages.setCurrentWidget(self.table)
        else:
            self._say("table", tr("No columns"), tr("This node gives out rows without columns."))

    def _can_compare(self) -> bool:
        """Whether one wire brings the rows, and the node itself makes others of them."""
        wires = sum(wire.target == self.node for wire in self._document.pipeline.wires)
        spec = self._document.pipeline.nodes.get(self.node)
        known = self._preview.sample if self._preview is not None else None
        runs = spec is not None and not spec.disabled and spec.type != SUB_PIPELINE and known is not None
        return wires == 1 and runs and not known.pinned and not self._is_sink() and self.follower.subject.wire is None

    def _can_pin(self, sample: Sample) -> bool:
        spec = self._document.pipeline.nodes.get(self.node)
        runs = spec is not None and spec.type != SUB_PIPELINE and not spec.disabled and not self._is_sink()
        return runs and self.follower.subject.wire is None and next(iter(sample.ports.values())).num_columns > 0

    def _is_made(self, sample: Sample) -> bool:
        """Whether the rows come of others."""
        fed = any(wire.target == self.node for wire in self._document.pipeline.wires)
        spec = self._document.pipeline.nodes.get(self.node)
        runs = spec is not None and not spec.disabled and self.follower.subject.wire is None
        return fed and runs and not sample.pinned

    def _is_sink(self) -> bool:
        return all(port.name == REJECTS for port in self._outputs())

    def _outputs(self) -> tuple[Port, ...]:
        spec = self._document.pipeline.nodes.get(self.node)
        node_type = self._document.registry.get(spec.type) if spec else None
        return node_type.outputs if node_type else ()

    def _on_pin(self) -> None:
        sample = self._preview.sample if self._preview is not None else None
        if sample is None:
            return
        if sample.pinned:
            self.pinning.unpin(self.node)
        elif self._document.path is not None or self._save_first(tr("Pinned rows are kept in a file beside it.")):
            self.pinning.pin(self.node, sample)
        self.bar.pin.setChecked(sample.pinned)  # until it is done

    def _on_test(self) -> None:
        if self._document.path is not None or self._save_first(tr("A test is kept in files beside it.")):
            self.bar.tell(tr("making a test…"), busy=True)
            self._runner.record(self.node)

    def _on_recorded(self, folder: Path) -> None:
        text = tr('The test "{name}" is kept in {folder}', name=folder.name, folder=folder.parent.name)
        self.bar.tell(text, "success")

    def _save_first(self, why: str) -> bool:
        """Ask to save the pipeline; whether it has a file now."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("ETL Studio")
        box.setText(tr("Save the pipeline first?"))
        box.setInformativeText(why)
        box.setStandardButtons(QMessageBox.StandardButton.Save | QMessageBox.StandardButton.Cancel)
        if box.exec() == QMessageBox.StandardButton.Save:
            self.save_wanted.emit()
        return self._document.path is not None

    def _on_pinned(self) -> None:
        shown = self._preview.samples if self._preview is not None else {}
        if self.pinning.nodes or any(sample.pinned for sample in shown.values()):
            self.follower.look_again()

    def _on_refused(self, message: str) -> None:
        self.bar.tell(message, "danger")

    def _on_edited(self, row: int, column: str, text: str) -> None:
        self.pinning.edit(self.node, row, column, text)

    def _on_compared(self, alignment: Alignment) -> None:
        if self.bar.views.key == BOTH:
            self.both.show_alignment(alignment)
            self._pages.setCurrentWidget(self.both)

    def _on_not_compared(self, message: str) -> None:
        if self.bar.views.key == BOTH:
            self._say("alert-circle", tr("The rows could not be compared"), message, bad=True)

    def _count(self, preview: Preview, table: pa.Table) -> str:
        """``57 rows, 3 columns, from the first 200 of "Orders"``."""
        sample = preview.sample
        assert sample is not None  # noqa: S101 - it is shown
        columns = trn("{count} column", "{count} columns", table.num_columns)
        if self.node in sample.cut and not sample.pinned:
            return ", ".join([trn("first {count} row", "first {count} rows", table.num_rows), columns])
        parts = [rows(table.num_rows), columns]
        if sample.pinned:
            return ", ".join([*parts, tr("pinned: previews use them, runs do not")])
        if sample.cut:
            sources, number = self._names(sorted(sample.cut)), count(self._runner.rows)
            parts.append(tr("from the first {number} of {nodes}", number=number, nodes=sources))
        pinned = sorted(node for node, known in preview.samples.items() if known.pinned)
        if pinned:
            parts.append(tr("from pinned rows of {nodes}", nodes=self._names(pinned)))
        return ", ".join(parts)

    def _scope(self, sample: Sample, table: pa.Table) -> str:
        """Of what the profile of the columns is."""
        if sample.cut:
            return trn("the first {count} row", "the first {count} rows", table.num_rows)
        return trn("all {count} row", "all {count} rows", table.num_rows)

    def _names(self, nodes: Iterable[str]) -> str:
        titles = self._document.titles()
        quoted = [f'"{titles.get(node, node)}"' for node in nodes]
        return reduce(lambda some, last: tr("{first} and {second}", first=some, second=last), quoted)

    def _tell_unasked(self, preview: Preview) -> None:
        names = self._names(preview.unasked)
        number = len(preview.unasked)
        if self.model.table is None:
            self.bar.tell(tr("not read yet"))
            headline = trn("{nodes} asks another machine", "{nodes} ask another machine", number, nodes=names)
            self._say("globe", headline, tr("It is asked only when you press Refresh."))
        else:
            text = trn(
                "stale: {nodes} asks another machine; press Refresh",
                "stale: {nodes} ask another machine; press Refresh",
                number,
                nodes=names,
            )
            self.bar.tell(text, "warning")

    def _port_title(self, port: str) -> str:
        return next((tr(one.title) or one.name for one in self._outputs() if one.name == port), port)

    def _say(self, icon: str, headline: str, text: str, *, bad: bool = False) -> None:
        self.notice.tell(icon, headline, text, bad=bad)
        self._pages.setCurrentWidget(self.notice)


def _reasons_first(table: pa.Table) -> pa.Table:
    """Refused rows begin with why they were refused."""
    if "_error" not in table.column_names:
        return table
    return table.select(["_error", *(name for name in table.column_names if name != "_error")])
