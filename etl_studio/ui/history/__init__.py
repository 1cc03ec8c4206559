"""Earlier versions of the open file: kept, listed and restored."""
