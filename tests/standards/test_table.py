import json

import pytest

from core.standards.shipped import SHIPPED
from core.standards.table import table
from tests.standards.tables import LEVELS, TABLES


@pytest.mark.parametrize("name", SHIPPED)
def test_every_band_of_every_rule_is_a_row_with_each_level(name: str) -> None:
    shown = table(TABLES[name])
    assert json.loads(json.dumps(shown)) == shown
    assert len(shown["rows"]) == sum(len(rule.bands) for rule in TABLES[name].rules)
    for row in shown["rows"]:
        assert list(row["limits"]) == LEVELS[name]
        assert all(row["limits"].values())
        assert row["verified"] is False


def test_limits_read_as_an_inspector_writes_them() -> None:
    rows = {row["rule"]: row for row in table(TABLES["iso-5817"])["rows"]}
    assert rows["iso-5817-elongated"]["limits"]["B"] == "h <= 0.2 s, at most 2 mm; l <= s, at most 25 mm"
    assert rows["iso-5817-elongated"]["copies"] == 1
    assert rows["iso-5817-crack"]["limits"] == {
        "B": "not permitted",
        "C": "not permitted",
        "D": "not permitted",
    }
    assert rows["iso-5817-root-penetration"]["condition"] == "welded from one side"
    assert rows["iso-5817-surface-pore"]["thickness"] == "3 mm < t"
    assert rows["iso-5817-crack"]["kind_names"] == ["crack (100)"]


def test_bands_and_groups_are_written_out() -> None:
    rows = [
        row for row in table(TABLES["asme-viii-1-uw-51"])["rows"] if row["rule"] == "asme-uw-51-elongated"
    ]
    assert [row["thickness"] for row in rows] == ["t <= 19 mm", "19 mm < t <= 57 mm", "57 mm < t"]
    assert rows[1]["limits"]["UW-51"] == (
        "l <= 1/3 t, at most 19 mm; in line: in total <= t in any 12 t of weld, "
        "unless the gaps exceed 6 times the longest"
    )


def test_kinds_that_no_row_is_about_are_listed() -> None:
    assert table(TABLES["iso-5817"])["uncovered"] == [
        "excess penetration (504)",
        "linear misalignment (507)",
        "burn-through (510)",
        "root concavity (515)",
        "spatter (602)",
        "film artefact",
    ]
