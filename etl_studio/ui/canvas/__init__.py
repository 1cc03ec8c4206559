"""The canvas: draws the document, shows the run on it, and turns gestures into edits of the document."""
