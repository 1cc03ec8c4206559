"""Options of fault injection, and its report as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from etl_studio.engine.inject import FaultReport, Injection

DEFAULT_RATE = 0.2

InjectSeed: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--inject",
        metavar="SEED",
        help="Make nodes fail on purpose; the same seed gives the same faults.",
        show_default=False,
    ),
]
InjectNodes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--inject-node", metavar="NODE", help="Fail this node only; may be repeated.", show_default=False),
]
InjectRate: TypeAlias = Annotated[
    float, typer.Option("--inject-rate", min=0, max=1, help="Share of attempts that fail.")
]
InjectFaults: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--inject-fault",
        metavar="KIND",
        help="too_many_requests, unavailable, reset, timeout, busy, malformed_rows or disk_full; may be repeated. "
        "Default: all but disk_full, which ends the run.",
        show_default=False,
    ),
]


def read_injection(seed: int | None, nodes: list[str] | None, rate: float, kinds: list[str] | None) -> Injection | None:
    """What to inject; None without a seed.

    Raises:
        UsageError: a kind of fault that is not there, or options without a seed.
    """
    if seed is None:
        if nodes or kinds:
            raise UsageError("Fault injection needs a seed.", hint="Add --inject SEED, such as --inject 1.")
        return None
    from etl_studio.engine.inject import FAULT_KINDS, Injection

    for kind in kinds or ():
        if kind not in FAULT_KINDS:
            raise UsageError(f'There is no fault "{kind}".', hint=f"Choose from {', '.join(FAULT_KINDS)}.")
    chosen = {"kinds": tuple(kind for kind in FAULT_KINDS if kind in kinds)} if kinds else {}
    return Injection(seed, rate, tuple(nodes or ()), **chosen)


def fault_table(report: FaultReport) -> str:
    """What each policy did, for people."""
    from etl_studio.cli.output import table

    header = ("node", "faults", "attempts", "retries", "openings", "refused", "rejected", "dead letters", "lost", "x")
    rows = [
        (
            name,
            sum(node.injected.values()),
            node.attempts,
            node.retries,
            node.openings,
            node.refused,
            node.rejected + node.skipped,
            node.dead_letters,
            node.lost,
            f"{node.amplification:.2f}",
        )
        for name, node in report.nodes.items()
    ]
    return f"{table(header, rows)}\n{report.summary}"


def fault_facts(report: FaultReport) -> dict[str, Any]:
    """The report for programs; names are kept from version to version."""
    from dataclasses import asdict

    nodes = {
        name: asdict(node) | {"amplification": round(node.amplification, 3)} for name, node in report.nodes.items()
    }
    return {
        "seed": report.injection.seed,
        "rate": report.injection.rate,
        "injected": report.injected,
        "lost": report.lost,
        "amplification": round(report.amplification, 3),
        "nodes": nodes,
    }
