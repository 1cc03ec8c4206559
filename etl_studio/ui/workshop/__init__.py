"""The selector workshop: a page, its elements, and the selectors that make rows of it."""
