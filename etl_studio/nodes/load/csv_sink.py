"""Write a CSV file."""

from __future__ import annotations

import errno
import glob
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from pydantic import field_validator

from etl_studio import sdk
from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.nodes.load._csv_text import CsvFormat

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class CsvSink(sdk.Sink):
    """Write the rows to a CSV file, or replace the one that is there.

    The rows go to a file of another name beside it, which takes the place of the target when all have come: nobody
    ever sees half a file, and a run that fails leaves the old one as it was. Without any row the file holds the names.
    A run that broke off goes on in the half file when it is resumed.

    A missing value is an empty field, an empty text is `""`. Dates and times are written as ISO 8601, nested values as
    JSON, text in UTF-8. For a file that people open in Excel, switch on *For Excel*: Excel then knows the encoding, and
    text that it would run as a formula (`=...`) is made harmless by a `'` in front.
    """

    type: ClassVar[str] = "csv_sink"
    title: ClassVar[str] = "CSV file"
    icon: ClassVar[str] = "file-down"
    group: ClassVar[sdk.node.Group] = "load"
    keywords: ClassVar[tuple[str, ...]] = ("write", "export", "save", "text", "tsv", "excel", "file")
    outputs: ClassVar[tuple[sdk.Port, ...]] = ()
    example: ClassVar[dict[str, Any]] = {"path": "orders_clean.csv"}

    class Config(sdk.Config):
        """Where to write and how."""

        path: str = sdk.setting(
            title="File",
            description="The file to write; relative to the pipeline file.",
            example="clean.csv",
            editor="save_file",
        )
        delimiter: str = sdk.setting(
            ",", title="Delimiter", description="The sign between fields, or tab.", example=";"
        )
        header: bool = sdk.setting(True, title="Names in the first line", description="Write the names of the columns.")
        excel: bool = sdk.setting(
            False,
            title="For Excel",
            description="Mark the file as UTF-8 and keep Excel from running text as formulas.",
        )
        null_text: str = sdk.setting(
            "", title="Missing values", description="What to write for them.", example="NULL", advanced=True
        )
        create_folders: bool = sdk.setting(
            False, title="Create folders", description="Make the folder when it is not there.", advanced=True
        )

        @field_validator("delimiter")
        @classmethod
        def _one_sign(cls, value: str) -> str:
            value = {"tab": "\t", "\\t": "\t"}.get(value, value)
            if len(value) != 1 or not value.isascii() or value in '"\r\n':
                raise ValueError("must be one sign such as ; or the word tab")
            return value

        @field_validator("null_text")
        @classmethod
        def _no_quotes(cls, value: str) -> str:
            if any(sign in value for sign in '"\r\n'):
                raise ValueError("must hold no quote and no line end")
            return value

    config: Config

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._target: Path | None = None
        self._part: Path | None = None
        self._file: BinaryIO | None = None
        self._format: CsvFormat | None = None
        self._rows = 0
        self._kept: int | None = None
        self._columns: list[str] = []
        self._adds = False

    def adding(self) -> CsvSink:
        """Rows of a replay go behind those that are in the file."""
        sink = CsvSink(self.config)
        sink._adds = True
        return sink

    @property
    def empties(self) -> bool:
        """Each load writes the file anew."""
        return True

    @property
    def commits_at_barriers(self) -> bool:
        """What is in the half file by then is kept for a resumed run."""
        return True

    def last_mark(self, context: sdk.RunContext) -> sdk.Mark | None:
        """The last mark whose rows are in the half file, or in the target; None where they are not."""
        mark = context.database().mark(context.run, context.node)
        if mark is not None and "size" in mark.facts:
            target = context.path(self.config.path).resolve()
            return mark if target.exists() and target.stat().st_size == mark.facts["size"] else None
        if mark is None or "offset" not in mark.facts:
            return mark
        part = self._part_path(context)
        return mark if part.exists() and part.stat().st_size >= mark.facts["offset"] else None

    def open(self, schema: pa.Schema, context: sdk.RunContext) -> None:
        """Begin the file beside the target.

        Raises:
            PermanentError: the folder is not there or may not be written to; the target is a folder.
        """
        from etl_studio.nodes.load._csv_text import CsvFormat

        config = self.config
        target = context.path(config.path).resolve()
        if target.is_dir():
            raise PermanentError(f"{target} is a folder.", hint="Name the file to write in it.")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermanentError(f"{target} is read-only.", hint="Allow writing to it, or choose another path.")
        with _explained(target):
            if config.create_folders:
                target.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.is_dir():
                hint = "Create it, choose another path, or switch on create_folders."
                raise PermanentError(f"There is no folder {target.parent}.", hint=hint)
            self._target, self._part = target, self._part_path(context)
            self._format = CsvFormat(config.delimiter, config.null_text, config.excel)
            self._columns = schema.names
            if self._goes_on(context):
                return
            for left in target.parent.glob(f".{glob.escape(target.name)}.{_in_file_name(context.node)}.*.part"):
                left.unlink(missing_ok=True)
            self._file = self._part.open("xb")
            head = (b"\xef\xbb\xbf" if config.excel else b"") + (
                self._format.header(schema.names) if config.header else b""
            )
            if self._adds and target.exists():
                self._copy(target, head)
            else:
                self._file.write(head)

    def write(self, batch: pa.RecordBatch, context: sdk.RunContext) -> Iterable[sdk.Rejected]:
        """Write the lines of a batch.

        Raises:
            PermanentError: the disk is full.
        """
        del context
        file, target, csv_format = self._open_file()
        with _explained(target):
            file.write(csv_format.lines(batch))
        self._rows += batch.num_rows
        return ()

    def commit(self, context: sdk.RunContext, mark: sdk.Mark | None = None) -> sdk.Loaded:
        """Put the finished file in the target's place; before the end, make what is there last through a power cut."""
        loaded = sdk.Loaded(inserted=self._rows)
        if self._file is None and not self._takes_up(context):
            if mark is not None and not mark.final:
                context.database().save_mark(mark)
            return loaded
        file, target = self._file, self._target
        assert file is not None  # noqa: S101 - open, or taken up just now
        assert target is not None  # noqa: S101
        if mark is not None and not mark.final:
            with _explained(target):
                file.flush()
                os.fsync(file.fileno())
            offset = file.tell()
            facts = {**mark.facts, "offset": offset, "columns": self._columns, "loaded": {"inserted": loaded.inserted}}
            context.database().save_mark(replace(mark, facts=facts))
            self._kept, self._rows = offset, 0
            return loaded
        part = self._part
        assert part is not None  # noqa: S101 - set together with the file
        with _explained(target):
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
            file.close()
            if self._adds and mark is not None:
                # Who comes after a crash sees by the size of the target whether the rows got there.
                context.database().save_mark(replace(mark, final=False, facts={**mark.facts, "size": size}))
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
            _sync_folder(target.parent)
        if self._adds and mark is not None:
            context.database().save_mark(mark)
        self._file = self._part = None
        self._rows = 0
        return loaded

    def abort(self, context: sdk.RunContext) -> None:
        """Remove what was written since the last mark; the target stays as it was."""
        del context
        # Closing a file on a full disk fails again; it is thrown away anyway.
        with suppress(OSError):
            if self._file is not None:
                self._file.close()
        with suppress(OSError):
            if self._part is not None and self._kept is not None:
                os.truncate(self._part, self._kept)
            elif self._part is not None:
                self._part.unlink(missing_ok=True)
        self._file = self._part = None
        self._rows = 0

    def _part_path(self, context: sdk.RunContext) -> Path:
        """Of this run's half file, beside the target."""
        target = context.path(self.config.path).resolve()
        return target.with_name(f".{target.name}.{_in_file_name(context.node)}.{context.run}.part")

    def _takes_up(self, context: sdk.RunContext) -> bool:
        """Whether there is a half file of this run to which a resumed run had no row to add."""
        self._target, self._part = context.path(self.config.path).resolve(), self._part_path(context)
        return self._goes_on(context)

    def _goes_on(self, context: sdk.RunContext) -> bool:
        """Whether there is a half file of this run, opened behind its last mark now."""
        part = self._part
        assert part is not None  # noqa: S101 - set by open
        if self._file is None and not part.exists():
            return False
        mark = self.last_mark(context)
        if mark is None or "offset" not in mark.facts:
            part.unlink()
            return False
        before = mark.facts.get("columns", self._columns)
        if self._columns and self._columns != before:
            raise PermanentError(
                f"The half file of this run has the columns {', '.join(before)}, "
                f"and now come {', '.join(self._columns)}.",
                hint="Resume with the pipeline as it was, or run it again from the beginning.",
            )
        self._columns = before
        if self._file is not None:
            return True
        self._kept = mark.facts["offset"]
        self._file = part.open("r+b")
        self._file.truncate(self._kept)
        self._file.seek(0, os.SEEK_END)
        return True

    def _copy(self, target: Path, head: bytes) -> None:
        """Begin with what is in the target, whose columns must be the same."""
        part, _, _ = self._open_file()
        with target.open("rb") as old:
            begins = old.read(len(head))
            if begins != head:
                raise PermanentError(
                    f"{target} has other columns than the rows that are to be added.",
                    hint="Run the pipeline again: it writes the whole file.",
                )
            part.write(begins)
            shutil.copyfileobj(old, part)
            if old.tell() > len(head):
                old.seek(-1, os.SEEK_END)
                part.write(b"" if old.read(1) == b"\n" else b"\n")

    def _open_file(self) -> tuple[BinaryIO, Path, CsvFormat]:
        assert self._file is not None  # noqa: S101 - the engine opens first
        assert self._target is not None  # noqa: S101
        assert self._format is not None  # noqa: S101
        return self._file, self._target, self._format


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Turn the system's errors into ours."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        if error.errno in FULL:
            what, hint = "the disk is full", "Free some space or choose another disk, then run again."
        elif error.errno in FORBIDDEN:
            what = f"that is not allowed ({reason})"
            hint = "Check who may write to the folder, close the file in other programs, or choose another path."
        else:
            what, hint = reason, "Check the path, or choose another."
        raise PermanentError(f"{target} cannot be written: {what}.", hint=hint) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _in_file_name(node: str) -> str:
    """The id of a node, which may be inside a sub-pipeline (``clean/save``), as a part of a file's name."""
    return node.replace("/", "-")
