import pytest

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.training.recipe import CocoSource, SimulatedSource, read_recipe

GOOD = """
model: weld
title: a test
polarity: film
sources:
  - {count: 3, seed: 7}
  - {coco: welds.json, polarity: film, split: weld.yaml, part: fold_1, ignore_below_px: 8}
schedule: {steps: 10}
"""


def test_a_recipe_reads_both_kinds_of_source(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(GOOD)
    recipe = read_recipe(path)
    assert recipe.polarity is Polarity.FILM
    assert recipe.sources[0] == SimulatedSource(3, 7)
    assert isinstance(recipe.sources[1], CocoSource)
    assert recipe.sources[1].ignore_below_px == 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("model: weld", "modell: weld"), "unknown keys"),
        (("polarity: film\n", "polarity: x-ray\n"), "x-ray"),
        (("{steps: 10}", "{step: 10}"), "step"),
        (("sources:", "sources: ["), "not YAML"),
    ],
)
def test_a_wrong_recipe_names_what_is_wrong(tmp_path, change, message):
    path = tmp_path / "r.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(DatasetError, match=message):
        read_recipe(path)


def test_a_missing_recipe_is_one_clear_error(tmp_path):
    with pytest.raises(DatasetError, match="cannot read the recipe"):
        read_recipe(tmp_path / "none.yaml")


def test_every_shipped_recipe_is_sound(repository):
    recipes = sorted((repository / "core/training/recipes").glob("*.yaml"))
    assert len(recipes) >= 2
    for path in recipes:
        assert read_recipe(path).schedule.steps > 0
