"""The first pages of a source of the web, seen from its form."""
