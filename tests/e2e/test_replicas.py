"""Three servers behind Caddy on one PostgreSQL and one object store: one is killed under load."""

import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from benchmarks.faults.home import Home
from benchmarks.faults.served import COOKIE, fill, person
from core.container import Container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.api_keys import Scope
from tests.caddy import Caddy, find_caddy, run_caddy
from tests.conftest import REPOSITORY
from tests.e2e.serving import PATIENCE_MS, free_port
from tests.empty_stores import copy_empty_mlflow, upgraded
from tests.postgres import run_postgres
from tests.records import add_user
from tests.s3 import run_s3
from tests.workplace import radiograph_png

pytestmark = pytest.mark.slow
N_REPLICAS, N_PEOPLE, N_STATIONS = 3, 6, 2
#: Seconds of work before the kill, and after it.
BEFORE_S, AFTER_S = 6.0, 10.0
_PATIENCE_S = 240.0
API = "/api/xai-qc"


@dataclass
class Replica:
    """One server.

    Attributes:
        port: on this machine.
        log: file of its log lines.
    """

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End it at once."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def n_answers_to(self, user_id: str) -> int:
        """Number of log lines about somebody."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(user_id)


@dataclass
class Cluster:
    """What was started.

    Attributes:
        services: on the same stores, in this process.
        caddy: in front of the replicas.
        clients: every one that was made.
    """

    services: Container
    caddy: Caddy
    replicas: list[Replica]
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self) -> httpx.Client:
        """A browser without a page, with its own cookies."""
        trusted = ssl.create_default_context(cafile=str(self.caddy.root))
        self.clients.append(httpx.Client(base_url=self.caddy.address, verify=trusted, timeout=60))
        return self.clients[-1]

    def signed_in(self) -> tuple[Identity, httpx.Client]:
        """Somebody new with a session."""
        identity, ticket = person(self.services)
        client = self.client()
        origin = {"Origin": self.caddy.address}
        answer = client.post("/signin", data={"ticket": ticket, "next": "/"}, headers=origin)
        assert answer.status_code == 303, answer.text
        assert {COOKIE, "radikal_replica"} <= set(client.cookies)
        return identity, client


@pytest.fixture
def cluster(tmp_path: Path, postgres_binaries: Path) -> Iterator[Cluster]:
    find_caddy()
    ports, secure = [free_port() for _ in range(N_REPLICAS)], free_port()
    with ExitStack() as running:
        postgres = running.enter_context(run_postgres(postgres_binaries, is_durable=True))
        s3 = running.enter_context(run_s3(tmp_path))
        data = tmp_path / "data"
        data.mkdir()
        home = Home(
            data,
            {
                **s3.environment,
                "DATA_DIR": str(data),
                "DATABASE_URL": upgraded(postgres.create_database("radikal")),
                "MLFLOW_TRACKING_URI": copy_empty_mlflow(data / "mlflow.db"),
                "ORIGINALS_URL": f"s3://{s3.new_bucket()}/originals",
                "JWT_SECRET": "kJ8-x2Qm7vT4nZ1pB6wL9rD3sF5hG0yC",
                "PUBLIC_URL": f"https://localhost:{secure}",
                "ALLOWED_HOSTS": "localhost,127.0.0.1",
                "TRUSTED_PROXIES": "127.0.0.1",
                "API_REQUESTS_PER_MINUTE": "100000",
                "REQUESTS_PER_SECOND": "5000",
                "LOG_FORMAT": "json",
            },
        )
        with pytest.MonkeyPatch.context() as patch:
            for name, value in s3.environment.items():
                patch.setenv(name, value)
            services = running.enter_context(home.opened())
            fill(services, tmp_path)
            replicas = [running.enter_context(serving(home, port, tmp_path)) for port in ports]
            for replica in replicas:
                wait_until_ready(replica)
            upstreams = " ".join(f"127.0.0.1:{port}" for port in ports)
            (tmp_path / "caddy").mkdir()
            caddy = running.enter_context(run_caddy(tmp_path / "caddy", upstreams, secure))
            made = Cluster(services, caddy, replicas)
            yield made
            for client in made.clients:
                client.close()


@contextmanager
def serving(home: Home, port: int, folder: Path) -> Iterator[Replica]:
    """A server that starts; ended at the end."""
    log = folder / f"replica-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.web.server", "--port", str(port)],
            cwd=REPOSITORY,
            env={**os.environ, **home.environment},
            stdout=output,
            stderr=output,
        )
    try:
        yield Replica(port, log, process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=120)


def wait_until_ready(replica: Replica) -> None:
    limit = time.monotonic() + _PATIENCE_S
    while True:
        assert replica.process.poll() is None, replica.log.read_text(errors="replace")[-3000:]
        assert time.monotonic() < limit, "the server did not become ready"
        try:
            if httpx.get(f"http://127.0.0.1:{replica.port}{API}/health/ready", timeout=30).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)


@dataclass
class Load:
    """People who look at the history, and stations that hand in films, each in a thread until it ends.

    Attributes:
        statuses: of the answers to people, 0 where there was none.
        gaps_s: of each person, the longest time between two answers.
        acknowledged: digests of the films whose inspection was acknowledged.
        repeated: films that had to be sent more than once.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    gaps_s: list[float] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    repeated: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def of(self, people: Sequence[httpx.Client], stations: Sequence[httpx.Client]) -> Iterator[None]:
        """The load meanwhile."""
        threads = [threading.Thread(target=self._look, args=(client,)) for client in people]
        threads += [
            threading.Thread(target=self._hand_in, args=(client, number))
            for number, client in enumerate(stations)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _look(self, client: httpx.Client) -> None:
        last, longest_s = time.monotonic(), 0.0
        while not self._ended.is_set():
            status = _status(lambda: client.get(f"{API}/inspections"))
            with self._lock:
                self.statuses[status] += 1
            if status == 200:
                longest_s, last = max(longest_s, time.monotonic() - last), time.monotonic()
            self._ended.wait(0.1)
        with self._lock:
            self.gaps_s.append(longest_s)

    def _hand_in(self, client: httpx.Client, number: int) -> None:
        seed = 1000 * number
        while not self._ended.is_set():
            seed, n_sent, film = seed + 1, 0, radiograph_png(seed)
            while True:
                n_sent += 1
                try:
                    files = {"files": (f"{seed}.png", film, "image/png")}
                    form = {"model": "weld", "polarity": "film"}
                    answer = client.post(f"{API}/detect", data=form, files=files)
                except httpx.TransportError:
                    answer = None
                if answer is not None and answer.status_code == 200:
                    break
                assert answer is None or answer.status_code in (502, 503), answer.text
                assert n_sent < 200
                time.sleep(0.1)
            with self._lock:
                self.acknowledged.append(answer.json()["results"][0]["image"]["sha256"])
                self.repeated += n_sent > 1


def _status(ask) -> int:
    try:
        return ask().status_code
    except httpx.TransportError:
        return 0


def test_a_replica_is_killed_under_load_with_nothing_lost_and_nobody_signed_out(
    cluster: Cluster, chromium: Browser, record_property
) -> None:
    signed_in = [cluster.signed_in() for _ in range(N_PEOPLE)]
    looker, looking = cluster.signed_in()
    context = chromium.new_context(base_url=cluster.caddy.address, ignore_https_errors=True)
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies(
        [{"name": COOKIE, "value": looking.cookies[COOKIE], "url": cluster.caddy.address, "secure": True}]
    )
    page = context.new_page()
    page.goto("/history")
    user = page.locator(".st-key-rk-user").get_by_role("button")
    expect(user).to_be_visible()
    victim = max(cluster.replicas, key=lambda replica: replica.n_answers_to(looker.user_id))
    load = Load()
    with load.of([client for _, client in signed_in], stations(cluster)):
        time.sleep(BEFORE_S)
        n_before = len(load.acknowledged)
        began = time.monotonic()
        victim.kill()
        page.get_by_role("link", name="Inspect").first.click()
        expect(page).not_to_have_url(f"{cluster.caddy.address}/history")
        expect(user).to_be_visible()
        page.reload()
        expect(user).to_be_visible()
        page_s = time.monotonic() - began
        time.sleep(AFTER_S)
    context.close()
    assert load.statuses.keys() <= {200, 0, 502, 503}, load.statuses
    assert n_before > 0
    assert len(load.acknowledged) > n_before
    for _, client in signed_in:
        assert client.get(f"{API}/inspections").status_code == 200, "still signed in"
    with cluster.services.store.read() as work:
        inspected = Counter(one.image_sha256 for one in work.inspections.latest(100_000))
    assert {one: inspected[one] for one in load.acknowledged} == dict.fromkeys(load.acknowledged, 1)
    for sha256 in load.acknowledged:
        assert cluster.services.blobs.is_whole(sha256)
    assert list(cluster.services.audit.verify(COMMAND_LINE).findings) == []
    refused = sum(load.statuses.values()) - load.statuses[200]
    record_property("acknowledged", len(load.acknowledged))
    record_property("refused", refused)
    print(
        f"\nreplica killed under load: {sum(load.statuses.values())} answers to {N_PEOPLE} people, {refused} "
        f"refused, longest gap {max(load.gaps_s):.1f} s; {len(load.acknowledged)} films acknowledged, "
        f"{load.repeated} sent again, none lost; the open page went on after {page_s:.1f} s"
    )


def stations(cluster: Cluster) -> list[httpx.Client]:
    """Programs with a key each."""
    clients = []
    for number in range(N_STATIONS):
        account = add_user(cluster.services.store, Role.INSPECTOR)
        with cluster.services.store.read() as work:
            name = work.users.find(account.user_id).name
        issued = cluster.services.api_keys.add(
            COMMAND_LINE, name, f"station {number}", [Scope.DETECT], days=1
        )
        client = cluster.client()
        client.headers["Authorization"] = f"Bearer {issued.token}"
        clients.append(client)
    return clients
