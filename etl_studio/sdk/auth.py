"""How a node signs in to a web API, as settings. ``engine.http_auth`` gives them life.

Secrets are written as ``${secret:name}``: a value that stands in the file itself is refused before a run.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import field_validator

from etl_studio.sdk.config import Config, setting

HEADER_NAME = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"


class NoAuth(Config):
    """No sign-in."""

    kind: Literal["none"] = "none"


class _Password(Config):
    username: str = setting(title="User", description="The name of the account.", example="ada")
    password: str = setting(
        title="Password", description="Its password.", example="${secret:shop_password}", editor="secret"
    )


class BasicAuth(_Password):
    """User and password in a header (RFC 7617)."""

    kind: Literal["basic"] = "basic"


class DigestAuth(_Password):
    """User and password that never travel themselves: the server asks for a hash of them (RFC 7616)."""

    kind: Literal["digest"] = "digest"


class BearerAuth(Config):
    """A token that the API gave out, as ``Authorization: Bearer ...``."""

    kind: Literal["bearer"] = "bearer"
    token: str = setting(
        title="Token", description="The access token.", example="${secret:shop_token}", editor="secret", min_length=1
    )


class ApiKeyAuth(Config):
    """A key in a header or in the address."""

    kind: Literal["api_key"] = "api_key"
    key: str = setting(
        title="Key", description="The API key.", example="${secret:shop_key}", editor="secret", min_length=1
    )
    name: str = setting(
        "X-API-Key", title="Name", description="Name of the header or of the parameter.", pattern=HEADER_NAME
    )
    send_in: Literal["header", "query"] = setting(
        "header", title="Send in", description="A header, or the address (less safe: addresses are written to logs)."
    )


class _OAuth2(Config):
    token_url: str = setting(
        title="Token address",
        description="Where access tokens are given out.",
        example="https://auth.example.org/oauth2/token",
    )
    client_id: str = setting(title="Client ID", description="Name of this application there.", min_length=1)
    client_secret: str = setting(
        "",
        title="Client secret",
        description="Its password there; empty for a public client.",
        example="${secret:shop_client}",
        editor="secret",
    )
    scope: str = setting(
        "", title="Scope", description="What is asked for, with blanks between; empty: what the server gives by itself."
    )
    audience: str = setting(
        "", title="Audience", description="Which API the token is for, where the server wants to know.", advanced=True
    )
    client_auth: Literal["header", "body"] = setting(
        "header",
        title="Client sign-in",
        description="Whether client ID and secret go to the token address as a header or in the body.",
        advanced=True,
    )

    @field_validator("token_url", "authorization_url", check_fields=False)
    @classmethod
    def _web_address(cls, value: str) -> str:
        return web_address(value)


class OAuth2ClientCredentials(_OAuth2):
    """The application signs in as itself, for machines that talk to machines (RFC 6749, section 4.4)."""

    kind: Literal["oauth2_client_credentials"] = "oauth2_client_credentials"


class OAuth2RefreshToken(_OAuth2):
    """A refresh token that somebody got before gives access tokens (RFC 6749, section 6)."""

    kind: Literal["oauth2_refresh_token"] = "oauth2_refresh_token"
    refresh_token: str = setting(
        title="Refresh token",
        description="What the server gave at the sign-in.",
        example="${secret:shop_refresh}",
        editor="secret",
        min_length=1,
    )


class OAuth2AuthorizationCode(_OAuth2):
    """A person signs in with a browser, once: `etl-studio sign-in FILE NODE`. The token is in the system's keychain."""

    kind: Literal["oauth2_authorization_code"] = "oauth2_authorization_code"
    authorization_url: str = setting(
        title="Sign-in address",
        description="The page where a person signs in.",
        example="https://auth.example.org/oauth2/authorize",
    )
    redirect_port: int = setting(
        0,
        title="Redirect port",
        description="Port of http://127.0.0.1 to which the browser comes back; 0: any free one. "
        "Some servers want the exact address that they know.",
        ge=0,
        le=65_535,
        advanced=True,
    )
    parameters: dict[str, str] = setting(
        {},
        title="Further parameters",
        description="Added to the sign-in address.",
        example={"access_type": "offline"},
        advanced=True,
    )


OAuth2: TypeAlias = OAuth2ClientCredentials | OAuth2RefreshToken | OAuth2AuthorizationCode
Auth: TypeAlias = NoAuth | BasicAuth | DigestAuth | BearerAuth | ApiKeyAuth | OAuth2


def auth_setting(**more: Any) -> Any:
    """The setting ``auth`` of a node that talks HTTP; its annotation is ``Auth``."""
    facts = {"title": "Sign-in", "description": "How the API knows who asks.", "discriminator": "kind"}
    return setting(NoAuth(), **(facts | more))


def web_address(value: str) -> str:
    """The value itself.

    Raises:
        ValueError: it is no web address.
    """
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        host = None
    if not value.startswith(("http://", "https://")) or not host:
        raise ValueError("must be an address such as https://auth.example.org/token")
    return value
