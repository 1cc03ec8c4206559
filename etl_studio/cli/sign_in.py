"""``sign-in`` and ``sign-out``: a person lets a node use an API in their name."""

from __future__ import annotations

import threading
import webbrowser
from typing import Annotated

import typer

from etl_studio.cli.options import Parameters, PipelineFile, read_parameters
from etl_studio.errors import UsageError

NodeName = Annotated[str, typer.Argument(metavar="NODE", help="The node that wants it.", show_default=False)]


def sign_in(file: PipelineFile, node: NodeName, parameter: Parameters = None) -> None:
    """Sign in with the browser for a node; runs use that until you sign out.

    The tokens are kept in the keychain of this computer.
    """
    from etl_studio.app.sign_in import sign_in_of
    from etl_studio.app.studio import Studio
    from etl_studio.cli.output import say

    with Studio() as studio:
        who = sign_in_of(studio, studio.load(file), node, file=file, parameters=read_parameters(parameter))
        if not who.lasts:
            raise UsageError(
                "This computer has no keychain, and a sign-in is kept in no file.",
                hint="Install one (GNOME Keyring, KWallet), or use kind: oauth2_refresh_token with a secret.",
            )

        def open_page(address: str) -> None:
            say(f"Sign in at {who.host} in your browser. Ctrl+C gives up.")
            if not webbrowser.open(address):
                say(f"No browser could be opened. Open this address on this computer: {address}")

        who.sign_in(threading.Event(), open_page)
        say(f'"{node}" is signed in at {who.host}.')


def sign_out(file: PipelineFile, node: NodeName, parameter: Parameters = None) -> None:
    """Forget the sign-in of a node."""
    from etl_studio.app.sign_in import sign_in_of
    from etl_studio.app.studio import Studio
    from etl_studio.cli.output import say

    with Studio() as studio:
        who = sign_in_of(studio, studio.load(file), node, file=file, parameters=read_parameters(parameter))
        known = who.sign_out()
        say(f'"{node}" is signed out at {who.host}.' if known else f'Nobody was signed in for "{node}".')
