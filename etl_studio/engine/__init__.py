"""Runs a pipeline: workers, wires, policies, events. Knows no Qt, no database, no node type."""
