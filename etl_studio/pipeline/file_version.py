"""Which versions of the pipeline file this program reads."""

from __future__ import annotations

from etl_studio.pipeline import yaml_tree
from etl_studio.pipeline.model import FORMAT
from etl_studio.pipeline.yaml_tree import Mapping, Scalar, kind


def check_version(tree: Mapping, *, newer: bool = False) -> int:
    """Refuse what is no pipeline file, or one of a version that this program does not know; gives the version.

    Args:
        tree: of the file.
        newer: whether a newer version will do, to be looked at.

    Raises:
        PipelineError: it is refused; says where.
    """
    entry = tree.entries.get("etl_studio")
    if entry is None:
        message = "This is no pipeline of ETL Studio: the key etl_studio is missing."
        raise yaml_tree.refused(message, tree.line, tree.column, "A pipeline begins with the line etl_studio: 1.")
    version = entry.value.plain()
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        if newer:
            return version
        message = f"The file was made by a newer ETL Studio (format {version}); this one reads format {FORMAT}."
        raise yaml_tree.refused(message, entry.value.line, entry.value.column, "Update ETL Studio to open it.")
    if version != FORMAT or isinstance(version, bool | float):
        shown = entry.value.text if isinstance(entry.value, Scalar) else kind(entry.value)
        message = f"etl_studio: {shown} is no format that exists; this ETL Studio reads format {FORMAT}."
        raise yaml_tree.refused(message, entry.value.line, entry.value.column, f"Write etl_studio: {FORMAT}.")
    return FORMAT
