"""Debugging in the window: breakpoints on the canvas, what to do where a run halts, recorded runs."""
