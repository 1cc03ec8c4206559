"""The pipeline as something that can be watched: data and signals, nothing else."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from etl_studio.pipeline.model import Pipeline


class ObservablePipeline(QObject):
    """A pipeline, and the signals by which commands announce what they changed in it.

    Args:
        pipeline: the data; an empty one by default.
        parent: the QObject that owns it.
    """

    node_added = Signal(str)
    node_removed = Signal(str)
    node_changed = Signal(str)
    """Settings, policy or title of a node."""
    node_retyped = Signal(str)
    """Another type; ``node_changed`` is told, too."""
    node_moved = Signal(str)
    node_renamed = Signal(str, str)
    """Old id, new id; wires and layout are renamed already."""
    wire_added = Signal(object)
    wire_removed = Signal(object)
    pipeline_changed = Signal()
    """Name, description or parameters."""
    reset = Signal()
    """Another pipeline has been put in: forget everything."""

    def __init__(self, pipeline: Pipeline | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.pipeline = pipeline or Pipeline()
