"""The sign-in that the description of an API asks for, as the setting ``auth`` with references to secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etl_studio.pipeline.openapi_schema import as_list, as_object

if TYPE_CHECKING:
    from etl_studio.pipeline.openapi_schema import Schemas
    from etl_studio.pipeline.web_secrets import References

WEB = ("http://", "https://")


def sign_in(
    document: dict[str, Any], operation: dict[str, Any], schemas: Schemas, secrets: References
) -> tuple[dict[str, Any], dict[str, str], str]:
    """How an operation wants to know who asks: the first way that a source can go.

    Returns:
        The setting ``auth``; headers, for a key in a cookie; and what no source can do, as the end of a sentence.
    """
    described = as_object(as_object(document.get("components")).get("securitySchemes"))
    described = described or as_object(document.get("securityDefinitions"))
    wanted = as_list(operation.get("security", document.get("security")))
    names = [(name, scopes) for one in wanted for name, scopes in as_object(one).items()]
    if not names or {} in wanted:  # nobody needs to sign in
        return {}, {}, ""
    for name, scopes in names:
        scheme = schemas.object(described.get(name))
        if scheme.get("type") == "apiKey" and scheme.get("in") == "cookie":
            cookie = str(scheme.get("name"))
            return {}, {"Cookie": f"{cookie}={secrets.to(cookie)}"}, ""
        scope = " ".join(one for one in as_list(scopes) if isinstance(one, str))
        if found := _auth(scheme, scope, secrets):
            return found, {}, ""
    return {}, {}, f'the sign-in "{names[0][0]}"'


def _auth(scheme: dict[str, Any], scope: str, secrets: References) -> dict[str, Any]:
    kind, way = scheme.get("type"), str(scheme.get("scheme")).lower()
    if kind == "apiKey" and scheme.get("in") in ("header", "query"):
        return _api_key(str(scheme.get("name")), scheme["in"], secrets)
    if kind == "basic" or (kind == "http" and way in ("basic", "digest")):
        user, password = secrets.to("user"), secrets.to("password")
        return {"kind": way if way == "digest" else "basic", "username": user, "password": password}
    if kind == "http" and way == "bearer":
        return {"kind": "bearer", "token": secrets.to("token")}
    return _oauth2(scheme, scope, secrets) if kind == "oauth2" else {}


def _api_key(name: str, place: str, secrets: References) -> dict[str, Any]:
    if name.lower() == "authorization":
        return {"kind": "bearer", "token": secrets.to("token")}
    if not all(letter.isascii() and (letter.isalnum() or letter in "-_.") for letter in name) or not name:
        return {}
    return {"kind": "api_key", "key": secrets.to(name), "name": name, "send_in": place}


def _oauth2(scheme: dict[str, Any], scope: str, secrets: References) -> dict[str, Any]:
    flows = as_object(scheme.get("flows")) or {str(scheme.get("flow")): scheme}
    asked = {"scope": scope} if scope else {}
    for name, kind in (
        ("clientCredentials", "oauth2_client_credentials"),
        ("application", "oauth2_client_credentials"),
        ("authorizationCode", "oauth2_authorization_code"),
        ("accessCode", "oauth2_authorization_code"),
    ):
        flow = as_object(flows.get(name))
        token, page = str(flow.get("tokenUrl")), str(flow.get("authorizationUrl"))
        if not token.startswith(WEB):
            continue
        client = {"client_id": secrets.to("client_id"), "client_secret": secrets.to("client_secret")}
        if kind == "oauth2_client_credentials":
            return {"kind": kind, "token_url": token, **client, **asked}
        if page.startswith(WEB):
            return {"kind": kind, "authorization_url": page, "token_url": token, **client, **asked}
    return {}
