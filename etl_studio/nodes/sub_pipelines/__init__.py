"""Pipelines within pipelines: the node that runs a file, and the ends of such a file."""
