"""Which version is in charge."""

import pytest

from app.champions import Champions
from app.resources import Resources
from core.domain.errors import ModelNotFoundError


def test_the_registry_is_asked_again_after_two_seconds(workplace: Resources) -> None:
    now = [0.0]
    champions = Champions(workplace.services.registry, clock=lambda: now[0])
    first = champions.champion("weld")
    assert first.name == "weld"
    workplace.services.registry.is_there = False
    now[0] = 1.9
    assert champions.champion("weld") is first
    now[0] = 2.1
    with pytest.raises(ModelNotFoundError):
        champions.champion("weld")
