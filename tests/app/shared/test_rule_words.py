"""A chosen rule in the words of its table, wherever it is listed."""

import pytest

from app.shared.viewer_rows import rule_words
from core.standards.shipped import shipped_rule_set

TABLES = (shipped_rule_set("iso-5817"),)


@pytest.mark.parametrize(
    ("standard", "level", "words"),
    [
        ("iso-5817", "B", "ISO 5817, level B"),
        ("iso-5817", None, "ISO 5817, level not chosen"),
        ("gone", "1", "gone, level 1"),
        (None, None, "none chosen"),
    ],
)
def test_the_title_of_the_table_and_the_level(standard: str | None, level: str | None, words: str) -> None:
    assert rule_words(standard, level, TABLES) == words
