"""Who may do what through the API: each role and each scope at each address."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import pytest

from app.api.application import create_api
from app.shared.resources import Resources, forget_resources, use_resources
from core.config import Settings
from core.domain.accounts import ACCOUNT_ROLES
from core.domain.api_keys import Scope
from core.domain.permissions import SCOPE_ACTIONS, Action
from tests import permitted
from tests.app.api.conftest import TestClient, client_of, new_key
from tests.workplace import close_workplace, make_workplace, radiograph_png

API = "/api/xai-qc"
_ID, _SHA = "0" * 32, "0" * 64
#: Each operation with the row of the manual's table of actions that says who may; None: everybody.
#: Written by hand: a new operation belongs here before its test passes.
OPERATIONS: dict[tuple[str, str], str | None] = {
    ("GET", "/health"): None,
    ("GET", "/health/live"): None,
    ("GET", "/health/ready"): None,
    ("POST", "/detect"): "have a radiograph inspected",
    ("GET", "/explain/{inspection_id}/{box}"): "look at inspections",
    ("GET", "/explain/{inspection_id}/{box}/picture"): "look at inspections",
    ("GET", "/jobs/{job_id}"): "look at long jobs",
    ("DELETE", "/jobs/{job_id}"): "start, stop and resume long jobs",
    ("POST", "/jobs/{job_id}/resume"): "start, stop and resume long jobs",
    ("GET", "/inspections"): "look at inspections",
    ("GET", "/inspections/{inspection_id}"): "look at inspections",
    ("GET", "/inspections/{inspection_id}/report"): "look at inspections",
    ("GET", "/history"): "look at inspections",
    ("GET", "/labels"): "look at annotations",
    ("GET", "/labels/{sha256}"): "look at annotations",
    ("PUT", "/labels/{sha256}"): "save annotations",
    ("GET", "/export"): "look at annotations",
    ("GET", "/models"): "look at model versions and what served when",
    ("GET", "/models/{name}"): "look at model versions and what served when",
    ("GET", "/models/{name}/versions/{version}"): "look at model versions and what served when",
    ("GET", "/models/{name}/versions/{version}/gate"): "look at model versions and what served when",
    ("GET", "/models/{name}/history"): "look at model versions and what served when",
    ("POST", "/models/{name}/promote"): "promote and roll back model versions",
    ("POST", "/models/{name}/rollback"): "promote and roll back model versions",
    ("GET", "/metrics"): "compare model versions",
    ("GET", "/calibration"): "look at model versions and what served when",
}
ASKED = [pytest.param(method, path, row, id=f"{method} {path}") for (method, path), row in OPERATIONS.items()]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resources]:
    """One for all rows: each asks about records that are not there."""
    held = make_workplace(tmp_path_factory.mktemp("table"))
    use_resources(held)
    yield held
    forget_resources()
    close_workplace(held)


@pytest.fixture(scope="module")
def client(workplace: Resources) -> Iterator[TestClient]:
    with client_of(workplace.services.settings) as client:
        yield client


@pytest.fixture(scope="module")
def key_of(workplace: Resources) -> Callable[..., dict[str, str]]:
    return cache(partial(new_key, workplace))


def job_of_somebody(workplace: Resources) -> str:
    """A training that an engineer started."""
    with workplace.services.store.write() as work:
        return work.jobs.add("retrain", {})


def request_of(
    client: TestClient, workplace: Resources, method: str, path: str, headers: dict[str, str]
) -> Any:
    """The answer to a request that makes sense, about records that need not exist."""
    filled = path.format(
        inspection_id=_ID, box=1, job_id=job_of_somebody(workplace), sha256=_SHA, name="weld", version=1
    )
    more: dict[str, Any] = {}
    if path == "/detect":
        more = {"data": {"model": "weld"}, "files": [("files", ("film.png", radiograph_png(), "image/png"))]}
    elif path in ("/metrics", "/calibration"):
        more = {"params": {"model": "weld"}}
    elif method == "PUT":
        more = {"json": {"labels": [], "expected_version": 0}}
    elif path.endswith("promote"):
        more = {"json": {"version": 1, "seen": 1}}
    elif path.endswith("rollback"):
        more = {"json": {"seen": 1}}
    return client.request(method, f"{API}{filled}", headers=headers, **more)


def test_every_operation_is_in_the_table() -> None:
    document = create_api(Settings(_env_file=None)).openapi()
    there = {
        (method.upper(), path.removeprefix(API))
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert there == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path", "row"), ASKED)
def test_an_operation_lets_past_whom_the_manual_says_and_nobody_else(
    workplace: Resources,
    client: TestClient,
    key_of: Callable[..., dict[str, str]],
    method: str,
    path: str,
    row: str | None,
) -> None:
    for role in ACCOUNT_ROLES:
        answer = request_of(client, workplace, method, path, key_of(role))
        may = row is None or role in permitted.ACTIONS[row]
        assert (answer.status_code != 403) is may, (role, answer.text)
        assert answer.status_code not in (401, 500)
        if not may:
            assert answer.json()["type"] == "/api/docs#not-allowed"


@pytest.mark.parametrize(("method", "path", "row"), ASKED)
def test_an_operation_needs_a_scope_that_covers_it(
    workplace: Resources,
    client: TestClient,
    key_of: Callable[..., dict[str, str]],
    method: str,
    path: str,
    row: str | None,
) -> None:
    if row is None:
        return
    role = next(role for role in ACCOUNT_ROLES if role in permitted.ACTIONS[row])
    for scope in Scope:
        answer = request_of(client, workplace, method, path, key_of(role, scope))
        is_covered = Action(row) in SCOPE_ACTIONS[scope]
        assert (answer.status_code != 403) is is_covered, (scope, answer.text)


@pytest.mark.parametrize(("method", "path", "row"), ASKED)
def test_a_stranger_is_turned_away_before_the_body_is_read(
    workplace: Resources, client: TestClient, method: str, path: str, row: str | None
) -> None:
    for headers in ({}, {"Authorization": "Bearer radikal_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = request_of(client, workplace, method, path, headers)
        is_open = row is None and not headers
        assert (answer.status_code == 401) is not is_open
        if not is_open:
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["type"] == "/api/docs#unauthorised"
