"""What the selector workshop knows of pages: their elements, their source, and selectors that find them."""
