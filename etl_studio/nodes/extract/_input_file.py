"""Opening a text file that a pipeline reads: unpacking, encodings, and clear words when it is not what was promised."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from etl_studio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPENERS: dict[str, Callable[[Any], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
OTHER_KINDS = {
    b"PK\x03\x04": "a zip archive or an Excel file",
    b"PAR1": "a Parquet file",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed with gzip: let its name end in .gz",
}
SKIP_BYTES = 4 * 1024 * 1024
NUL_BYTES = 10
"""So many in the first 100 bytes: text holds none, UTF-16 one in two."""


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[Callable[[int], bytes]]:
    """A function that gives the file's next bytes as UTF-8, without a byte order mark.

    A mark at the file's beginning wins over ``encoding``. With UTF-8 the bytes come as they are, right or wrong.

    Raises:
        PermanentError: the file is not there, may not be read, is damaged or written in another encoding.
    """
    if path.is_dir():
        raise PermanentError(f"{path} is a folder.", hint="Name a file in it.")
    try:
        stream = OPENERS.get(path.suffix.lower(), _plain)(path)
    except FileNotFoundError:
        raise PermanentError(f"There is no file {path}.", hint=_nearest(path)) from None
    except OSError as error:
        raise PermanentError(f"{path} cannot be opened: {error.strerror}.", hint="Check who may read it.") from None
    with stream:
        try:
            mark = stream.peek(3)[:3]
            if mark[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
                encoding = "utf-16"
            if codecs.lookup(encoding).name in {"utf-8", "utf-8-sig", "ascii"}:
                if mark == codecs.BOM_UTF8:
                    stream.read(3)
                yield stream.read
            else:
                text = io.TextIOWrapper(stream, encoding, newline="")
                yield lambda size: text.read(size).encode()
        except UnicodeError as error:
            raise _not_written_in(encoding, path, error) from None
        except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
            raise PermanentError(f"{path} cannot be read: {error}.", hint="The file or its disk is damaged.") from None


def file_stamp(path: Path) -> dict[str, Any]:
    """Size in bytes and time of the last change, in nanoseconds; nothing where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return {}
    return {"size": found.st_size, "modified": found.st_mtime_ns}


def skipped(read: Callable[[int], bytes], data: bytes, count: int) -> bytes:
    """What stands ``count`` bytes behind the beginning of ``data``, which was read already.

    Raises:
        PermanentError: the file is shorter.
    """
    while count > len(data):
        count -= len(data)
        data = read(min(count, SKIP_BYTES))
        if not data:
            raise PermanentError(
                "The file is shorter than it was when the run broke off.", hint="Undo the load and run again."
            )
    return data[count:]


def refuse_other_kinds(head: bytes, path: Path, wanted: str) -> None:
    """Say so when a file's first bytes belong to another kind of file than ``wanted`` (such as CSV).

    Raises:
        PermanentError: it is a web page, an archive, a database, ..., or UTF-16 without its mark.
    """
    start = head[:100].lstrip().lower()
    kind = next((kind for sign, kind in OTHER_KINDS.items() if head.startswith(sign)), None)
    if start.startswith((b"<!doctype html", b"<html")):
        kind = "a web page"
    if kind:
        raise PermanentError(
            f"{path.name} is no {wanted} file but {kind}.", hint=f"Check the path, or save it as {wanted} first."
        )
    if head[:100].count(b"\0") > NUL_BYTES:
        raise PermanentError(f"{path.name} holds NUL bytes.", hint="If it is a text, set its encoding to utf-16.")


def known_encoding(name: str) -> str:
    """The name, when Python knows that encoding; for validators.

    Raises:
        ValueError: there is none; the message guesses which was meant.
    """
    try:
        "".encode(name)  # some codecs, such as hex, are none of texts
    except (LookupError, UnicodeError):
        near = get_close_matches(name, ("utf-8", "utf-16", "latin-1", "cp1252"), n=1)
        raise ValueError(f"there is no such encoding{f'; did you mean {near[0]}?' if near else ''}") from None
    return name


def _not_written_in(encoding: str, path: Path, error: UnicodeError) -> PermanentError:
    reason, value = str(error), None
    if isinstance(error, UnicodeDecodeError):
        reason, value = error.reason, error.object[error.start : error.start + 8].hex(" ")
    elif isinstance(error, UnicodeEncodeError):
        reason = "it holds half a character (a lone surrogate)"
    return PermanentError(
        f"{path.name} is not written in {encoding}: {reason}.",
        hint="Set the right encoding; files of older Windows programs are mostly cp1252.",
        value=value,
    )


def _plain(path: Path) -> io.BufferedReader:
    return path.open("rb")


def _nearest(path: Path) -> str:
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} either."
    near = get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1)
    return f'Did you mean "{near[0]}"?' if near else "Check the path: it starts at the pipeline file's folder."
