"""Pipelines within pipelines, in the window."""
