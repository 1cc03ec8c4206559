"""Rows at nodes while a pipeline is designed."""
