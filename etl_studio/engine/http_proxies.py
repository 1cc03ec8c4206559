"""Which proxy of the system a request goes through."""

from __future__ import annotations

import ipaddress
from urllib.request import getproxies, proxy_bypass


class SystemProxies:
    """The proxies that the environment, or the settings of the system, tell; read once."""

    def __init__(self) -> None:
        found = getproxies()
        self._proxies = {scheme: found.get(scheme) or found.get("all") for scheme in ("http", "https")}
        self._networks = _networks(found.get("no", ""))
        self._known: dict[tuple[str, str, int | None], str | None] = {}

    def for_address(self, scheme: str, host: str, port: int | None) -> str | None:
        """The address of the proxy; None: there is none, or it is not for this host. This computer never has one."""
        if not self._proxies[scheme]:
            return None
        key = (scheme, host, port)
        if key not in self._known:
            self._known[key] = None if self._is_direct(host, port) else _with_scheme(self._proxies[scheme])
        return self._known[key]

    def _is_direct(self, host: str, port: int | None) -> bool:
        if host == "localhost" or host.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            if address.is_loopback or any(address in network for network in self._networks):
                return True
        return bool(proxy_bypass(host if port is None else f"{host}:{port}"))


def _networks(text: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Those parts of ``no_proxy`` that are networks, such as 10.0.0.0/8."""
    networks = []
    for part in text.split(","):
        if "/" in part:
            try:
                networks.append(ipaddress.ip_network(part.strip(), strict=False))
            except ValueError:
                continue
    return networks


def _with_scheme(proxy: str | None) -> str | None:
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"
