from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.store.database import open_database, upgrade


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A real SQLite file at the newest schema."""
    engine = open_database(f"sqlite:///{tmp_path}/radikal.db")
    upgrade(engine)
    yield engine
    engine.dispose()
