"""The schema of ``workspace.db``, as numbered steps. A released step is never changed; a new one follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import UsageError

if TYPE_CHECKING:
    from etl_studio.storage.open_file import OpenFile

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE run (
            id TEXT NOT NULL PRIMARY KEY, pipeline TEXT NOT NULL, file TEXT, parameters TEXT NOT NULL,
            status TEXT NOT NULL, started REAL NOT NULL, duration REAL, rows_in INTEGER NOT NULL DEFAULT 0,
            rows_out INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0,
            dead_letters INTEGER NOT NULL DEFAULT 0, error TEXT, error_node TEXT,
            process INTEGER NOT NULL, process_started REAL NOT NULL)""",
        "CREATE INDEX run_started ON run (started)",
        """CREATE TABLE node_count (
            run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, node TEXT NOT NULL, counts TEXT NOT NULL,
            PRIMARY KEY (run_id, node))""",
        """CREATE TABLE metric (
            run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, at REAL NOT NULL, sample TEXT NOT NULL,
            PRIMARY KEY (run_id, at))""",
        """CREATE TABLE log_line (
            id INTEGER NOT NULL PRIMARY KEY, run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            at REAL NOT NULL, level TEXT NOT NULL, node TEXT, message TEXT NOT NULL, facts TEXT NOT NULL)""",
        "CREATE INDEX log_line_run ON log_line (run_id)",
        """CREATE TABLE dead_letter (
            id INTEGER NOT NULL PRIMARY KEY, run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
            node TEXT NOT NULL, error_type TEXT NOT NULL, message TEXT NOT NULL, payload TEXT NOT NULL,
            column TEXT, line INTEGER, attempts INTEGER NOT NULL, at REAL NOT NULL)""",
        "CREATE INDEX dead_letter_run ON dead_letter (run_id)",
    ),
    (  # checkpoints, and what another process may ask of a run
        """CREATE TABLE checkpoint (
            run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, epoch INTEGER NOT NULL, at REAL NOT NULL,
            cursors TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (run_id, epoch))""",
        """CREATE TABLE node_state (
            run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE, node TEXT NOT NULL, epoch INTEGER NOT NULL,
            state BLOB NOT NULL, PRIMARY KEY (run_id, node, epoch))""",
        "ALTER TABLE run ADD COLUMN document TEXT",
        "ALTER TABLE run ADD COLUMN attempts INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE run ADD COLUMN command TEXT",
    ),
    (  # dead letters that can be edited and replayed
        "ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'run'",
        "ALTER TABLE dead_letter ADD COLUMN port TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE dead_letter ADD COLUMN types TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE dead_letter ADD COLUMN gives TEXT",
        "ALTER TABLE dead_letter ADD COLUMN operation TEXT",
        "ALTER TABLE dead_letter ADD COLUMN original TEXT",
        "ALTER TABLE dead_letter ADD COLUMN first_at REAL NOT NULL DEFAULT 0",
        "ALTER TABLE dead_letter ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE dead_letter ADD COLUMN cursor TEXT",
        "ALTER TABLE dead_letter ADD COLUMN row_number INTEGER",
        "ALTER TABLE dead_letter ADD COLUMN size INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE dead_letter ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting'",
        "ALTER TABLE dead_letter ADD COLUMN replay_run TEXT",
        "UPDATE dead_letter SET first_at = at, size = length(CAST(payload AS BLOB))",
        "CREATE INDEX dead_letter_kept ON dead_letter (state, at, size)",
        "CREATE INDEX dead_letter_replay ON dead_letter (replay_run) WHERE replay_run IS NOT NULL",
        """CREATE TABLE replay (
            run TEXT NOT NULL PRIMARY KEY, process INTEGER NOT NULL, process_started REAL NOT NULL,
            facts TEXT NOT NULL)""",
    ),
    (  # how a run stands, for other processes
        "ALTER TABLE run ADD COLUMN paused INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE run ADD COLUMN resumed_after INTEGER",
    ),
    (  # the local history of pipeline files
        "CREATE TABLE version_text (digest TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL)",
        """CREATE TABLE version (
            id INTEGER NOT NULL PRIMARY KEY, file TEXT NOT NULL, at REAL NOT NULL, why TEXT NOT NULL,
            digest TEXT NOT NULL REFERENCES version_text (digest))""",
        "CREATE INDEX version_file ON version (file, id)",
        "CREATE INDEX version_digest ON version (digest)",
    ),
    (  # where the next runs of sources begin
        """CREATE TABLE bookmark (
            file TEXT NOT NULL, node TEXT NOT NULL, "of" TEXT NOT NULL, value TEXT NOT NULL, shown TEXT NOT NULL,
            run TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (file, node, "of"))""",
    ),
)


def migrate(file: OpenFile, steps: tuple[tuple[str, ...], ...] = STEPS) -> None:
    """Bring a database to the newest schema, in one transaction.

    Raises:
        UsageError: it was made by a newer ETL Studio.
    """
    if _version(file) == len(steps):
        return
    with file.database.atomic("IMMEDIATE"):
        # Looked at again under the lock: another process may have done it meanwhile.
        version = _version(file)
        if version > len(steps):
            raise UsageError(
                f"The workspace {file.path} was made by a newer ETL Studio (schema {version}, here {len(steps)}).",
                hint="Update ETL Studio, or use another workspace.",
            )
        for step in steps[version:]:
            for statement in step:
                file.database.execute_sql(statement)
        file.database.execute_sql(f"PRAGMA user_version = {len(steps)}")


def _version(file: OpenFile) -> int:
    return int(file.database.execute_sql("PRAGMA user_version").fetchall()[0][0])
