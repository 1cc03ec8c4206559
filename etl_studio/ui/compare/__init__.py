"""Two versions of a pipeline on one canvas."""
