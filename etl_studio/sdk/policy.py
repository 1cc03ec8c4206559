"""Policies as data: what surrounds a node's work. The engine gives them life."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from etl_studio.sdk.config import Config, setting

OnError = Literal["reject", "dead_letter", "skip", "stop"]
Fallback = Literal["stop", "branch", "last_good"]


class Retry(Config):
    """Try again after a transient error. ``attempts`` counts the first one."""

    attempts: int = setting(6, title="Attempts", description="How often in all, the first one included.", ge=1, le=100)
    backoff: Literal["fixed", "linear", "exponential"] = setting(
        "exponential", title="Backoff", description="How the delay grows from attempt to attempt."
    )
    delay: float = setting(0.5, title="First delay", description="Seconds before the second attempt.", ge=0, le=3600)
    max_delay: float = setting(
        30.0,
        title="Longest delay",
        description="Seconds; also the most that a Retry-After may ask for.",
        ge=0,
        le=86400,
    )
    jitter: bool = setting(True, title="Jitter", description="Draw each delay at random up to its value (full jitter).")
    max_elapsed: float | None = setting(
        None,
        title="Give up after",
        description="Seconds since the first attempt; empty: no limit.",
        gt=0,
        advanced=True,
    )
    budget: float = setting(
        100.0,
        title="Retry budget",
        description="Retries for each 100 requests to one host within a minute, and ten more; further ones wait.",
        ge=0,
        le=100_000,
        advanced=True,
    )
    on_status: list[int] = setting(
        [408, 425, 429, 500, 502, 503, 504],
        title="On statuses",
        description="HTTP statuses that are tried again.",
        advanced=True,
    )

    def delay_after(self, attempt: int) -> float:
        """Seconds after attempt ``attempt`` (from 1), before jitter and Retry-After."""
        if self.backoff == "fixed":
            delay = self.delay
        elif self.backoff == "linear":
            delay = self.delay * attempt
        else:
            delay = self.delay * 2.0 ** min(attempt - 1, 62)
        return min(delay, self.max_delay)


class Breaker(Config):
    """Stop calling what keeps failing. Semantics of resilience4j's CircuitBreaker."""

    enabled: bool = setting(True, title="Use a breaker", description="Refuse calls while the other side keeps failing.")
    name: str | None = setting(
        None,
        title="Name",
        description="Nodes with the same name share one breaker.",
        example="shop-api",
        advanced=True,
    )
    window: Literal["count", "time"] = setting(
        "count", title="Window by", description="Judge the last N calls, or the calls of the last N seconds."
    )
    window_size: int = setting(10, title="Window size", description="N: calls or seconds.", ge=1, le=100_000)
    minimum_calls: int = setting(5, title="Minimum calls", description="Judge only after this many calls.", ge=1)
    failure_rate: float = setting(
        50.0, title="Failure rate", description="Per cent of failed calls that opens it.", gt=0, le=100
    )
    slow_call: float = setting(
        60.0, title="Slow call", description="Seconds; a longer call counts as slow.", gt=0, advanced=True
    )
    slow_call_rate: float = setting(
        100.0,
        title="Slow call rate",
        description="Per cent of slow calls that opens it.",
        gt=0,
        le=100,
        advanced=True,
    )
    open_for: float = setting(5.0, title="Open for", description="Seconds before trial calls are let through.", gt=0)
    half_open_calls: int = setting(2, title="Trial calls", description="Calls let through while half open.", ge=1)
    max_half_open: float = setting(
        60.0,
        title="Longest half open",
        description="Seconds after which unfinished trials open it again.",
        gt=0,
        advanced=True,
    )
    when_open: Literal["wait", "fail"] = setting(
        "wait", title="While open", description="Wait until trial calls are let through, or fail at once."
    )


class RateLimit(Config):
    """At most so many calls in a period (generic cell rate algorithm)."""

    calls: float = setting(10.0, title="Calls", description="Calls allowed in each period.", gt=0)
    period: float = setting(1.0, title="Period", description="Seconds.", gt=0)
    burst: int = setting(1, title="Burst", description="Calls that may come at once.", ge=1)
    name: str | None = setting(
        None, title="Name", description="Nodes with the same name share one limit.", advanced=True
    )


class ErrorBudget(Config):
    """How many rows may fail (rejected, dead letters and skipped together) before the node stops the run."""

    rows: int | None = setting(None, title="Rows", description="At most so many may fail; empty: no limit.", ge=0)
    percent: float = setting(
        5.0,
        title="Per cent",
        description="At most this share may fail, judged batch by batch; 100: no limit.",
        ge=0,
        le=100,
    )
    minimum: int = setting(
        100, title="Of at least", description="Rows that must have been seen before the share is judged.", ge=1
    )


class Policy(Config):
    """What surrounds a node's work: ``fallback(retry(breaker(rate limit(timeout(call)))))``, and ``on_error`` for rows.

    A node wired to the rejects port is the other branch for rows that fail; ``fallback: branch`` sends it the rows of
    a batch, too, whose call finally failed.
    """

    retry: Retry = Field(default_factory=Retry, title="Retry")
    breaker: Breaker = Field(default_factory=Breaker, title="Circuit breaker")
    rate_limit: RateLimit | None = Field(None, title="Rate limit")
    budget: ErrorBudget | None = Field(None, title="Error budget")
    timeout: float | None = setting(
        None,
        title="Timeout",
        description="Seconds for one attempt; empty: 30 for web requests, none for other work.",
        gt=0,
    )
    on_error: OnError = setting(
        "reject",
        title="Rows that fail",
        description="reject: to the rejects port, or to the dead letters where no wire leaves it. "
        "dead_letter: always there. skip: count and drop. stop: end the run.",
    )
    fallback: Fallback = setting(
        "stop",
        title="When a call finally fails",
        description="stop: the run ends. branch: the rows of its batch go where rows that fail go, such as to another "
        "node at the rejects port. last_good: a node that reads the web uses the last good answer to the same request; "
        "its rows are marked in the column _stale, and no cursor advances.",
    )
    workers: int = setting(
        1,
        title="Workers",
        description="Batches that the node works on at once; 0: as many as the load asks for, up to 16. Sources, "
        "sinks and nodes that need all rows (such as sort or join) or remember some in Python always have one.",
        ge=0,
        le=64,
        advanced=True,
    )
    keep_order: bool = setting(
        True,
        title="Keep the order",
        description="With several workers: rows leave in the order in which they came, not as they are done. "
        "Where they are partitioned, only rows of the same worker do.",
        advanced=True,
    )
    partition_by: list[str] = setting(
        [],
        title="Partition by",
        description="With several workers: rows with the same values in these columns (NULL is one) go to the same "
        "worker, never two at once, and keep their order. Rows with different values may change places.",
        example=["customer_id"],
        editor="columns",
        advanced=True,
    )
    ca_file: str | None = setting(
        None,
        title="CA file",
        description="Web requests: a PEM file with certificates that are trusted besides those of the system, such as "
        "the one of a company.",
        example="company-ca.pem",
        editor="file",
        advanced=True,
    )
    check_certificate: bool = setting(
        True,
        title="Check certificates",
        description="Web requests: off, any certificate will do. Then anybody on the way can read and change what is "
        "sent, passwords included; each run warns. A CA file is the safe way.",
        advanced=True,
    )
