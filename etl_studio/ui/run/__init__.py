"""Runs a pipeline beside the window and brings its events onto the window's thread."""
