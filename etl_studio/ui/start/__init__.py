"""The first minutes: the page at the start, the demo shop, the tour."""
