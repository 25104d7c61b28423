from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer, run_postgres


@pytest.fixture(scope="session")
def durable_postgres(postgres_binaries: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL server that flushes every commit to the disk, as it does in earnest."""
    with run_postgres(postgres_binaries, is_durable=True) as server:
        yield server
