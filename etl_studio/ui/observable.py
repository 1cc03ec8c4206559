"""The pipeline as something that can be watched: data and signals, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from etl_studio.pipeline.model import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etl_studio.pipeline.model import Group


class ObservablePipeline(QObject):
    """A pipeline, and the signals by which commands announce what they changed in it.

    Args:
        pipeline: the data; an empty one by default.
        parent: the QObject that owns it.
    """

    node_added = Signal(str)
    node_removed = Signal(str)
    node_changed = Signal(str)
    """Settings, policy or title of a node, or whether it is disabled."""
    node_retyped = Signal(str)
    """Another type; ``node_changed`` is told, too."""
    node_moved = Signal(str)
    node_renamed = Signal(str, str)
    """Old id, new id; wires and layout are renamed already."""
    wire_added = Signal(object)
    wire_removed = Signal(object)
    wire_bent = Signal(object)
    """The bends of a wire, which may not be there."""
    group_added = Signal(str)
    group_removed = Signal(str)
    group_changed = Signal(str)
    """Title, members or colour of a group, or whether it is collapsed."""
    note_added = Signal(str)
    note_removed = Signal(str)
    note_changed = Signal(str)
    """Text or colour of a note."""
    note_moved = Signal(str)
    """Place or size of a note."""
    interface_changed = Signal(str)
    """Other ports of a sub-pipeline are known, or what is wrong with its file."""
    pipeline_changed = Signal()
    """Name, description or parameters."""
    reset = Signal()
    """Another pipeline has been put in: forget everything."""

    def __init__(self, pipeline: Pipeline | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pipeline = pipeline or Pipeline()

    def put_groups(self, groups: Mapping[str, Group]) -> None:
        """Put these groups in place of those that are there, and announce what is new, gone and changed."""
        before, self.pipeline.groups = self.pipeline.groups, dict(groups)
        for name in before:
            if name not in groups:
                self.group_removed.emit(name)
        for name, group in groups.items():
            if name not in before:
                self.group_added.emit(name)
            elif group != before[name]:
                self.group_changed.emit(name)
