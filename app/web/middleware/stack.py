"""The order in which a request meets the rules."""

from collections.abc import Callable, Mapping
from ipaddress import ip_network

from starlette.middleware import Middleware

from app.shared.uploads import uploads
from app.web.middleware.arrival import Arrival
from app.web.middleware.failures import Failures
from app.web.middleware.gate import Doorkeeper, Gate
from app.web.middleware.limits import BodyLimits, body_limits
from app.web.middleware.origins import ANY, LOOPBACK, AllowedHosts, SameOrigin
from app.web.middleware.page_shell import CookiesFor, PageShell
from app.web.middleware.rates import RateLimits, rate_rules
from app.web.middleware.security_headers import SecurityHeaders
from app.web.middleware.under_way import UnderWay
from app.web.middleware.uploads import CookiesOfPage, Uploads
from core.config import Settings
from core.domain.accounts import Identity


def middleware_stack(
    settings: Settings,
    *,
    listens_on: str,
    doorkeeper: Doorkeeper,
    cookies_for: CookiesFor,
    is_page: Callable[[str], bool],
    visitor_of: Callable[[Mapping[str, str]], Identity | None],
    cookies_of_page: CookiesOfPage,
) -> list[Middleware]:
    """Every rule, the outermost first: what an inner one answers, a refusal too, passes all around it.

    Args:
        settings: of this server.
        listens_on: address that the server is bound to.
        doorkeeper: tells visitors by their cookies.
        cookies_for: cookies for whoever opens a page.
        is_page: tells whether a path is a page.
        visitor_of: tells visitors by their cookies, as identities.
        cookies_of_page: the cookies that an open page came with.
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
        Middleware(UnderWay, most=settings.connections_per_address),
        Middleware(
            RateLimits,
            rules=rate_rules(
                upload_limit_mb=settings.upload_limit_mb, requests_per_second=settings.requests_per_second
            ),
        ),
        Middleware(Gate, doorkeeper=doorkeeper),
        Middleware(BodyLimits, largest=body_limits(settings.upload_limit_mb)),
        Middleware(PageShell, cookies_for=cookies_for, is_page=is_page),
        Middleware(Uploads, store=uploads, visitor_of=visitor_of, cookies_of_page=cookies_of_page),
    ]


def answered_hosts(settings: Settings, listens_on: str) -> tuple[str, ...]:
    """The names that were named; without any, those of this machine when it listens there only, else any."""
    if settings.hosts or listens_on in LOOPBACK:
        return settings.hosts
    return (ANY,)
