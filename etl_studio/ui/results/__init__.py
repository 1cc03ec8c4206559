"""The tables of results: browsing at any size, and export."""
