"""Fixtures that every test may use. The environment comes first: it is read when libraries load."""

import os
import shutil
import tempfile

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
#: Databases flush every commit; files in memory make that free.
_MEMORY, _LEAST_FREE = "/dev/shm", 4 * 2**30
if (
    "TMPDIR" not in os.environ
    and os.access(_MEMORY, os.W_OK)
    and shutil.disk_usage(_MEMORY).free > _LEAST_FREE
):
    os.environ["TMPDIR"] = tempfile.tempdir = _MEMORY

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:  # both are imported where they are used: most tests need no database
    from sqlalchemy import Engine

    from tests.postgres import PostgresServer
    from tests.reused_database import ReusedDatabase
    from tests.s3 import S3Server

#: Marks tests that run once on SQLite and once on PostgreSQL.
ON_EACH_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
REPOSITORY = Path(__file__).resolve().parents[1]
_numbers = itertools.count(1)  # of databases, which must not meet on one server
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _missing(what: str) -> None:
    """Skip here, fail where CI promises that the system packages are installed."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}; .ci/run is expected to provide it", pytrace=False)
    pytest.skip(what)


@pytest.fixture(autouse=True)
def _deterministic_seeds() -> None:
    random.seed(20_260)
    np.random.seed(20_260)
    torch = __import__("sys").modules.get("torch")  # only where a test loaded it: the import is slow
    if torch is not None:
        torch.manual_seed(20_260)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def gdxray() -> Path:
    """The folder of real radiographs, never part of the repository; skips where it is missing."""
    folder = Path(os.environ.get("RADIKAL_GDXRAY", REPOSITORY.parent / "shared" / "gdxray"))
    if not (folder / "castings.json").is_file():
        pytest.skip("no GDXray radiographs here: set RADIKAL_GDXRAY to a folder that holds castings.json")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The executable of a Chromium: the system's, else the one that playwright downloaded."""
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        bundled = playwright.chromium.executable_path
    if not Path(bundled).is_file():
        _missing("no browser: install chromium, or run `playwright install chromium`")
    return bundled


@pytest.fixture(scope="session")
def postgres_binaries() -> Path:
    """The folder of PostgreSQL's programs."""
    from tests.postgres import find_binaries

    if (binaries := find_binaries()) is None:
        _missing("no PostgreSQL: install the package postgresql, or set PG_BIN to the folder of initdb")
    return binaries


@pytest.fixture(scope="session")
def postgres(postgres_binaries: Path) -> "Iterator[PostgresServer]":
    """A PostgreSQL server without flushes to the disk, one for each process that runs tests."""
    from tests.postgres import run_postgres

    with run_postgres(postgres_binaries, is_durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[S3Server]":
    """A server that speaks S3, one for each process that runs tests."""
    from tests.s3 import run_s3

    with run_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def s3(s3_server: "S3Server", monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket; the environment says where the server is."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{s3_server.new_bucket()}"


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """SQLite, unless a test asks for another or for each by indirect parametrisation.

    Each is asked for where SQL differs: in tests/store, and by `ON_EACH_DATABASE` elsewhere.
    """
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def new_database(
    database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], str]]:
    """A function that makes a database without tables and returns its URL."""
    server = request.getfixturevalue("postgres") if database_kind == "postgresql" else None
    made: list[str] = []

    def make() -> str:
        made.append(f"radikal_{next(_numbers)}")
        return server.create_database(made[-1]) if server else f"sqlite:///{tmp_path}/{made[-1]}.db"

    yield make
    for name in made if server else ():
        server.drop_database(name)


@pytest.fixture(scope="session")
def reused_postgresql(postgres: "PostgresServer") -> "Iterator[ReusedDatabase]":
    """The PostgreSQL database of each process that runs tests, which they use one after the other."""
    from tests.empty_stores import upgraded
    from tests.reused_database import ReusedDatabase

    upgraded(postgres.create_database("radikal_template"))
    database = ReusedDatabase(postgres, "radikal_template", "radikal_reused")
    yield database
    database.close()


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a database at the newest schema that holds nothing."""
    if database_kind == "postgresql":
        return str(request.getfixturevalue("reused_postgresql").restore())
    from tests.empty_stores import copy_empty_database

    return copy_empty_database(tmp_path / f"radikal_{next(_numbers)}.db")


@pytest.fixture
def engine(database_url: str) -> "Iterator[Engine]":
    """A real database at the newest schema."""
    from core.store.database import open_database

    engine = open_database(database_url)
    yield engine
    engine.dispose()
