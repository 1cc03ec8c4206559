"""ETL Studio: build data pipelines on a canvas, run them, watch them live."""

import os

__version__ = "0.1.0"

# Looking for plug-ins of pydantic, of which there are none here, would cost 30 ms at each start.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
