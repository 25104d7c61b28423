"""Facts about a request before it is answered: where from, how, and whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

Network = IPv4Network | IPv6Network
#: Stands for an address that cannot be told, such as that of a client on a Unix socket.
UNKNOWN = "unknown"
#: Tells the scripts, which see headers only, the address of the client.
CLIENT_HEADER = "x-radikal-client"
_CONNECTION, _USER = "radikal.connection", "radikal.user"


@dataclass(frozen=True, slots=True)
class Connection:
    """Origin of a request.

    Attributes:
        request_id: ours, 16 hex digits; in the log, the answer and the audit.
        client: address of whoever asks, behind the proxies that are trusted.
        is_local: asked on this machine itself, nobody in between.
        is_secure: the browser speaks https, here or to the proxy before us.
    """

    request_id: str
    client: str
    is_local: bool
    is_secure: bool


def connection_of(scope: Scope) -> Connection:
    """The origin of this request.

    Raises:
        KeyError: it did not come through `Arrival`.
    """
    connection: Connection = scope["state"][_CONNECTION]
    return connection


def request_id_of(scope: Scope) -> str:
    """The id of this request; empty where it did not come through `Arrival`."""
    connection = (scope.get("state") or {}).get(_CONNECTION)
    return "" if connection is None else connection.request_id


def remember_connection(state: dict[str, Any], connection: Connection) -> None:
    """Put it where `connection_of` looks."""
    state[_CONNECTION] = connection


def user_of(scope: Scope) -> str | None:
    """Id of the user whose session the request carries, None when nobody found out or there is none."""
    return (scope.get("state") or {}).get(_USER)


def remember_user(scope: Scope, user_id: str) -> None:
    """Put the user's id where `user_of` and the access log look."""
    scope.setdefault("state", {})[_USER] = user_id


def cookies_of(scope: Scope) -> dict[str, str]:
    """The cookies of the request; what is damaged is left out."""
    return cookie_parser("; ".join(Headers(scope=scope).getlist("cookie")))


def client_address(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of whoever asks, as text without scope or IPv4-in-IPv6 notation.

    Args:
        peer: address at the other end of the socket; None for a Unix socket.
        forwarded: the X-Forwarded-For headers, in order. Each proxy appends whom it saw, so they are
            believed from the end, and only as long as trusted proxies wrote them.
        trusted: networks of our proxies.
    """
    if (client := _parsed(peer or "")) is None:
        return peer or UNKNOWN
    hops = [hop.strip() for header in forwarded for hop in header.split(",")]
    while hops and any(client in network for network in trusted):
        if (hop := _parsed(hops.pop())) is None:
            break
        client = hop
    return str(client)


def is_trusted(peer: str | None, trusted: Sequence[Network]) -> bool:
    """True when the other end of the socket is one of our proxies."""
    address = _parsed(peer or "")
    return address is not None and any(address in network for network in trusted)


def is_loopback(address: str) -> bool:
    """True for an address of this machine itself."""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_loopback


def counted_as(address: str) -> str:
    """The key that rates are counted by: the IPv4 address, or the /64 network of an IPv6 one."""
    parsed = _parsed(address)
    return str(IPv6Network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address


def _parsed(text: str) -> Any:
    """The IPv4Address or IPv6Address, with or without port; None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
