"""A process that uploads, inspects, decides and annotates is killed at random moments, again and again.

`RADIKAL_CRASH_KILLS` says how often on each database, `RADIKAL_CRASH_SERVER_KILLS` how often PostgreSQL
itself is killed underneath it.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import inspect

from core.store.database import open_database, upgrade
from core.store.schema import METADATA
from tests.conftest import ON_EACH_DATABASE
from tests.crash.examination import Ledger
from tests.crash.processes import Worker, place_at, plain
from tests.crash.worker import N_THREADS
from tests.integrity import check_integrity
from tests.postgres import PostgresServer

N_KILLS = int(os.environ.get("RADIKAL_CRASH_KILLS", "20"))
N_SERVER_KILLS = int(os.environ.get("RADIKAL_CRASH_SERVER_KILLS", "2"))
#: So many kills on one database, then the next: examining all of it takes longer as it grows.
KILLS_PER_DATABASE = 20
N_UPGRADE_KILLS = 4
N_ACTS_AFTERWARDS = 3
LONGEST_UPGRADE_S = 0.25
#: A process lives for so many acts at most, and a random part of the next.
MOST_ACTS = 50
LONGEST_ACT_S = 0.05
SEED = 20_260


@dataclass
class Scene:
    """Databases to crash, one after the other, each with a folder of its own."""

    repository: Path
    folder: Path
    server: PostgresServer | None
    _names: Iterator[int] = field(default_factory=lambda: count(1))

    def empty(self) -> tuple[str, Path]:
        """URL and folder of a database without tables."""
        name = f"crash_{next(self._names)}"
        folder = self.folder / name
        folder.mkdir()
        if self.server is None:
            return f"sqlite:///{folder}/radikal.db", folder
        self.server.drop_database(name)
        url = self.server.create_database(name)
        self.server.execute("CREATE EXTENSION amcheck", database=name)
        return url, folder

    def ready(self) -> tuple[str, Path]:
        """URL and folder of a database that somebody can work on."""
        url, folder = self.empty()
        engine = open_database(url)
        upgrade(engine)
        engine.dispose()
        with place_at(url, folder) as place:
            place.add_somebody()
        return url, folder

    def wait_until_quiet(self) -> None:
        """Return when the server, too, is done with what killed processes had asked for."""
        if self.server is not None:
            self.server.wait_until_alone()


@pytest.fixture
def scene(database_kind: str, repository: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    """Where things are killed, on each kind of database; PostgreSQL flushes to the disk here."""
    is_server = database_kind == "postgresql"
    server = request.getfixturevalue("durable_postgres") if is_server else None
    return Scene(repository, tmp_path, server)


@ON_EACH_DATABASE
@pytest.mark.slow
def test_what_was_acknowledged_survives_a_kill_and_nothing_is_there_in_part(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    ledgers = []
    for number in range(N_KILLS):
        if number % KILLS_PER_DATABASE == 0:
            url, folder = scene.ready()
            ledgers.append(Ledger())
        dice = random.Random(SEED + number)
        workers = [
            Worker(scene.repository, url, folder, 10 * number + n) for n in range(1 + is_shared(number))
        ]
        for worker in workers:
            worker.wait_until_ready()
        workers[0].wait_for(dice.randrange(MOST_ACTS))
        time.sleep(dice.uniform(0, LONGEST_ACT_S))
        workers[0].kill()
        for survivor in workers[1:]:
            survivor.wait_for(N_ACTS_AFTERWARDS)
            survivor.kill()
        scene.wait_until_quiet()
        acknowledged = {key: content for worker in workers for key, content in worker.acknowledged().items()}
        with place_at(url, folder) as place:
            ledgers[-1].examine(place, acknowledged, n_in_flight=N_THREADS * len(workers))
    figures = [ledger.figures() for ledger in ledgers]
    totals = {name: sum(figure[name] for figure in figures) for name in figures[0]}
    record_property("kills", N_KILLS)
    for name, total in totals.items():
        record_property(name, total)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_killed_server_comes_back_with_what_was_acknowledged_and_the_worker_goes_on(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    url, folder = scene.ready()
    dice = random.Random(SEED)
    ledger = Ledger()
    worker = Worker(scene.repository, url, folder, 0)
    worker.wait_until_ready()
    for number in range(N_SERVER_KILLS):
        worker.wait_for(dice.randrange(1, MOST_ACTS))
        time.sleep(dice.uniform(0, LONGEST_ACT_S))
        scene.server.kill(signal.SIGKILL if number % 2 else signal.SIGQUIT)
        scene.server.start()
    worker.wait_for(N_ACTS_AFTERWARDS)
    worker.kill()
    scene.wait_until_quiet()
    with place_at(url, folder) as place:
        ledger.examine(place, worker.acknowledged(), n_in_flight=N_THREADS * (1 + N_SERVER_KILLS))
    record_property("server_kills", N_SERVER_KILLS)
    for name, total in ledger.figures().items():
        record_property(name, total)


@ON_EACH_DATABASE
def test_an_upgrade_that_is_killed_can_be_repeated(scene: Scene) -> None:
    script = """
import sys
from core.store.database import open_database, upgrade
engine = open_database(sys.argv[1])
print("ready", flush=True)
upgrade(engine)
print("done", flush=True)
"""
    dice = random.Random(SEED)
    for _ in range(N_UPGRADE_KILLS):
        url, _ = scene.empty()
        process = subprocess.Popen(
            [sys.executable, "-c", script, url], cwd=scene.repository, env=plain(), stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(dice.uniform(0, LONGEST_UPGRADE_S))
        process.kill()
        process.communicate()
        engine = open_database(url)
        upgrade(engine)
        assert check_integrity(engine) == []
        assert set(inspect(engine).get_table_names()) == {"alembic_version", *METADATA.tables}
        engine.dispose()


def is_shared(number: int) -> bool:
    """True for the kills that leave another process at work on the same database."""
    return number % 5 == 4
