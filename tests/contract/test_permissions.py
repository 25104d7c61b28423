"""The manual says what the code does, and every service method that acts for somebody asks first."""

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Engine

from core.bootstrap.foundations import open_store
from core.domain.accounts import Identity, Role
from core.domain.errors import NotAllowedError
from core.domain.permissions import PERMISSIONS, Action
from core.store.unit_of_work import Store

SERVICES = Path(__file__).resolve().parents[2] / "core" / "services"
#: What methods ask for that leave the asking to others; None refuses everybody.
INDIRECT = {
    "AccountService.disable": Action.USERS_MANAGE,
    "AccountService.enable": Action.USERS_MANAGE,
    "AccountService.erase": Action.USERS_MANAGE,
    "OwnAccountService.change_password": Action.PASSWORD_CHANGE,
    "OwnAccountService.confirm_password": Action.PASSWORD_CHANGE,
    "NoAccounts.confirm_password": None,
}
#: Reach nothing but the rows of whoever asks, so that every role may.
OWN_ROWS = frozenset({"WorklistService.entries", "WorklistService.remove"})
_ASKS = re.compile(r"require\(identity, Action\.(\w+)\)")


def action_of(service: type, name: str) -> Action | None:
    """What the method asks for first, None when it refuses everybody.

    Raises:
        AssertionError: it asks for nothing.
    """
    if f"{service.__name__}.{name}" in INDIRECT:
        return INDIRECT[f"{service.__name__}.{name}"]
    asked = _ASKS.search(inspect.getsource(getattr(service, name)))
    assert asked, f"{service.__name__}.{name} is handed an identity and requires nothing"
    return Action[asked[1]]


def guarded_methods() -> Iterator[tuple[type, str]]:
    """Every public method of a service class that is handed an identity."""
    for path in sorted(SERVICES.glob("*.py")):
        if "identity: Identity" not in path.read_text(encoding="utf-8"):
            continue  # some are slow to import
        module = importlib.import_module(f"core.services.{path.stem}")
        for _, service in inspect.getmembers(module, inspect.isclass):
            if service.__module__ != module.__name__ or getattr(service, "_is_protocol", False):
                continue
            for name, method in inspect.getmembers(service, inspect.isfunction):
                is_own = name.startswith("_") or f"{service.__name__}.{name}" in OWN_ROWS
                if not is_own and "identity" in inspect.signature(method).parameters:
                    yield service, name


METHODS = [pytest.param(*found, id=f"{found[0].__name__}.{found[1]}") for found in guarded_methods()]


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "docs" / "write_permissions.py"
    spec = importlib.util.spec_from_file_location("write_permissions", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """One is enough: what is asked for is asked before the database."""
    return str(request.param)


@pytest.fixture
def store(engine: Engine) -> Store:
    return open_store(engine)


def call(service: type, name: str, store: Store, identity: Identity) -> None:
    """Call the method of a service that has nothing but its store, with nothing that makes sense."""
    bare: Any = service.__new__(service)
    bare._store = store
    given = {
        parameter.name: None
        for parameter in inspect.signature(getattr(service, name)).parameters.values()
        if parameter.name not in ("self", "identity") and parameter.default is parameter.empty
    }
    result = getattr(bare, name)(identity=identity, **given)
    if inspect.isgenerator(result):
        next(result)


def test_the_table_in_the_manual_is_up_to_date(writer: ModuleType) -> None:
    page = writer.TARGET.read_text(encoding="utf-8")
    assert page == writer.render(), "docs/permissions.md is out of date: make docs"
    assert all(action.value in page for action in Action)


@pytest.mark.parametrize(("service", "name"), METHODS)
def test_a_method_refuses_each_role_that_may_not_before_it_does_anything(
    service: type, name: str, store: Store
) -> None:
    action = action_of(service, name)
    allowed = PERMISSIONS[action] if action else frozenset()
    for role in set(Role) - allowed:
        with pytest.raises(NotAllowedError, match=f"the role {role.label} may not" if action else None):
            call(service, name, store, Identity("u-0", "somebody", role))


@pytest.mark.parametrize(("service", "name"), METHODS)
def test_a_method_lets_each_role_past_that_may(service: type, name: str, store: Store) -> None:
    action = action_of(service, name)
    for role in PERMISSIONS[action] if action else ():
        try:
            call(service, name, store, Identity("u-0", "somebody", role))
        except NotAllowedError as refusal:
            assert "the role" not in str(refusal)  # noqa: PT017 - refused for another reason is fine
        except Exception:  # noqa: BLE001 - nothing that it was handed made sense
            pass


@pytest.mark.parametrize(("service", "name"), METHODS)
def test_nobody_does_anything_before_the_password_was_changed(service: type, name: str, store: Store) -> None:
    action = action_of(service, name)
    if action is Action.PASSWORD_CHANGE or action is None:
        return
    for role in PERMISSIONS[action]:
        with pytest.raises(NotAllowedError, match="change your password first"):
            call(service, name, store, Identity("u-0", "somebody", role, must_change_password=True))


def test_the_walk_finds_the_methods() -> None:
    found = {f"{service.__name__}.{name}" for service, name in guarded_methods()}
    assert {"AccountService.add", "AuditService.export", "ImageService.add"} <= found
