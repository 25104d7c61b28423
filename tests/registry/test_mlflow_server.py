"""Against a real `mlflow server` that is killed and comes back: what was known serves meanwhile."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from core.config import Settings
from core.container import Container
from core.domain.accounts import Role
from core.domain.errors import RegistryUnavailableError
from core.domain.radiograph import Polarity, Radiograph
from core.services.lifecycle.alias_moves import Move
from tests.artefacts import write_artefact
from tests.e2e.serving import free_port
from tests.records import add_user
from tests.services.promotions import KnownFigures

_PATIENCE_S = 180

pytestmark = [pytest.mark.slow]


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator[str]:
    """The address of a server on loopback with its store below `folder`; killed at the end."""
    address = f"http://127.0.0.1:{port}"
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/server.db",
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_healthy(address, server, folder / "server.log")
        yield address
    finally:
        os.killpg(server.pid, 9)
        server.wait(timeout=30)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text(encoding="utf-8")[-2000:]
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("the MLflow server did not become healthy")


def services_on(address: str, data_dir: Path, database_url: str) -> Container:
    settings = Settings(
        _env_file=None,
        data_dir=data_dir,
        database_url=database_url,
        mlflow_tracking_uri=address,
        jwt_secret="e" * 40,
    )
    services = Container(settings, serves=True)
    services.evidence = KnownFigures()
    return services


def film() -> Radiograph:
    pixels = np.random.default_rng(4).integers(0, 65_535, (96, 128), dtype=np.uint16)
    return Radiograph(pixels, 16, Polarity.FILM, None, "a" * 64, "PNG")


def test_a_server_that_goes_away_and_comes_back(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    with mlflow_server(tmp_path, port) as address:
        services = services_on(address, tmp_path / "here", database_url)
        engineer = add_user(services.store, Role.ML_ENGINEER)
        services.registry.register(write_artefact(tmp_path / "weld-1", seed=1), alias="champion")
        services.registry.register(write_artefact(tmp_path / "weld-2", seed=2), author=engineer.user_id)
        services.registry_sync.tick()
        services.promoting.promote(engineer, Move("weld", 2, seen=1))
        assert services.detect.detect(film(), "x", model="weld").model.version == 2
        listed = services.versions.all(engineer, "weld")
        assert [(one.number, one.aliases, one.author) for one in listed] == [
            (2, ("champion",), engineer.name),
            (1, (), ""),
        ]
        assert all(one.run_id and one.registered_at for one in listed)

        other = services_on(address, tmp_path / "there", database_url)
        assert other.registry.resolve("weld")[0].version == 2, "another machine downloads what it lacks"
        other.registry_sync.tick()
        other.close()

    services.registry_sync.tick()
    services.registry_sync.tick()
    assert services.registry_sync.state().is_away
    assert caplog.text.count("answering from the cache") == 1, "said once, not every two seconds"
    started = time.perf_counter()
    assert services.detect.detect(film(), "x", model="weld").model.version == 2
    assert time.perf_counter() - started < 2.0, "detecting does not wait for the server"
    assert [one.number for one in services.versions.all(engineer, "weld")] == [2, 1]
    with pytest.raises(RegistryUnavailableError, match="nothing was changed"):
        services.promoting.roll_back(engineer, "weld", seen=2)

    with mlflow_server(tmp_path, port) as address:
        from mlflow import MlflowClient

        services.registry_sync.tick()
        assert not services.registry_sync.state().is_away
        services.promoting.roll_back(engineer, "weld", seen=2)
        assert services.detect.detect(film(), "x", model="weld").model.version == 1
        MlflowClient(address, address).set_registered_model_alias("weld", "champion", "2")
        services.registry_sync.tick()
        assert services.detect.detect(film(), "x", model="weld").model.version == 2, "moved by another client"
    changes = [
        (one.change.kind.value, one.change.version)
        for one in services.alias_history.history(engineer, "weld")
    ]
    assert changes == [("setup", 1), ("promoted", 2), ("rolled back", 1), ("outside", 2)]
    services.close()
