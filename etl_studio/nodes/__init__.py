"""The catalogue: one file per node type."""
