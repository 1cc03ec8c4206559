"""Contexts for sinks."""

from tests.nodes.extract.conftest import web_context  # noqa: F401 - a fixture for nodes that send
