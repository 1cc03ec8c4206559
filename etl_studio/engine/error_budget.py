"""How many rows of a node may fail before its run stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from etl_studio.engine.meter import Meter
    from etl_studio.sdk.policy import ErrorBudget

_HINT = "Look at the dead letters and the rejects, mend what they tell, or raise the budget in the policy."


def check_number(budget: ErrorBudget, meter: Meter) -> None:
    """Judge the number of rows that failed; after each one.

    Raises:
        PermanentError: more failed than may.
    """
    failed = meter.refused_rows
    if budget.rows is not None and failed > budget.rows:
        raise PermanentError(
            f"The error budget is used up: {failed:,} {'row' if failed == 1 else 'rows'} failed, "
            f"at most {budget.rows:,} may.",
            hint=_HINT,
        )


def check_share(budget: ErrorBudget, meter: Meter, seen: int) -> None:
    """Judge the share of rows that failed, once enough were seen.

    Args:
        budget: what may fail.
        meter: counts of the node.
        seen: rows that the node has taken, or read.

    Raises:
        PermanentError: more failed than may.
    """
    failed = meter.refused_rows
    if seen >= budget.minimum and failed * 100 > budget.percent * seen:
        raise PermanentError(
            f"The error budget is used up: {failed:,} of {seen:,} rows failed ({100 * failed / seen:.3g} %), "
            f"at most {budget.percent:g} % may.",
            hint=_HINT,
        )
