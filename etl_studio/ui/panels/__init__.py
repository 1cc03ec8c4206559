"""The panels below and beside the canvas, each of its own."""
