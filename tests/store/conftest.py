"""Everything that is kept is kept alike on SQLite and on PostgreSQL."""

import pytest


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database that is supported; a test may ask for one by indirect parametrisation."""
    return str(request.param)
