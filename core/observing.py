"""Traces and reports of errors of this process, sent where the settings say."""

import logging
from importlib.metadata import PackageNotFoundError, version

from core import tracing
from core.config import Settings
from core.error_reports import ErrorReports


def observe(settings: Settings, *, service: str) -> None:
    """Send traces and reports of errors from now on, where the settings name a place for them.

    Call it after the log is configured, whose handlers it joins; `stop_observing` sends what waits.

    Args:
        settings: of this process.
        service: name of this process in the traces, such as "radikal".
    """
    if settings.otel_exporter_otlp_endpoint:
        tracing.start(settings.otel_exporter_otlp_endpoint, service=service, headers=settings.otlp_headers)
    if settings.sentry_dsn is not None:
        reports = ErrorReports(
            settings.sentry_dsn.get_secret_value(), environment=settings.app_env, release=_release()
        )
        logging.getLogger().addHandler(reports)


def stop_observing() -> None:
    """Send what waits to be sent, for a few seconds at most."""
    tracing.stop()
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, ErrorReports)]:
        root.removeHandler(handler)
        handler.close()


def _release() -> str:
    try:
        return f"radikal@{version('radikal')}"
    except PackageNotFoundError:  # it runs from its folder without having been installed
        return "radikal"
