"""What docker-compose.yml starts, as plain processes: PostgreSQL, MLflow, the program, Caddy, Prometheus."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

import psycopg
import pytest
import yaml
from playwright.sync_api import Browser, expect

from tests.caddy import Caddy, find_caddy, run_caddy
from tests.conftest import REPOSITORY, _missing
from tests.e2e.serving import PATIENCE_MS, free_port
from tests.postgres import PostgresServer, run_postgres

PATIENCE_S = 300
METRICS_TOKEN = "tell-prometheus-and-nobody-else"
OWN_PASSWORD = "five cracks in 6 castings"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything running.

    Attributes:
        caddy: in front.
        postgres: with the databases `radikal` and `mlflow`.
        prometheus: its address.
        password: the first admin's, to be changed.
    """

    caddy: Caddy
    postgres: PostgresServer
    prometheus: str
    password: str


def compose_service(name: str) -> dict:
    """A service of docker-compose.yml."""
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8"))["services"][name]


@contextmanager
def process(command: list[str], environment: Mapping[str, str], log: Path, health: str) -> Iterator[None]:
    """A process that answers at `health`; ended at the end, with all that it started."""
    with log.open("ab") as output:
        running = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=dict(environment),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(health, running, log)
        yield
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        try:
            running.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait(timeout=30)


