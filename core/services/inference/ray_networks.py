"""Networks on a Ray cluster through Ray Serve: one application for each version, replicas that come and go.

What runs a network often runs there: detection, maps of boxes and their tests, and "without it". Reading the
file, polarity, calibration, the second stage and familiarity stay in this process, so that a result is made
and stored once, whoever ran the network.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from core.domain.detections import Detections
from core.domain.errors import ConfigurationError, EngineAwayError, EngineBusyError
from core.domain.model_version import ModelVersion
from core.engine.detector import Detector, Request
from core.engine.precision import pick_device
from core.registry.artefact import WEIGHTS
from core.services.inference.packed_version import PackedVersion

_NAMESPACE = "radikal"
#: Together on a replica with a GPU; a CPU is fastest with one by one.
_BATCH, _BATCH_WAIT_S = 8, 0.006
#: At a replica without a GPU at once, so that it never stands still; the others wait in the servers, counted.
_AT_A_CPU = 4
#: A replica that died is replaced by Serve; the image goes to another one so often.
_TRIES = 4
_ANSWER_WITHIN_S = 300.0

Found = TypeVar("Found")


class RayNetworks:
    """Deploys versions and asks them. Safe to share between threads; connects when first asked.

    Args:
        address: HOST:PORT of the cluster's head; empty for what RAY_ADDRESS names, else a cluster of this
            machine alone.
        most_replicas: of one version.
        least_replicas: of one version, also when nobody asks.
        gpus_each: of one replica, such as 0.25; 0 runs on the CPU.
        most_waiting: of this process for one version, when no replica is free; others are told to come back.
        start_within_s: that a version may take to start on the cluster.
    """

    def __init__(
        self,
        address: str = "",
        *,
        most_replicas: int = 2,
        least_replicas: int = 1,
        gpus_each: float = 0.0,
        most_waiting: int = 64,
        start_within_s: float = 300.0,
    ) -> None:
        self._address = address
        self._replicas = least_replicas, most_replicas
        self._gpus_each = gpus_each
        self._most_waiting = most_waiting
        self._start_within_s = start_within_s
        self._lock = threading.Lock()
        self._handles: dict[str, Any] = {}

    def engine_for(self, version: ModelVersion, folder: Path) -> "RayEngine":
        """The engine of the version: its methods block until the answer is there.

        Raises:
            ConfigurationError: Ray is not installed.
            EngineAwayError: the cluster cannot be reached.
        """
        return RayEngine(self._deployed(version, folder))

    def _deployed(self, version: ModelVersion, folder: Path) -> Any:
        """The handle of the version's application, which is started where nobody did before."""
        with self._lock:
            if version.sha256 not in self._handles:
                serve = self._connected()
                name = f"{version.name}-v{version.version}-{version.sha256[:12]}"
                if name in serve.status().applications:
                    self._handles[version.sha256] = serve.get_app_handle(name)
                else:
                    self._handles[version.sha256] = self._run(serve, name, PackedVersion.of(version, folder))
            return self._handles[version.sha256]

    def _connected(self) -> Any:
        try:
            import ray
            from ray import serve
        except ImportError:
            raise ConfigurationError(
                "ENGINE: ray needs packages that are not installed: pip install .[scale] in the folder of "
                "RadiKal"
            ) from None
        if not ray.is_initialized():
            try:
                ray.init(
                    address=self._address or None,
                    namespace=_NAMESPACE,
                    log_to_driver=False,
                    logging_level="error",
                    include_dashboard=False if not self._address else None,
                )
            except (ConnectionError, RuntimeError) as error:
                raise EngineAwayError(
                    f"ENGINE: the Ray cluster {self._address or 'of this machine'} cannot be reached"
                ) from error
        serve.start(proxy_location="Disabled")
        return serve

    def _run(self, serve: Any, name: str, packed: PackedVersion) -> Any:
        deployment = serve.deployment(
            _Network,
            name="network",
            ray_actor_options={"num_cpus": 1, "num_gpus": self._gpus_each},
            autoscaling_config={
                "min_replicas": self._replicas[0],
                "max_replicas": self._replicas[1],
                "target_ongoing_requests": 2,
            },
            max_ongoing_requests=2 * _BATCH if self._gpus_each else _AT_A_CPU,
            max_queued_requests=self._most_waiting,
        )
        size = _BATCH if self._gpus_each else 1
        starting = _begun(lambda: serve.run(deployment.bind(packed, size), name=name, route_prefix=None))
        try:
            return starting.result(timeout=self._start_within_s)
        except TimeoutError as error:
            raise EngineAwayError(
                f"ENGINE: the cluster has no room for {name}: it needs a CPU"
                + (f" and {self._gpus_each:g} of a GPU" if self._gpus_each else "")
                + " that are free; nothing is lost, try again later"
            ) from error
        except RuntimeError as error:
            raise EngineAwayError(f"ENGINE: the cluster did not start {name}: {error}") from error


def _begun(act: Callable[[], Any]) -> Future[Any]:
    """What `act` will return; it runs in a thread that no exit of the program waits for."""
    begun: Future[Any] = Future()

    def run() -> None:
        try:
            begun.set_result(act())
        except Exception as error:  # noqa: BLE001 - raised again by whoever asks for the result
            begun.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return begun


class RayEngine:
    """Runs a version on its application of the cluster.

    Both methods raise EngineBusyError when too much waits there, and EngineAwayError when nobody answers;
    what the work itself raises is raised here.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def detect(self, request: Request) -> Detections:
        """The detections on one image."""
        found: Detections = _asked(lambda: self._handle.detect.remote(request))
        return found

    def ask(self, work: Callable[[Detector], Found]) -> Found:
        """What `work` returns for the detector of a replica."""
        found: Found = _asked(lambda: self._handle.ask.remote(work))
        return found


class _Network:
    """What a replica runs."""

    def __init__(self, packed: PackedVersion, batch: int) -> None:
        from ray import serve

        self._detector = Detector.load(packed.unpacked_for(self) / WEIGHTS, device=pick_device("auto"))

        async def detect(requests: list[Request]) -> list[Detections]:
            return list(await asyncio.to_thread(self._detector.detect_many, requests))

        wait_s = _BATCH_WAIT_S if batch > 1 else 0.0
        self._detect = serve.batch(max_batch_size=batch, batch_wait_timeout_s=wait_s)(detect)

    async def detect(self, request: Request) -> Detections:
        """The detections on one image."""
        found: Detections = await self._detect(request)
        return found

    async def ask(self, work: Callable[[Detector], Any]) -> Any:
        """What `work` returns for the detector."""
        return await asyncio.to_thread(work, self._detector)


def _asked(call: Callable[[], Any]) -> Any:
    from ray.exceptions import RayError, RayTaskError
    from ray.serve.exceptions import BackPressureError

    for _ in range(_TRIES):
        try:
            return call().result(timeout_s=_ANSWER_WITHIN_S)
        except BackPressureError as error:
            raise EngineBusyError(
                "more images wait than the machines that read can take: nothing is lost, try again soon"
            ) from error
        except RayTaskError as error:
            raise (error.cause if isinstance(error.cause, Exception) else error) from error
        except (RayError, TimeoutError):
            continue  # the replica is gone: Serve starts another one
    raise EngineAwayError("the machines that read do not answer: nothing is lost, try again soon")
