"""Columns in the window: their uses, their way over the canvas, and other names for them."""
