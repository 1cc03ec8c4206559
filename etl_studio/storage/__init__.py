"""Peewee on APSW: the only place that opens SQLite files."""
