"""PostgreSQL lost, and brought back: to a moment from a base backup and archived WAL, and by its standby."""

import itertools
import json
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from benchmarks.faults.home import Home, assert_whole
from benchmarks.faults.postgres import standby_of
from benchmarks.faults.served import Server, fill, person, serving
from core.container import Container
from core.domain.accounts import Identity
from core.domain.radiograph import Polarity
from core.store.failures import DatabaseUnavailableError
from tests.backups import Installation, make_installation, one_line, run
from tests.empty_stores import upgraded
from tests.postgres import PostgresServer, run_postgres
from tests.workplace import radiograph_png

_PATIENCE_S = 60.0


@pytest.fixture
def archiving(postgres_binaries: Path) -> Iterator[PostgresServer]:
    """A server that archives its WAL as docs/disaster-recovery.md says, into `wal` beside its data."""
    with run_postgres(postgres_binaries, is_durable=True) as server:
        wal = server.folder / "wal"
        wal.mkdir()
        shutil.chown(wal, server.folder.owner(), server.folder.group())
        server.settings |= {
            "archive_mode": "on",
            "archive_command": f"test ! -f {wal}/%f && cp %p {wal}/%f.part && mv {wal}/%f.part {wal}/%f",
        }
        server.stop()
        server.start()
        yield server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archiving: PostgresServer) -> Installation:
    monkeypatch.setenv("APP_ENV", "development")
    return make_installation(tmp_path, monkeypatch, archiving.create_database("radikal"))


def base_backup_of(server: PostgresServer, name: str) -> Path:
    """A base backup beside the data of the server."""
    standby = PostgresServer(server.binaries, server.folder / name, is_durable=True)
    standby.folder.mkdir(mode=0o700)
    shutil.chown(standby.folder, server.folder.owner(), server.folder.group())
    standby.copy_of(server)
    return standby.folder / "data"


def archive_all(server: PostgresServer) -> None:
    """Return when everything that was committed until now is in the archive."""
    with server.connect("postgres") as connection:
        name = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
        assert name is not None
        limit = time.monotonic() + _PATIENCE_S
        query = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
        while connection.execute(query, name).fetchone() != (True,):
            assert time.monotonic() < limit, "nothing is archived"
            time.sleep(0.02)


def server_time(server: PostgresServer) -> datetime:
    """A moment after everything that was committed until now, as the server's clock has it."""
    with server.connect("postgres") as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0].astimezone(UTC)


