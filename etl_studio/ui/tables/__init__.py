"""Item models for tables of any size. No proxy models: sorting and filtering of data is the engine's work."""
