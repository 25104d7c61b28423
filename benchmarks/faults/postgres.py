"""PostgreSQL is restarted, and fails over to its standby, under a process at work that has to go on."""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.faults import NotPossibleHereError
from core.store.database import open_database, upgrade
from tests.crash.examination import Ledger
from tests.crash.processes import Worker, place_at
from tests.crash.worker import N_THREADS
from tests.postgres import PostgresServer, find_binaries, give_to_unprivileged, run_postgres

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "soak"
N_ACTS = 6
#: The standby has everything that was acknowledged: a commit returns when it is on the standby's disk, too.
_SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '*'"
_LIMIT_S = 60.0


def run_restarts(folder: Path, rounds: int) -> dict[str, Any]:
    """The figures of so many restarts.

    Raises:
        AssertionError: an act that was acknowledged is missing.
        NotPossibleHereError: there is no PostgreSQL.
    """
    with run_postgres(_binaries(), is_durable=True) as server:
        url = _prepared(server, folder)

        def restart() -> None:
            server.stop()
            server.start()

        away_s, ledger = _disturbed(url, folder, [restart] * rounds, server)
    return {"restarts": rounds, "longest_away_s": round(max(away_s), 2), **ledger.figures()}


def run_failovers(folder: Path, rounds: int) -> dict[str, Any]:
    """The figures of so many primaries that were killed, each with a standby that took over.

    Raises:
        AssertionError: an act that was acknowledged is missing.
        NotPossibleHereError: there is no PostgreSQL.
    """
    longest_s, totals = 0.0, dict[str, int]()
    for number in range(rounds):
        home = folder / str(number)
        home.mkdir()
        with ExitStack() as stack:
            primary = stack.enter_context(run_postgres(_binaries(), is_durable=True))
            url = _prepared(primary, home)
            standby = stack.enter_context(standby_of(primary))

            def fail_over(old: PostgresServer = primary, new: PostgresServer = standby) -> None:
                old.kill(signal.SIGKILL)
                new.execute("SELECT pg_promote(true)")

            both = f"{url}&host={quote(str(standby.folder), safe='')}&target_session_attrs=read-write"
            away_s, ledger = _disturbed(both, home, [fail_over], standby)
        longest_s = max(longest_s, *away_s)
        for name, count in ledger.figures().items():
            totals[name] = totals.get(name, 0) + count
    return {"failovers": rounds, "longest_away_s": round(longest_s, 2), **totals}


def _prepared(server: PostgresServer, folder: Path) -> str:
    """The URL of a database that somebody can work on."""
    url = server.create_database(DATABASE)
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    with place_at(url, folder) as place:
        place.add_somebody()
    return url


def _disturbed(
    url: str, folder: Path, disturbances: list[Callable[[], None]], last: PostgresServer
) -> tuple[list[float], Ledger]:
    """Seconds without an acknowledgement around each disturbance, and what was found at the end."""
    worker, away_s = Worker(ROOT, url, folder, 0), []
    try:
        worker.wait_until_ready()
        for disturb in disturbances:
            worker.wait_for(N_ACTS)
            began = time.monotonic()
            disturb()
            worker.wait_for(1)
            away_s.append(time.monotonic() - began)
        worker.wait_for(N_ACTS)
    finally:
        worker.kill()
    last.wait_until_alone()
    ledger = Ledger()
    with place_at(url, folder) as place:
        n_cut = N_THREADS * (1 + len(disturbances))
        n_refused = worker.refusals().total()
        ledger.examine(place, worker.acknowledged(), n_in_flight=n_cut, n_refused=n_refused)
    return away_s, ledger


@contextmanager
def standby_of(primary: PostgresServer) -> Iterator[PostgresServer]:
    """A second server that follows the first one, which from now on waits for it with every commit."""
    folder = Path(tempfile.mkdtemp(prefix="radikal-pg-"))
    give_to_unprivileged(folder)
    standby = PostgresServer(primary.binaries, folder, is_durable=True)
    try:
        standby.copy_of(primary)
        standby.start()
        primary.execute(_SYNCHRONOUS)
        primary.execute("SELECT pg_reload_conf()")
        _wait_until_synchronous(primary)
        yield standby
    finally:
        standby.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_synchronous(primary: PostgresServer) -> None:
    limit = time.monotonic() + _LIMIT_S
    query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
    while True:
        with primary.connect("postgres") as connection:
            if connection.execute(query).fetchone() == (1,):
                return
        assert time.monotonic() < limit, "the standby does not follow"
        time.sleep(0.05)


def _binaries() -> Path:
    if (binaries := find_binaries()) is None:
        raise NotPossibleHereError("PostgreSQL is not installed")
    return binaries
