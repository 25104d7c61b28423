"""The setup of an inspection in one line."""

import pytest

from app.inspection.setup.rows import summary
from core.domain.reading import Setup
from core.standards.shipped import shipped_rule_set

TABLES = [shipped_rule_set(one) for one in ("iso-5817", "api-1104")]


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        (Setup(), "No part · no rule"),
        (Setup(wall_mm=10, standard="iso-5817", quality_level="B"), "No part · t 10 mm · ISO 5817, level B"),
        (Setup(part="flange 7", standard="iso-5817"), "flange 7 · ISO 5817, no level chosen"),
        (Setup(part="flange 7", standard="api-1104"), "flange 7 · API 1104, 9.3"),
    ],
)  # fmt: skip
def test_a_level_that_is_missing_is_told_where_there_are_several(setup: Setup, words: str) -> None:
    assert summary(setup, TABLES) == words
