"""The terminal: thin commands over the app."""