def wait_for(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert running.poll() is None, log.read_text(encoding="utf-8")[-3000:]
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(f"{address} did not answer: {log.read_text(encoding='utf-8')[-3000:]}")


def mlflow_command(url: str, folder: Path, port: int) -> list[str]:
    """The command of compose with our places."""
    ours = {"--host": "127.0.0.1", "--port": str(port), "--artifacts-destination": str(folder / "artifacts"),
            "--allowed-hosts": f"localhost:{port},127.0.0.1:{port}"}  # fmt: skip
    options = [option.split("=", 1) for option in compose_service("mlflow")["command"]]
    assert set(ours) <= {name for name, _ in options}
    given = [f"{name}={ours.get(name, value)}" for name, value in options]
    return [sys.executable, "-m", "mlflow", "server", f"--backend-store-uri={url}", *given]


def prometheus_config(folder: Path, workbench: int, prometheus: int) -> Path:
    """The configuration of deploy/ with our ports and a faster pace."""
    config = yaml.safe_load((REPOSITORY / "deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(REPOSITORY / "deploy" / "prometheus" / name) for name in config["rule_files"]]
    token = folder / "metrics_token"
    token.write_text(METRICS_TOKEN, encoding="utf-8")
    by_job = {job["job_name"]: job for job in config["scrape_configs"]}
    by_job["radikal"]["authorization"]["credentials_file"] = str(token)
    by_job["radikal"]["static_configs"] = [{"targets": [f"127.0.0.1:{workbench}"]}]
    by_job["prometheus"]["static_configs"] = [{"targets": [f"127.0.0.1:{prometheus}"]}]
    written = folder / "prometheus.yml"
    written.write_text(yaml.safe_dump(config), encoding="utf-8")
    return written


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory, postgres_binaries: Path) -> Iterator[Topology]:
    find_caddy()
    prometheus = shutil.which("prometheus")
    if prometheus is None:
        _missing("no Prometheus: install the package prometheus")
    folder = tmp_path_factory.mktemp("topology")
    registry, workbench, secure, watching = (free_port() for _ in range(4))
    with ExitStack() as running:
        postgres = running.enter_context(run_postgres(postgres_binaries, is_durable=False))
        database = postgres.create_database("radikal")
        mlflow_url = postgres.create_database("mlflow")
        plain = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
        running.enter_context(
            process(
                mlflow_command(mlflow_url, folder, registry),
                plain,
                folder / "mlflow.log",
                f"http://localhost:{registry}/health",
            )
        )
        settings = {
            **plain,
            "APP_ENV": "production",
            "DATABASE_URL": database,
            "MLFLOW_TRACKING_URI": f"http://localhost:{registry}",
            "DATA_DIR": str(folder / "data"),
            "JWT_SECRET": "kJ8-x2Qm7vT4nZ1pB6wL9rD3sF5hG0yC",
            "PUBLIC_URL": f"https://localhost:{secure}",
            "TRUSTED_PROXIES": "127.0.0.1",
            "METRICS_TOKEN": METRICS_TOKEN,
            "LOG_FORMAT": "json",
        }
        (folder / "data").mkdir()
        password = set_up(settings)
        running.enter_context(
            process(
                [sys.executable, "-m", "app.web.server", "--port", str(workbench)],
                settings,
                folder / "workbench.log",
                f"http://127.0.0.1:{workbench}/api/xai-qc/health/ready",
            )
        )
        (folder / "caddy").mkdir()
        caddy = running.enter_context(run_caddy(folder / "caddy", f"127.0.0.1:{workbench}", secure))
        running.enter_context(
            process(
                [
                    str(prometheus),
                    f"--config.file={prometheus_config(folder, workbench, watching)}",
                    f"--storage.tsdb.path={folder / 'prometheus'}",
                    f"--web.listen-address=127.0.0.1:{watching}",
                ],
                plain,
                folder / "prometheus.log",
                f"http://127.0.0.1:{watching}/-/ready",
            )
        )
        yield Topology(caddy, postgres, f"http://127.0.0.1:{watching}", password)


def set_up(settings: Mapping[str, str]) -> str:
    """The first admin's password, as `radikal setup` prints it."""
    done = subprocess.run(
        [Path(sys.executable).parent / "radikal", "setup"],
        env=dict(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"first sign-in: admin / (\S+)", done.stdout)
    assert found is not None, done.stdout
    return found[1]


def test_an_admin_signs_in_through_tls_and_finds_the_models_of_the_registry(
    topology: Topology, chromium: Browser
) -> None:
    context = chromium.new_context(base_url=topology.caddy.address, ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Name", exact=True).fill("admin")
    page.get_by_label("Password", exact=True).fill(topology.password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    page.get_by_label("Current password", exact=True).fill(topology.password)
    page.get_by_label("New password", exact=True).fill(OWN_PASSWORD)
    page.get_by_label("New password again", exact=True).fill(OWN_PASSWORD)
    with page.expect_response("**/signin"):
        page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Choose your own password")).to_have_count(0)
    expect(page.locator(".st-key-rk-user").get_by_role("button", name="admin")).to_be_visible()
    cookies = [cookie for cookie in context.cookies() if cookie["httpOnly"]]
    assert cookies
    assert all(cookie["secure"] for cookie in cookies)
    page.goto("/versions")
    expect(page.get_by_text("casting-any").first).to_be_visible()
    context.close()


def test_browsers_are_told_to_stay_with_tls(topology: Topology) -> None:
    status, headers, _ = topology.caddy.get("/")
    assert status == 200
    assert "max-age" in headers["Strict-Transport-Security"]


def test_a_stranger_learns_the_status_and_no_more_through_the_proxy(topology: Topology) -> None:
    status, _, body = topology.caddy.get("/api/xai-qc/health")
    assert (status, set(json.loads(body))) == (200, {"status"})
    assert topology.caddy.get("/metrics")[0] == 404


def test_records_lie_in_postgresql_and_versions_in_the_registry(topology: Topology) -> None:
    with psycopg.connect(host=str(topology.postgres.folder), user="postgres", dbname="radikal") as connection:
        assert connection.execute("SELECT count(*) FROM people").fetchone() == (1,)
    with psycopg.connect(host=str(topology.postgres.folder), user="postgres", dbname="mlflow") as connection:
        rows = connection.execute(
            "SELECT name, version FROM model_versions WHERE current_stage <> 'Deleted_Internal'"
        ).fetchall()
    shipped = {folder.name for folder in (REPOSITORY / "models" / "checkpoints").iterdir()}
    assert {f"{name}-v{version}" for name, version in rows} == shipped


def test_prometheus_sees_the_program(topology: Topology) -> None:
    wanted = quote('up{job="radikal"} == 1')
    query = f"{topology.prometheus}/api/v1/query?query={wanted}"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with urllib.request.urlopen(query, timeout=10) as answer:
            if json.load(answer)["data"]["result"]:
                return
        time.sleep(0.5)
    with urllib.request.urlopen(f"{topology.prometheus}/api/v1/targets", timeout=10) as told:
        raise AssertionError(told.read().decode())
