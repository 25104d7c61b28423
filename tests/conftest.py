"""Fixtures that every test may use. Thread limits come first: they are read when libraries load."""

import os

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
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
