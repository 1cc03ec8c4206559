"""What the commands that run something tell at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from etl_studio.engine.events import RunEnded


def exit_code(ended: RunEnded, *, interrupted: bool) -> ExitCode:
    """How the run ended, for the caller."""
    from etl_studio.engine.events import RunStatus

    match ended.status:
        case RunStatus.DONE:
            return ExitCode.DONE
        case RunStatus.DONE_WITH_DEAD_LETTERS:
            return ExitCode.DEAD_LETTERS
        case RunStatus.FAILED if not interrupted:
            return ExitCode.FAILED
        case _:
            return ExitCode.INTERRUPTED


def report_facts(ended: RunEnded) -> dict[str, Any]:
    """The report for programs; names are kept from version to version."""
    from dataclasses import asdict

    return {
        "run_id": ended.run,
        "status": str(ended.status),
        "rows_in": ended.rows_in,
        "rows_out": ended.rows_out,
        "rejected": ended.rejected,
        "dead_letters": ended.dead_letters,
        "peak_memory": ended.peak_memory,
        "duration_s": round(ended.duration, 3),
        "nodes": {name: asdict(counts) for name, counts in ended.nodes.items()},
        "error": ended.error,
        "error_node": ended.error_node,
    }
