"""Stores that hold nothing, made once a process and copied: making one takes longer than most tests."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from core.registry.mlflow_store import new_client
from core.store.database import open_database, upgrade


def upgraded(url: str) -> str:
    """The URL, once its database is at the newest schema."""
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    return url


def copy_empty_database(path: Path) -> str:
    """The URL of a new SQLite file of RadiKal at the newest schema."""
    return _copy(_database(), path)


def copy_empty_mlflow(path: Path) -> str:
    """The URL of a new SQLite store of MLflow."""
    return _copy(_mlflow(), path)


def _copy(template: Path, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, path)
    return f"sqlite:///{path}"


@cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="radikal-template-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _database() -> Path:
    upgraded(f"sqlite:///{_folder() / 'radikal.db'}")
    return _folder() / "radikal.db"


@cache
def _mlflow() -> Path:
    new_client(f"sqlite:///{_folder() / 'mlflow.db'}").search_experiments()
    return _folder() / "mlflow.db"
