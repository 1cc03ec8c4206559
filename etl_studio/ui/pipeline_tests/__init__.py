"""The tests of the open pipeline: run in the window, and what differs from the expected rows."""
