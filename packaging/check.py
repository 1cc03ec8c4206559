"""Everything that must hold before a change lands: style, types, layers, tests with and without Qt.

    python packaging/check.py [pytest arguments]

With arguments only pytest runs, with those. Run it in the project's environment (``packaging/bootstrap.py test`` does).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def main(arguments: list[str]) -> int:
    """Run all checks, the quick ones first; stops at the first that fails."""
    if arguments:
        return step("tests", [sys.executable, "-m", "pytest", *arguments])
    pytest = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile"]
    steps = [
        ("style", [str(BIN / "ruff"), "check", "--quiet", "."]),
        ("format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
        ("layers", [str(BIN / "lint-imports"), "--no-logo"] if has_no_logo() else [str(BIN / "lint-imports")]),
        ("types", [str(BIN / "mypy")]),
        ("tests without Qt", [*pytest, "-p", "no:pytest-qt", "--ignore=tests/ui"]),
        ("tests of the window", [*pytest, "tests/ui"]),
    ]
    for name, command in steps:
        status = step(name, command, without_qt=name.endswith("without Qt"))
        if status:
            return status
    return 0


def has_no_logo() -> bool:
    """Whether this import-linter can leave its logo out."""
    shown = subprocess.run([str(BIN / "lint-imports"), "--help"], capture_output=True, text=True, check=False)
    return "--no-logo" in shown.stdout


def step(name: str, command: list[str], *, without_qt: bool = False) -> int:
    """Run one check; ``without_qt``: as where PySide6 is not installed, in every process that it starts."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    environment = dict(os.environ)
    if without_qt:
        environment["PYTHONPATH"] = str(ROOT / "tests" / "no_qt")
    status = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    print(f"== {name}: {'ok' if status == 0 else 'FAILED'} after {time.monotonic() - started:.0f} s", flush=True)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
