"""A session on a Ray cluster, for as long as some work takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.domain.errors import ConfigurationError


@contextmanager
def ray_session() -> Iterator[None]:
    """Connects to the cluster that `RAY_ADDRESS` names, else starts one of this machine; ends what it began.

    Inside a session that somebody else began it changes nothing.

    Raises:
        ConfigurationError: Ray is not installed.
    """
    try:
        import ray
    except ImportError:
        raise ConfigurationError(
            "--engine ray needs packages that are not installed: "
            "pip install .[scale] in the folder of RadiKal"
        ) from None
    is_ours = not ray.is_initialized()
    if is_ours:
        ray.init(log_to_driver=False, logging_level="error", include_dashboard=False)
    try:
        yield
    finally:
        if is_ours:
            ray.shutdown()
