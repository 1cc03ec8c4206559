"""What the author of a node needs, and nothing else."""

from etl_studio.sdk.config import Config, Editor, setting
from etl_studio.sdk.context import RunContext
from etl_studio.sdk.database import Database, Loaded, TableLoad, WriteDisposition
from etl_studio.sdk.emissions import Output, Problem, Rejected
from etl_studio.sdk.http import HttpClient, HttpRequest, HttpResponse, shown_url
from etl_studio.sdk.node import Node, Sink, Source, SqlTransform, Transform
from etl_studio.sdk.policy import Breaker, OnError, Policy, RateLimit, Retry
from etl_studio.sdk.ports import INPUT, OUT, REJECTS, Port
from etl_studio.sdk.records import RecordBuilder
from etl_studio.sdk.registry import Registry
from etl_studio.sdk.sandbox import BatchView, sandbox
from etl_studio.sdk.sql import attempt, fails, identifier, identifiers, literal, require_columns, unused
from etl_studio.sdk.types import column_type, type_name

__all__ = [
    "INPUT",
    "OUT",
    "REJECTS",
    "BatchView",
    "Breaker",
    "Config",
    "Database",
    "Editor",
    "HttpClient",
    "HttpRequest",
    "HttpResponse",
    "Loaded",
    "Node",
    "OnError",
    "Output",
    "Policy",
    "Port",
    "Problem",
    "RateLimit",
    "RecordBuilder",
    "Registry",
    "Rejected",
    "Retry",
    "RunContext",
    "Sink",
    "Source",
    "SqlTransform",
    "TableLoad",
    "Transform",
    "WriteDisposition",
    "attempt",
    "column_type",
    "fails",
    "identifier",
    "identifiers",
    "literal",
    "require_columns",
    "sandbox",
    "setting",
    "shown_url",
    "type_name",
    "unused",
]
