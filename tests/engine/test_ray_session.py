"""Sessions on a Ray cluster, with a stand-in for Ray: whose session it is decides who ends it."""

import sys
from types import SimpleNamespace

import pytest

from core.domain.errors import ConfigurationError
from core.engine.ray_session import ray_session


class StandIn(SimpleNamespace):
    def __init__(self, *, is_initialized: bool) -> None:
        self.is_begun, self.told = is_initialized, []

    def is_initialized(self) -> bool:
        return self.is_begun

    def init(self, **_settings: object) -> None:
        self.is_begun = True
        self.told.append("init")

    def shutdown(self) -> None:
        self.is_begun = False
        self.told.append("shutdown")


def _fail(ray: StandIn) -> None:
    assert ray.is_begun
    raise ValueError("the work failed")


def test_a_session_is_begun_and_ended_also_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = StandIn(is_initialized=False)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(ValueError, match="^the work failed$"), ray_session():
        _fail(ray)
    assert ray.told == ["init", "shutdown"]


def test_a_session_of_somebody_else_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = StandIn(is_initialized=True)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with ray_session():
        pass
    assert (ray.told, ray.is_begun) == ([], True)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigurationError, match=r"pip install \.\[scale\]"), ray_session():
        raise AssertionError("no session without Ray")
