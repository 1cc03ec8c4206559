"""What the panel of loads asks of the databases; all of it is called in threads."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.ui.quantities import rows
from etl_studio.ui.translation import tr, trn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.storage.databases import Databases
    from etl_studio.storage.loads import Load
    from etl_studio.storage.results import Results
    from etl_studio.storage.undo import Undoing
    from etl_studio.storage.workspace import Workspace


@dataclass(frozen=True, slots=True)
class KnownLoad:
    """A load and the database that it is in.

    Attributes:
        load: it.
        database: the file; None: the workspace's own.
    """

    load: Load
    database: Path | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Tells it from all others."""
        return str(self.database or ""), self.load.id

    @property
    def name(self) -> str:
        """``load 3 of the table "orders"``, with its database where that is not the workspace's."""
        facts = {"number": self.load.id, "table": self.load.table}
        if self.database is None:
            return tr('load {number} of the table "{table}"', **facts)
        return tr('load {number} of the table "{table}" in {database}', **facts, database=self.database.name)

    @property
    def title(self) -> str:
        """The same at the beginning of a sentence."""
        return f"{self.name[0].upper()}{self.name[1:]}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the undo of a load would do."""

    known: KnownLoad
    undoing: Undoing


class LoadWork:
    """Reads and undoes loads.

    Args:
        workspace: gives the workspace.
        databases: opens other files.
    """

    def __init__(self, workspace: Callable[[], Workspace], databases: Callable[[], Databases]) -> None:
        self._workspace = workspace
        self._databases = databases

    def read(self, others: Sequence[Path]) -> list[KnownLoad]:
        """The loads of the workspace and of other databases that are there, the newest first."""
        found = []
        for place in (None, *others):
            if place is not None and not place.is_file():
                continue
            with self._opened(place) as results:
                found += [KnownLoad(load, place) for load in (results.loads() if results else ())]
        return sorted(found, key=lambda known: (-known.load.at, -known.load.id))

    def look(self, known: KnownLoad) -> Outlook:
        """What its undo would do.

        Raises:
            EtlError: why it cannot be undone.
        """
        self._refuse_under_way(known)
        with self._opened(known.database) as results:
            assert results is not None  # noqa: S101 - the load was read from there
            return Outlook(known, results.rehearse_undo(known.load.id))

    def undo(self, known: KnownLoad) -> Outlook:
        """Take it back.

        Raises:
            EtlError: why it cannot be undone; nothing has changed.
        """
        self._refuse_under_way(known)
        with self._opened(known.database) as results:
            assert results is not None  # noqa: S101 - the load was read from there
            return Outlook(known, results.undo_load(known.load.id))

    def _refuse_under_way(self, known: KnownLoad) -> None:
        """A run that goes on, here or in another process, would load the rest behind the gap.

        Raises:
            UsageError: it does.
        """
        from etl_studio.engine.events import RunStatus
        from etl_studio.errors import UsageError

        workspace = self._workspace()
        try:
            workspace.mark_interrupted()
            run = workspace.run(known.load.run) if known.load.run else None
        finally:
            workspace.release()
        if run is not None and run.status is RunStatus.RUNNING:
            raise UsageError(
                tr("{load} cannot be undone: its run {run} is going on.", load=known.title, run=run.id),
                hint=tr("Stop that run first, or wait for its end."),
            )

    @contextmanager
    def _opened(self, database: Path | None) -> Iterator[Results | None]:
        """The tables; None where the workspace has none yet. The thread's connection is closed at the end."""
        from etl_studio.storage.results import Results

        if database is None:
            workspace = self._workspace()
            results = workspace.results if workspace.data_path.exists() else None
        else:
            results = Results(self._databases().open(database))
        try:
            yield results
        finally:
            if results is not None:
                results.release()


def other_databases(pipeline: Pipeline, file: Path | None) -> list[Path]:
    """Files beside the workspace's that a pipeline loads into, where no parameter hides their names.

    Args:
        pipeline: the document.
        file: its file, where relative paths start; without one none is known.
    """
    configs = [spec.config for spec in pipeline.nodes.values()]
    names = {str(config["database"]) for config in configs if config.get("database")}
    return [file.parent / name for name in sorted(names) if file is not None and "${" not in name]


def what_comes_back(undoing: Undoing) -> str:
    """What an undo does to the table, before it is done."""
    load, removed, restored = undoing.load, undoing.removed, undoing.restored
    if undoing.dropped:
        return tr(
            'The table "{table}" goes, with {rows}: this load made it, and it has no others.',
            table=load.table,
            rows=rows(removed),
        )
    parts = []
    if removed:
        parts.append(trn("{count} row that it wrote goes.", "{count} rows that it wrote go.", removed))
    if restored:
        parts.append(
            trn(
                "{count} row that it changed or deleted comes back as it was.",
                "{count} rows that it changed or deleted come back as they were.",
                restored,
            )
        )
    return " ".join(parts) or tr("No row of the table changes: the load changed none.")


def what_came_back(known: KnownLoad, undoing: Undoing) -> str:
    """What an undo did to the table."""
    if undoing.dropped:
        return tr("{load} is undone: the table, which it had made, is gone.", load=known.title)
    return tr(
        "{load} is undone: {removed} went, {restored} came back.",
        load=known.title,
        removed=rows(undoing.removed),
        restored=rows(undoing.restored),
    )