def drilled(home: Installation, base: Path, wal: Path, *options: object) -> dict:
    """What the drill tells as JSON."""
    result = run("drill", "--postgres", base, "--wal", wal, *options, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.slow
def test_what_was_deleted_comes_back_to_the_moment_before(
    home: Installation, archiving: PostgresServer, record_property
) -> None:
    base, wal = base_backup_of(archiving, "base"), archiving.folder / "wal"
    film = home.add_film(3)
    moment = server_time(archiving)
    archiving.execute("TRUNCATE inspections, images CASCADE", database="radikal")
    archive_all(archiving)
    told = drilled(home, base, wal, "--until", f"{moment:%Y-%m-%dT%H:%M:%S}.{moment:%f}")
    assert (told["is_whole"], told["n_originals"], told["rpo_s"]) == (True, 3, None)
    assert datetime.fromisoformat(told["last_commit_at"]) <= moment
    # and in earnest, as docs/disaster-recovery.md says
    began = time.monotonic()
    archiving.stop()
    data = archiving.folder / "data"
    data.rename(archiving.folder / "damaged")
    subprocess.run(["cp", "-a", base, data], check=True)
    (data / "standby.signal").unlink(missing_ok=True)
    (data / "recovery.signal").touch()
    archiving.settings |= {
        "restore_command": f"cp {wal}/%f %p",
        "recovery_target_time": str(moment),
        "recovery_target_action": "promote",
    }
    archiving.start()
    wait_until_writable(archiving)
    rto_s = time.monotonic() - began
    assert "rolled back" in run("audit", "verify").stdout, "anchors tell of the events that are lost"
    shutil.move(home.data_dir / "audit" / "anchors.jsonl", home.folder / "anchors-of-before.jsonl")
    assert run("audit", "begin-anchors", "--why", "recovered to a moment").exit_code == 0
    verified = run("audit", "verify")
    assert verified.exit_code == 0, verified.output
    assert home.is_signed()
    with home.opened() as services:
        services.workspace.blobs.get(film)
        assert services.workspace.images.load(film) is not None
    record_property("drill_rto_s", round(told["rto_s"], 1))
    record_property("recovered_s", round(rto_s, 1))
    print(f"\ndrill RTO {told['rto_s']:.1f} s, recovered in earnest in {rto_s:.1f} s, nothing lost")


@pytest.mark.slow
def test_a_drill_to_the_end_of_the_archive_measures_what_would_be_lost(
    home: Installation, archiving: PostgresServer, tmp_path: Path
) -> None:
    base, wal = base_backup_of(archiving, "base"), archiving.folder / "wal"
    home.add_film(3)
    archive_all(archiving)
    told = drilled(home, base, wal)
    assert (told["is_whole"], told["n_originals"]) == (True, 3)
    assert 0 <= told["rpo_s"] < 600
    assert told["rto_s"] == pytest.approx(told["recovered_s"] + told["examined_s"], abs=0.02)
    result = run("drill", "--postgres", base, "--wal", wal, "--until", "2100-01-01")
    assert "recovery ended before configured recovery target" in one_line(result, 1)
    (tmp_path / "empty").mkdir()
    assert "is no base backup" in one_line(run("drill", "--postgres", tmp_path / "empty", "--wal", wal), 2)
    page = base / "base" / "1" / "1259"
    page.write_bytes(page.read_bytes()[:-1])
    assert "is damaged" in one_line(run("drill", "--postgres", base, "--wal", wal), 1)


@pytest.mark.slow
def test_the_workbench_goes_on_when_the_primary_is_killed_and_nothing_acknowledged_is_lost(
    postgres_binaries: Path, tmp_path: Path, record_property
) -> None:
    with ExitStack() as stack:
        primary = stack.enter_context(run_postgres(postgres_binaries, is_durable=True))
        url = upgraded(primary.create_database("radikal"))
        standby = stack.enter_context(standby_of(primary))
        both = f"{url}&host={quote(str(standby.folder), safe='')}&target_session_attrs=read-write"
        at = Home.at(tmp_path)
        home = Home(at.folder, {**at.environment, "DATABASE_URL": both})
        services = stack.enter_context(home.opened())
        fill(services, tmp_path)
        identity, ticket = person(services)
        server = stack.enter_context(serving(home))
        cookie = server.sign_in(ticket)
        films = Films(services, identity)
        writing = stack.enter_context(films.coming_in())
        writing.wait_for(5)
        killed = time.monotonic()
        primary.kill(signal.SIGKILL)
        standby.execute("SELECT pg_promote(true)")
        writing.wait_for(1)
        rto_s = time.monotonic() - killed
        page = answered(server, "/api/xai-qc/inspections", cookie)
        page_s = time.monotonic() - killed
        assert page == 200, "still signed in"
        writing.wait_for(5)
        films.stop()
        with services.store.read() as work:
            stored = {image.sha256 for image in work.images.latest(100_000)}
        lost = set(films.acknowledged) - stored
        assert lost == set()
        assert_whole(services)
    record_property("acknowledged", len(films.acknowledged))
    record_property("rto_s", round(rto_s, 2))
    print(
        f"\nprimary killed under writes: RPO {len(lost)} of {len(films.acknowledged)} acknowledged lost, "
        f"RTO {rto_s:.1f} s to the next film kept, {page_s:.1f} s to the next answer to a signed-in person"
    )


class Films:
    """Films that come in one after the other in a thread, and those that were acknowledged."""

    def __init__(self, services: Container, identity: Identity) -> None:
        self._services, self._identity = services, identity
        self._ended = threading.Event()
        self.acknowledged: list[str] = []

    @contextmanager
    def coming_in(self) -> Iterator["Films"]:
        """Films come in meanwhile."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def stop(self) -> None:
        """No more come."""
        self._ended.set()

    def wait_for(self, n_more: int) -> None:
        """Return when so many more were acknowledged."""
        wanted, limit = len(self.acknowledged) + n_more, time.monotonic() + _PATIENCE_S
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < limit, "no film is kept"
            time.sleep(0.005)

    def _run(self) -> None:
        for seed in itertools.count(10):
            if self._ended.is_set():
                return
            with suppress(DatabaseUnavailableError):
                data = radiograph_png(seed)
                kept = self._services.workspace.images.add(
                    self._identity, data, f"{seed}.png", polarity=Polarity.FILM
                )
                self.acknowledged.append(kept.sha256)


def answered(server: Server, address: str, cookie: str) -> int:
    """Status of an answer to somebody who is signed in, asked again while the database is away (503)."""
    limit = time.monotonic() + _PATIENCE_S
    while True:
        request = urllib.request.Request(f"{server.address}{address}", headers={"Cookie": cookie})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > limit:
                return error.code
        time.sleep(0.05)


def wait_until_writable(server: PostgresServer) -> None:
    """Return when the server is no longer in recovery."""
    limit = time.monotonic() + _PATIENCE_S
    with server.connect("postgres") as connection:
        while connection.execute("SELECT pg_is_in_recovery()").fetchone() != (False,):
            assert time.monotonic() < limit, "the server stays in recovery"
            time.sleep(0.05)


def test_only_a_postgresql_database_goes_to_a_point_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/radikal.db")
    result = run("drill", "--postgres", tmp_path, "--wal", tmp_path)
    assert "only a PostgreSQL database" in one_line(result, 2)
