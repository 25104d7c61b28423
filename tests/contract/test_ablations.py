"""The arms of the ablations are fair: what judges them trains none, and they differ in what they say."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks import ablations
from core.labelling.split import members_of, read_split
from core.training.recipe import CocoSource, VirtualSource

TABLES: list[dict[str, Any]] = yaml.safe_load(ablations.ARMS.read_text(encoding="utf-8"))["tables"]
TRAINED = [
    pytest.param(table, arm, id=f"{table['name']}-{arm['name']}")
    for table in TABLES
    for arm in table["arms"]
    if "weights" not in arm
]


@pytest.mark.parametrize(("table", "arm"), TRAINED)
def test_nothing_that_judges_an_arm_trains_it(table: dict[str, Any], arm: dict[str, Any]) -> None:
    judges = set(members_of(read_split(ablations.SPLITS / table["judged_on"]["split"]), "*"))
    for source in ablations.recipe_of(table, arm).sources:
        if isinstance(source, CocoSource):
            assert source.split is not None
            members = members_of(read_split(ablations.SPLITS / source.split), source.part)
            assert judges.isdisjoint(members)
            assert not any(judge.startswith(f"{member}_") for judge in judges for member in members)
        if isinstance(source, VirtualSource):
            assert judges.isdisjoint(source.films)


@pytest.mark.parametrize(("table", "arm"), TRAINED)
def test_all_arms_of_a_table_are_trained_alike(table: dict[str, Any], arm: dict[str, Any]) -> None:
    schedule = ablations.recipe_of(table, arm).schedule
    assert {key: getattr(schedule, key) for key in ("steps", "batch", "crop_px", "learning_rate")} == {
        key: table["schedule"][key] for key in ("steps", "batch", "crop_px", "learning_rate")
    }


def test_an_arm_that_names_kinds_of_sources_keeps_no_other() -> None:
    (table,) = (one for one in TABLES if one["name"] == "welds")
    (arm,) = (one for one in table["arms"] if one["name"] == "simulated and virtual")
    kinds = {type(source).__name__ for source in ablations.recipe_of(table, arm).sources}
    assert kinds == {"SimulatedSource", "VirtualSource"}


def test_views_of_the_learning_curve_are_views_that_may_train() -> None:
    steps = read_split(ablations.SPLITS / "casting-learning.yaml")
    may_train = members_of(read_split(ablations.SPLITS / "casting-views.yaml"), "judging_views")
    assert [len(views) for views in steps.values()] == [5, 12, 17]
    assert set(members_of(steps, "*")) <= set(may_train)


def test_every_arm_was_measured() -> None:
    stored = json.loads(Path(ablations.RESULT).read_text(encoding="utf-8"))
    assert {name: [arm["name"] for arm in table["arms"]] for name, table in stored.items()} == {
        table["name"]: [arm["name"] for arm in table["arms"]] for table in TABLES
    }
