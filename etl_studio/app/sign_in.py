"""Who signs in for a node of a pipeline: for the command ``sign-in`` and for a button in a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etl_studio.errors import EtlError, UsageError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etl_studio.app.studio import Studio
    from etl_studio.engine.http_auth import SignIns
    from etl_studio.pipeline.model import Pipeline
    from etl_studio.sdk.auth import OAuth2AuthorizationCode


@dataclass(frozen=True, slots=True)
class NodeSignIn:
    """The sign-in that the setting ``auth`` of a node describes."""

    auth: OAuth2AuthorizationCode
    sign_ins: SignIns

    @property
    def host(self) -> str:
        """Where a person signs in."""
        from urllib.parse import urlsplit

        return urlsplit(self.auth.authorization_url).hostname or ""

    @property
    def lasts(self) -> bool:
        """Whether the next program knows the sign-in, too; otherwise it ends with this one."""
        return self.sign_ins.lasts

    def sign_in(self, stopping: threading.Event, open_page: Callable[[str], object]) -> None:
        """Let a person sign in with a browser (``engine.browser_sign_in.sign_in``); not on a window's thread.

        Raises:
            EtlError: nobody did, or it failed; no text holds a secret.
        """
        from etl_studio.engine.browser_sign_in import sign_in
        from etl_studio.engine.masking import hidden

        try:
            sign_in(self.auth, self.sign_ins, stopping, open_page=open_page)
        except EtlError as error:
            error.what = hidden(error.what, self.sign_ins.secrets)
            raise

    def sign_out(self) -> bool:
        """Forget the sign-in; whether there was one."""
        from etl_studio.engine.browser_sign_in import sign_out

        return sign_out(self.auth, self.sign_ins)


def sign_in_of(
    studio: Studio, pipeline: Pipeline, node: str, *, file: Path | None, parameters: Mapping[str, str]
) -> NodeSignIn:
    """The sign-in of a node.

    Raises:
        UsageError: there is no such node, or nobody needs to sign in for it.
        PipelineError: it has errors; carries them.
    """
    from etl_studio.sdk.auth import OAuth2AuthorizationCode

    pipeline = studio.flat(pipeline, parameters, file=file, only=None)
    if node not in pipeline.nodes:
        raise UsageError(f'There is no node "{node}".', hint=f"Nodes: {', '.join(pipeline.nodes) or 'none'}.")
    resolved = studio.settings_for(pipeline, parameters, only=[node])
    node_type = studio.registry.get(pipeline.nodes[node].type)
    config = node_type.Config.model_validate(resolved.settings[node][0]) if node_type is not None else None
    auth = getattr(config, "auth", None)
    if not isinstance(auth, OAuth2AuthorizationCode):
        raise UsageError(
            f'Nobody needs to sign in for "{node}" with a browser.',
            hint="That is for nodes with auth: {kind: oauth2_authorization_code}.",
            node=node,
        )
    return NodeSignIn(auth, studio.sign_ins)
