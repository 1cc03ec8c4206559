"""``python -m etl_studio`` is the command ``etl-studio``."""

from __future__ import annotations

import sys

from etl_studio.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
