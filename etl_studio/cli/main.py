"""The entry of ``etl-studio``: window or command; every error becomes one clear message and an exit code.

Imports nearly nothing, so that ``--version`` and the window's start do not pay for the commands.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from etl_studio import __version__
from etl_studio.cli.exit_codes import ExitCode
from etl_studio.errors import Cancelled, EtlError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence

PIPELINE_ENDINGS = (".yaml", ".yml")
DEBUG = "ETL_STUDIO_DEBUG"
"""Variable of the environment: when set, a defect shows its traceback."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; default: those of the process.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if not given or _is_file(given[0]):
            return open_window(Path(given[0]) if given else None)
        if given == ["--version"]:
            sys.stdout.write(f"etl-studio {__version__}\n")
            return ExitCode.DONE
        from etl_studio.cli.commands import run_command

        code = run_command(given)
        sys.stdout.flush()
    except EtlError as error:
        return _tell(error, given)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Who read our output has gone. Python flushes stdout once more at the end: let it go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        sys.stderr.write(
            f"etl-studio: An unexpected error: {type(error).__name__}: {error}\n"
            f"This is a defect of ETL Studio; please report it with what {DEBUG}=1 etl-studio ... prints.\n"
        )
        return ExitCode.FAILED
    return code


def window() -> int:
    """The entry of the desktop's menu: ``etl-studio-window [FILE]``."""
    try:
        return open_window(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except EtlError as error:
        return _tell(error, [])


def open_window(path: Path | None) -> int:
    """Open the window, with a pipeline in it if one is given; returns the exit code."""
    if find_spec("PySide6") is None:
        sys.stderr.write(
            "etl-studio: The window needs PySide6, which is not installed here. "
            "Install it: pip install PySide6-Essentials pyqtgraph. "
            "Without it: etl-studio run FILE, and etl-studio --help.\n"
        )
        return ExitCode.NO_WINDOW
    from etl_studio.ui import application

    return int(application.open_window(path))


def _is_file(text: str) -> bool:
    return not text.startswith("-") and (text.endswith(PIPELINE_ENDINGS) or Path(text).is_file())


def _tell(error: EtlError, given: list[str]) -> int:
    from etl_studio.cli.output import error_lines, print_json, problem_facts

    sys.stderr.write(error_lines(error, given[1] if len(given) > 1 else None) + "\n")
    if "--json" in given and given[0] == "run":
        problems = [problem_facts(problem) for problem in getattr(error, "problems", ())]
        print_json({"run_id": None, "status": "refused", "error": str(error), "problems": problems})
    if isinstance(error, Cancelled):
        return ExitCode.INTERRUPTED
    return ExitCode.FAILED if isinstance(error, PermanentError | TransientError) else ExitCode.WRONG
