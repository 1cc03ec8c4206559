"""What may be the id of a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl_studio.errors import UsageError
from etl_studio.ui.translation import tr

if TYPE_CHECKING:
    from etl_studio.pipeline.model import Pipeline


def refuse_id(pipeline: Pipeline, new: str) -> None:
    """Refuse an id that a node of a pipeline cannot get.

    Raises:
        UsageError: it is taken or is no identifier.
    """
    if not (new.isascii() and new.isidentifier()):
        raise UsageError(
            tr('"{name}" cannot be the name of a node.', name=new),
            hint=tr("Use letters, digits and underscores, and begin with a letter."),
        )
    if new in pipeline.nodes:
        raise UsageError(tr('There is a node called "{name}" already.', name=new), hint=tr("Choose another name."))
    if new in pipeline.notes:
        raise UsageError(tr('There is a note called "{name}" already.', name=new), hint=tr("Choose another name."))
