"""What the commands that run something tell at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def node_lines(nodes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A line for each node: where its rows went.

    Args:
        nodes: counts of each node, by name.
    """
    from etl_studio.engine.conservation import sum_line

    width = max(map(len, nodes), default=0) + 1
    lines = []
    for name, counts in nodes.items():
        retries = f" ({counts['retries']:,} retries)" if counts.get("retries") else ""
        lines.append(f"{name + ':':{width}} {sum_line(counts)}{retries}")
    return lines


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
