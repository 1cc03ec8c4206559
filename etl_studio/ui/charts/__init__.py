"""Live charts of a run. ``plots`` is the only module that touches pyqtgraph."""
