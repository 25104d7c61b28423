"""One browser for all tests of this folder in a process, and one running product for the tests of a file."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.serving import PATIENCE_MS, Served, browser, served

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser test that fails is run once more; two failures in a row stay a failure.

    On a machine that is short of time Streamlit may redraw what a click was meant for. The summary names each
    test that needed its second run.
    """
    for item in items:
        if item.get_closest_marker("e2e") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """A browser without a window; not for the whole session: its event loop would be in the way of others."""
    with browser(chromium_path) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product with an empty store; a test file that needs more in it has a fixture of its own."""
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running
