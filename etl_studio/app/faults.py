"""Fault injection with the databases' own errors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import apsw

from etl_studio.engine.inject import Injection, Injector
from etl_studio.storage.failures import explained

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.engine.plan import Plan


def injector(injection: Injection, plan: Plan, database: Path) -> Injector:
    """Fails the nodes of a run; ``database``: the file that busy and full are told of.

    Raises:
        UsageError: a node to fail is not there.
    """
    faults = {"busy": apsw.BusyError("injected"), "disk_full": apsw.FullError("injected")}
    return Injector(injection, plan, {name: partial(explained, error, database) for name, error in faults.items()})
