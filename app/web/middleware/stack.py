"""The order in which a request meets the rules."""

from collections.abc import Callable
from ipaddress import ip_network

from starlette.middleware import Middleware

from app.web.middleware.arrival import Arrival
from app.web.middleware.failures import Failures
from app.web.middleware.gate import Doorkeeper, Gate
from app.web.middleware.limits import BodyLimits, body_limits
from app.web.middleware.origins import ANY, LOOPBACK, AllowedHosts, SameOrigin
from app.web.middleware.page_shell import CookiesFor, PageShell
from app.web.middleware.rates import RateLimits, rate_rules
from app.web.middleware.security_headers import SecurityHeaders
from core.config import Settings


def middleware_stack(
    settings: Settings,
    *,
    listens_on: str,
    doorkeeper: Doorkeeper,
    cookies_for: CookiesFor,
    is_page: Callable[[str], bool],
) -> list[Middleware]:
    """Every rule, the outermost first: what an inner one answers, a refusal too, passes all around it.

    Args:
        settings: of this server.
        listens_on: address that the server is bound to.
        doorkeeper: tells visitors by their cookies.
        cookies_for: cookies for whoever opens a page.
        is_page: tells whether a path is a page.
    """
    return [
        Middleware(
            Arrival,
            trusted=[ip_network(proxy) for proxy in settings.trusted_proxies],
            is_public_secure=settings.public_url.startswith("https://"),
        ),
        Middleware(SecurityHeaders),
        Middleware(Failures),
        Middleware(AllowedHosts, hosts=answered_hosts(settings, listens_on)),
        Middleware(SameOrigin, public_url=settings.public_url, api_origins=settings.cors_origins),
        Middleware(RateLimits, rules=rate_rules(upload_limit_mb=settings.upload_limit_mb)),
        Middleware(Gate, doorkeeper=doorkeeper),
        Middleware(BodyLimits, largest=body_limits(settings.upload_limit_mb)),
        Middleware(PageShell, cookies_for=cookies_for, is_page=is_page),
    ]


def answered_hosts(settings: Settings, listens_on: str) -> tuple[str, ...]:
    """The names that were named; without any, those of this machine when it listens there only, else any."""
    if settings.hosts or listens_on in LOOPBACK:
        return settings.hosts
    return (ANY,)
