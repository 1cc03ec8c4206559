"""A plug-in package outside the tree, installed into a folder as an installer does it: a wheel, unpacked."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NODE = '''
"""A node of another package."""

from __future__ import annotations

from etl_studio import sdk


class Shout(sdk.SqlTransform):
    """Writes a text column in capitals, for those who like it loud. An example of a plug-in."""

    type = "shout"
    title = "Shout"
    icon = "function"
    group = "transform"
    keywords = ("capitals",)
    example = {"column": "name"}

    class Config(sdk.Config):
        column: str = sdk.setting(title="Column", description="The column to write in capitals.", editor="column")

    def query(self, inputs):
        sdk.require_columns([self.config.column], inputs["input"].names, setting="column")
        name = sdk.identifier(self.config.column)
        return f"SELECT * REPLACE (upper({name}) AS {name}) FROM input"
'''


def install_plugin(site: Path, *, broken: bool = False) -> None:
    """Build a wheel of one node and unpack it into ``site``."""
    wheel = site.parent / "loud-1.0-py3-none-any.whl"
    target = "no_such_module:Shout" if broken else "loud.shout:Shout"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("loud/__init__.py", "")
        archive.writestr("loud/shout.py", NODE)
        archive.writestr("loud-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
        archive.writestr("loud-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("loud-1.0.dist-info/entry_points.txt", f"[etl_studio.nodes]\nshout = {target}\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
