"""Reads the local history of a pipeline file; called in threads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.errors import EtlError
from etl_studio.pipeline.diff import diff
from etl_studio.pipeline.diff_words import summary
from etl_studio.ui.compare.comparing import read_version
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk import Registry
    from etl_studio.storage.versions import Version
    from etl_studio.storage.workspace import Workspace

PATIENCE = 3.0
"""Seconds in which differences are put into words at each reading; older versions get theirs at the next one."""


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """A version with what changed in it.

    Attributes:
        words: what changed since the version before; empty where that is not known.
    """

    version: Version
    words: str


class HistoryWork:
    """Looks into the workspace of the open file.

    Args:
        workspace: gives the workspace.
        registry: the node types.
    """

    def __init__(self, workspace: Callable[[], Workspace], registry: Registry) -> None:
        self._workspace, self._registry = workspace, registry
        self._words: dict[tuple[str, str], str] = {}

    def read(self, file: str) -> list[KnownVersion]:
        """The versions of a file, the newest first.

        Raises:
            EtlError: the workspace cannot be read.
        """
        until = time.monotonic() + PATIENCE
        workspace = self._workspace()
        try:
            versions = workspace.versions.of(file)
            known = []
            for number, version in enumerate(versions):
                before = versions[number + 1] if number + 1 < len(versions) else None
                words = self._told(workspace, before, version, until) if before else tr("the first one that is known")
                known.append(KnownVersion(version, words))
        finally:
            workspace.release()
        return known

    def pipeline(self, version: Version) -> Pipeline:
        """A version as it was.

        Raises:
            EtlError: it is not kept any more, or cannot be read.
        """
        workspace = self._workspace()
        try:
            return read_version(workspace.versions.text(version.digest), self._registry)
        finally:
            workspace.release()

    def _told(self, workspace: Workspace, before: Version, version: Version, until: float) -> str:
        key = (before.digest, version.digest)
        if key not in self._words and time.monotonic() < until:
            try:
                pair = [read_version(workspace.versions.text(digest), self._registry) for digest in key]
            except EtlError:
                self._words[key] = tr("cannot be compared")
            else:
                self._words[key] = summary(diff(*pair))
        return self._words.get(key, "")
