"""The document as plain data: model, rules, file format."""
