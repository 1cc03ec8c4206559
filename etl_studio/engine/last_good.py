"""The last good answer to each web request, for the fallback ``last_good``: old data, marked as such."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from etl_studio.sdk import Bookmark, Cursor, HttpResponse, Output, Rejected, shown_url
from etl_studio.sdk.auth import NoAuth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from etl_studio.errors import TransientError
    from etl_studio.sdk import HttpRequest
    from etl_studio.sdk.node import SourceEmission

FOLDER = "last_good"
"""In the workspace."""
KEPT_DAYS = 30
FIRST_OTHER = 300
STALE = "_stale"
"""Column that tells whether a row may come from an old answer."""
_DAY = 86_400
_NOT_KEPT = {"set-cookie", "set-cookie2"}


class LastGood:
    """Answers as files, one for each request; those that were not renewed for 30 days are deleted.

    Args:
        folder: of the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._tidied = False

    def keep(self, request: HttpRequest, response: HttpResponse) -> None:
        """Keep the answer in place of the one before.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._tidy()
        facts = {
            "url": shown_url(response.url),
            "status": response.status,
            "headers": {name: text for name, text in response.headers.items() if name not in _NOT_KEPT},
            "encoding": response.encoding,
        }
        path = self._path(request)
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_bytes(json.dumps(facts).encode() + b"\n" + response.content)
        draft.replace(path)

    def find(self, request: HttpRequest) -> tuple[HttpResponse, datetime] | None:
        """The answer and when it was kept (UTC), if there is one."""
        path = self._path(request)
        try:
            facts, _, content = path.read_bytes().partition(b"\n")
            kept = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return HttpResponse(content=content, **json.loads(facts)), kept
        except (OSError, ValueError, TypeError):
            return None

    def _path(self, request: HttpRequest) -> Path:
        # Headers belong to it: another account sees other data. Of all of that only the hash is kept.
        asked = [request.method, request.url, dict(request.params), dict(request.headers), request.body]
        if request.content is not None or request.form is not None:
            asked += [hashlib.sha256(request.content or b"").hexdigest(), dict(request.form or {})]
        if not isinstance(request.auth, NoAuth):
            # Without passwords: a short one could be guessed from a hash.
            asked.append(request.auth.model_dump(exclude={"password", "client_secret"}))
        text = json.dumps(asked, sort_keys=True, default=str)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.answer"

    def _tidy(self) -> None:
        if self._tidied:
            return
        self._tidied = True
        oldest = time.time() - KEPT_DAYS * _DAY
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):  # another run may have deleted it
                if path.stat().st_mtime < oldest:
                    path.unlink()


class Fallback:
    """Uses the last good answer where none came, and tells so.

    Args:
        kept: the answers.
        log: takes a level and a message.
        used: called when an old answer is used.
    """

    def __init__(self, kept: LastGood, log: Callable[[str, str], None], used: Callable[[], None]) -> None:
        self._kept = kept
        self._log = log
        self._used = used

    def instead(self, request: HttpRequest, error: TransientError) -> HttpResponse:
        """The last good answer in place of one that did not come.

        Raises:
            TransientError: there is none.
        """
        found = self._kept.find(request)
        if found is None:
            raise error
        response, kept_at = found
        self._used()
        self._log("warning", f"{error.what} The answer of {kept_at:%Y-%m-%d %H:%M} UTC is used instead.")
        return response

    def keep(self, request: HttpRequest, response: HttpResponse) -> None:
        """Keep a good answer."""
        if response.status >= FIRST_OTHER:  # an error that the request accepts is none, nor is 304
            return
        try:
            self._kept.keep(request, response)
        except OSError as error:
            self._log("warning", f"The answer could not be kept as a fallback: {error.strerror}.")


def marked(emissions: Iterable[SourceEmission], is_stale: Callable[[], bool]) -> Iterator[Any]:
    """What a source with the fallback ``last_good`` gives: rows with a column ``_stale``.

    From the first old answer on all rows are marked, since those that follow may depend on it. Cursors and
    bookmarks are not passed on from there: the next run must ask again for what was not fresh.
    """
    for emission in emissions:
        if isinstance(emission, Cursor | Bookmark):
            if not is_stale():
                yield emission
        elif isinstance(emission, Rejected):
            yield emission
        elif isinstance(emission, Output):
            yield Output(emission.port, _with_mark(emission.batch, stale=is_stale()))
        else:
            yield _with_mark(emission, stale=is_stale())


def _with_mark(batch: pa.RecordBatch, *, stale: bool) -> pa.RecordBatch:
    import pyarrow as pa

    return batch.append_column(STALE, pa.repeat(pa.scalar(stale), batch.num_rows))
