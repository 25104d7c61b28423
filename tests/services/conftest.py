"""A workspace on a real database, and people in it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.domain.accounts import Identity
from core.services.workspaces import Workspace, make_workspace
from core.store.unit_of_work import Store
from tests.records import OnePassword, add_user, new_store, store_image


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Workspace:
    """A workspace that holds one image; whoever signs there knows the password."""
    store_image(store)
    return make_workspace("", store, tmp_path, accounts=OnePassword(), seal_key=b"k" * 32)


@pytest.fixture
def inspector(store: Store) -> Identity:
    return add_user(store)
