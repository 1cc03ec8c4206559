"""The tables of ``workspace.db`` as Peewee models, made for one database: nothing global."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import peewee

if TYPE_CHECKING:
    from etl_studio.storage.open_file import Connections


class JsonField(peewee.TextField):
    """A value kept as JSON text."""

    def db_value(self, value: Any) -> str | None:
        """To text; None stays NULL."""
        return None if value is None else json.dumps(value, ensure_ascii=False, default=str)

    def python_value(self, value: str | None) -> Any:
        """From text."""
        return None if value is None else json.loads(value)


@dataclass(frozen=True, slots=True)
class Models:
    """The models of one workspace."""

    run: Any
    node_count: Any
    metric: Any
    log_line: Any
    dead_letter: Any
    replay: Any
    checkpoint: Any
    node_state: Any
    version: Any
    version_text: Any
    bookmark: Any


def models_for(database: Connections) -> Models:
    """Models bound to a database."""

    class Table(peewee.Model):
        class Meta:
            legacy_table_names = False

    Table._meta.set_database(database)  # noqa: SLF001 - Peewee's way to bind without a global

    class Run(Table):
        id = peewee.TextField(primary_key=True)
        pipeline = peewee.TextField()
        file = peewee.TextField(null=True)
        parameters = JsonField()
        status = peewee.TextField()
        started = peewee.DoubleField(index=True)
        duration = peewee.DoubleField(null=True)
        rows_in = peewee.IntegerField(default=0)
        rows_out = peewee.IntegerField(default=0)
        rejected = peewee.IntegerField(default=0)
        dead_letters = peewee.IntegerField(default=0)
        error = peewee.TextField(null=True)
        error_node = peewee.TextField(null=True)
        process = peewee.IntegerField()
        process_started = peewee.DoubleField()
        document = peewee.TextField(null=True)
        attempts = peewee.IntegerField(default=1)
        command = peewee.TextField(null=True)
        paused = peewee.BooleanField(default=False)
        resumed_after = peewee.IntegerField(null=True)
        kind = peewee.TextField(default="run")

    class NodeCount(Table):
        run = peewee.ForeignKeyField(Run, backref="+", on_delete="CASCADE")
        node = peewee.TextField()
        counts = JsonField()

        class Meta:
            primary_key = peewee.CompositeKey("run", "node")

    class Metric(Table):
        run = peewee.ForeignKeyField(Run, backref="+", on_delete="CASCADE")
        at = peewee.DoubleField()
        sample = JsonField()

        class Meta:
            primary_key = peewee.CompositeKey("run", "at")

    class LogLine(Table):
        run = peewee.ForeignKeyField(Run, backref="+", on_delete="CASCADE")
        at = peewee.DoubleField()
        level = peewee.TextField()
        node = peewee.TextField(null=True)
        message = peewee.TextField()
        facts = JsonField()

    class DeadLetter(Table):
        run = peewee.ForeignKeyField(Run, backref="+", on_delete="CASCADE")
        node = peewee.TextField()
        error_type = peewee.TextField()
        message = peewee.TextField()
        payload = JsonField()
        column = peewee.TextField(null=True)
        line = peewee.IntegerField(null=True)
        attempts = peewee.IntegerField()
        at = peewee.DoubleField()
        port = peewee.TextField(default="")
        types = JsonField(default=dict)
        gives = JsonField(null=True)
        operation = JsonField(null=True)
        original = JsonField(null=True)
        first_at = peewee.DoubleField()
        epoch = peewee.IntegerField(default=0)
        cursor = JsonField(null=True)
        row_number = peewee.IntegerField(null=True)
        size = peewee.IntegerField(default=0)
        state = peewee.TextField(default="waiting")
        replay_run = peewee.TextField(null=True)

    class Replay(Table):
        run = peewee.TextField(primary_key=True)
        process = peewee.IntegerField()
        process_started = peewee.DoubleField()
        facts = JsonField()

    class Checkpoint(Table):
        run = peewee.ForeignKeyField(Run, backref="+", on_delete="CASCADE")
        epoch = peewee.IntegerField()
        at = peewee.DoubleField()
        cursors = JsonField()
        counts = JsonField()

        class Meta:
            primary_key = peewee.CompositeKey("run", "epoch")

    class NodeState(Table):
        run = peewee.ForeignKeyField(Run, backref="+", on_delete="CASCADE")
        node = peewee.TextField()
        epoch = peewee.IntegerField()
        state = peewee.BlobField()

        class Meta:
            primary_key = peewee.CompositeKey("run", "node", "epoch")

    class VersionText(Table):
        digest = peewee.TextField(primary_key=True)
        content = peewee.BlobField()

    class Version(Table):
        file = peewee.TextField()
        at = peewee.DoubleField()
        why = peewee.TextField()
        digest = peewee.TextField()

    class Bookmark(Table):
        file = peewee.TextField()
        node = peewee.TextField()
        of = peewee.TextField()
        value = JsonField()
        shown = peewee.TextField()
        run = peewee.TextField()
        at = peewee.DoubleField()

        class Meta:
            primary_key = peewee.CompositeKey("file", "node", "of")

    return Models(
        Run, NodeCount, Metric, LogLine, DeadLetter, Replay, Checkpoint, NodeState, Version, VersionText, Bookmark
    )
