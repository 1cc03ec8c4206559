"""The composition root: builds registry, storage and engine once and hands them over."""
