"""Forms that are generated from pydantic models: one editor for each kind of value."""
