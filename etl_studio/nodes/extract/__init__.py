"""Sources: files, APIs, web pages, generated rows."""
