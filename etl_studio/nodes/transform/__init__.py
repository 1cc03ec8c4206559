"""Transforms: SQL in DuckDB's dialect, built from settings."""
