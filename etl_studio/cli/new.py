"""``new``: begin with a template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl_studio.errors import UsageError


def new(
    template: Annotated[
        str | None, typer.Argument(metavar="TEMPLATE", help="What to begin with.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="A new folder; default: TEMPLATE here.", show_default=False)
    ] = None,
) -> None:
    """Copy a template with its data into a new folder; without one, list the templates."""
    from etl_studio.app.templates import asks_demo_shop, copy_folder, template_file, templates
    from etl_studio.cli.output import print_line, say, table

    if template is None:
        rows = [(one.path.parent.name, one.pipeline.description) for one in templates()]
        print_line(table(("template", ""), rows, widest=200))
        return
    path = template_file(template)
    target = folder or Path(template)
    if target.exists():
        raise UsageError(f"There is something at {target} already.", hint="Name a folder that does not exist yet.")
    try:
        copy = copy_folder(path, target)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}.", hint="Choose another folder.") from None
    print_line(str(copy))
    (made,) = [one for one in templates() if one.path == path]
    if asks_demo_shop(made.pipeline):
        say("It reads the demo shop; start that first: etl-studio demo")
    say(f"Run it: etl-studio run {copy}")
