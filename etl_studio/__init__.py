"""ETL Studio: build data pipelines on a canvas, run them, watch them live."""

__version__ = "0.1.0"
