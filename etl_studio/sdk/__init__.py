"""What the author of a node needs, and nothing else."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from etl_studio.sdk.checkpoint import Bookmark, Cursor, Mark
from etl_studio.sdk.config import Config, Editor, known_types, setting
from etl_studio.sdk.context import RunContext
from etl_studio.sdk.database import (
    Change,
    Database,
    Diff,
    Loaded,
    MergeStrategy,
    Outbox,
    Outgoing,
    Reader,
    TableLoad,
    WriteDisposition,
    WriteOptions,
)
from etl_studio.sdk.emissions import Output, Problem, Rejected
from etl_studio.sdk.http import Gate, HttpClient, HttpRequest, HttpResponse, HttpStream, Unchanged, Web, shown_url
from etl_studio.sdk.node import Missing, Node, Operator, Sink, Source, SqlTransform, Transform
from etl_studio.sdk.policy import Breaker, ErrorBudget, Fallback, OnError, Policy, RateLimit, Retry
from etl_studio.sdk.ports import INPUT, OUT, REJECTS, Port
from etl_studio.sdk.probing import PageSeen, Probe
from etl_studio.sdk.registry import Registry
from etl_studio.sdk.sql import attempt, fails, identifier, identifiers, literal, require_columns, unused

if TYPE_CHECKING:
    from etl_studio.sdk.records import RecordBuilder
    from etl_studio.sdk.seen import SeenKeys, fingerprint
    from etl_studio.sdk.sql_sandbox import BatchView, sandbox
    from etl_studio.sdk.types import column_type, type_name

# These need Arrow, which the window must not load before it is on the screen.
_WITH_ARROW = {
    "RecordBuilder": "records",
    "SeenKeys": "seen",
    "fingerprint": "seen",
    "BatchView": "sql_sandbox",
    "sandbox": "sql_sandbox",
    "column_type": "types",
    "type_name": "types",
}

__all__ = [
    "INPUT",
    "OUT",
    "REJECTS",
    "BatchView",
    "Bookmark",
    "Breaker",
    "Change",
    "Config",
    "Cursor",
    "Database",
    "Diff",
    "Editor",
    "ErrorBudget",
    "Fallback",
    "Gate",
    "HttpClient",
    "HttpRequest",
    "HttpResponse",
    "HttpStream",
    "Loaded",
    "Mark",
    "MergeStrategy",
    "Missing",
    "Node",
    "OnError",
    "Operator",
    "Outbox",
    "Outgoing",
    "Output",
    "PageSeen",
    "Policy",
    "Port",
    "Probe",
    "Problem",
    "RateLimit",
    "Reader",
    "RecordBuilder",
    "Registry",
    "Rejected",
    "Retry",
    "RunContext",
    "SeenKeys",
    "Sink",
    "Source",
    "SqlTransform",
    "TableLoad",
    "Transform",
    "Unchanged",
    "Web",
    "WriteDisposition",
    "WriteOptions",
    "attempt",
    "column_type",
    "fails",
    "fingerprint",
    "identifier",
    "identifiers",
    "known_types",
    "literal",
    "require_columns",
    "sandbox",
    "setting",
    "shown_url",
    "type_name",
    "unused",
]


def __getattr__(name: str) -> Any:
    if name in _WITH_ARROW:
        module = import_module(f"{__name__}.{_WITH_ARROW[name]}")
        # All at once: the import has just put the module itself in the place of a function of its name.
        here = _WITH_ARROW[name]
        globals().update({one: getattr(module, one) for one, where in _WITH_ARROW.items() if where == here})
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
