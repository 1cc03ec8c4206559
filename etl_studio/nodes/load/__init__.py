"""Sinks: tables and files."""
