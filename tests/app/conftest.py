"""The app on temporary services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.shared.resources import Resources, forget_resources, use_resources
from tests.workplace import close_workplace, make_workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Resources]:
    """The process's objects, on a temporary folder."""
    held = make_workplace(tmp_path)
    use_resources(held)
    yield held
    forget_resources()
    close_workplace(held)
