"""Versions of a pipeline file, as a version control system hands them over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import UsageError
from etl_studio.pipeline.file_format import UNTITLED, load
from etl_studio.pipeline.model import Pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from etl_studio.pipeline.wire_text import NodeTypes


def load_version(path: Path, registry: NodeTypes) -> Pipeline:
    """Read one version. An empty file (and ``/dev/null``) is a pipeline without nodes: there was none yet.

    The name of the file is not the pipeline's: git gives versions names of its own.

    Raises:
        UsageError: the file is missing or cannot be read.
        PipelineError: it is no pipeline; carries every problem.
    """
    try:
        if path.exists() and not path.is_dir() and not path.read_bytes():
            return Pipeline(UNTITLED)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.") from None
    return load(path, registry, name=UNTITLED)
