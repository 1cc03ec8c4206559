"""The text of a file as it was last committed, where its folder is in a git repository and git is there."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 10.0
"""Seconds after which git is given up."""


def committed_text(file: Path) -> str:
    """What ``HEAD`` has of a file.

    Raises:
        UsageError: git is not there, the folder is in no repository, or the file is in no commit yet.
    """
    git = shutil.which("git")
    if git is None:
        raise UsageError("git is not installed.", hint="Compare with the saved file or a version of the history.")
    # "./" makes git look in the folder itself, and not at the root of the repository.
    command = [git, "-C", str(file.resolve().parent), "show", f"HEAD:./{file.resolve().name}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603 - no shell
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"git did not answer: {error}") from error
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").split("\n")[0]
        raise UsageError(f"git has no committed version of {file.name}: {words}.", hint="Commit the file first.")
    return done.stdout.decode("utf-8", "replace")
