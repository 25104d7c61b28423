"""The shipped samples are what their recipes make."""

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from core.domain.radiograph import PitchSource, Polarity
from core.imaging.read import read_radiograph, read_radiograph_file
from core.labelling.coco import read_coco
from core.simulate.kinds import IDENTITY
from core.simulate.samples import RECIPES, SampleRecipe, write_samples

DATA = Path(__file__).parents[2] / "data"
SAMPLES = DATA / "samples"


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return {entry["file"]: entry for entry in _read_card(DATA)["samples"]["files"]}


def test_the_card_lists_every_file_with_its_digest(card: dict[str, Any]) -> None:
    assert set(card) == {recipe.file for recipe in RECIPES}
    assert {path.name for path in SAMPLES.iterdir()} == {*card, "truth.json"}
    for name, entry in card.items():
        assert hashlib.sha256((SAMPLES / name).read_bytes()).hexdigest() == entry["sha256"]
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 12 * 2**20


def test_the_samples_show_every_class_of_flaw_a_sound_weld_and_both_polarities(card: dict[str, Any]) -> None:
    dataset = read_coco(SAMPLES / "truth.json")
    labels = {label for image in dataset.images for label in image.labels}
    assert labels >= {"porosity", "crack", "inclusion", "lack of penetration", "lack of fusion"}
    assert labels <= {str(flaw_class) for flaw_class, _ in IDENTITY.values()}
    assert any(not image.labels for image in dataset.images)
    assert {entry["polarity"] for entry in card.values()} == {"film", "digital"}
    for image in dataset.images:
        assert len(image.labels) == card[image.file_name]["flaws"]


@pytest.mark.parametrize("recipe", RECIPES[::6], ids=lambda recipe: recipe.file)
def test_a_recipe_makes_the_shipped_pixels_again(recipe: SampleRecipe) -> None:
    shipped = read_radiograph_file(SAMPLES / recipe.file).pixels.astype(int)
    again = recipe.render().pixels.astype(int)
    # On another kind of processor the last bit of a float, and so a rounding, may differ here and there.
    assert np.count_nonzero(shipped != again) <= 2e-3 * shipped.size


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    small = [
        SampleRecipe("a.png", "a", 4, size_px=(400, 256)),
        SampleRecipe("b.dcm", "b", 5, size_px=(300, 256)),
    ]
    first, again = write_samples(tmp_path / "1", small), write_samples(tmp_path / "2", small)
    assert first.read_bytes() == again.read_bytes()
    for name in ("a.png", "b.dcm", "truth.json"):
        assert (tmp_path / "1/samples" / name).read_bytes() == (tmp_path / "2/samples" / name).read_bytes()
    for entry in _read_card(tmp_path / "1")["samples"]["files"]:
        content = (tmp_path / "1/samples" / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_the_diconde_file_says_what_it_is() -> None:
    name = next(recipe.file for recipe in RECIPES if recipe.file.endswith(".dcm"))
    entry = {e["file"]: e for e in _read_card(DATA)["samples"]["files"]}[name]
    radiograph = read_radiograph((SAMPLES / name).read_bytes(), name)
    assert radiograph.polarity is Polarity.DIGITAL
    assert radiograph.bit_depth == entry["bit_depth"]
    assert radiograph.pitch is not None
    assert radiograph.pitch.source is PitchSource.DETECTOR
    assert radiograph.pitch.mm_per_px == pytest.approx(entry["mm_per_px"], abs=1e-5)
    assert radiograph.fields["Material"] == "STEEL"


def test_a_png_tells_its_pitch_and_keeps_its_values() -> None:
    entry = _read_card(DATA)["samples"]["files"][0]
    content = (SAMPLES / entry["file"]).read_bytes()
    radiograph = read_radiograph(content, entry["file"])
    assert radiograph.pitch is not None
    assert radiograph.pitch.mm_per_px == pytest.approx(entry["mm_per_px"], rel=1e-3)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest() == entry["pixels_sha256"]
    assert b"sBIT" in content[:80]
    assert pixels.max() < 2 ** entry["bit_depth"]


def test_truth_file_is_compact_json() -> None:
    text = (SAMPLES / "truth.json").read_text(encoding="utf-8")
    assert json.loads(text)["licenses"][0]["name"] == "CC0-1.0"


def _read_card(folder: Path) -> dict[str, Any]:
    content = yaml.safe_load((folder / "dataset_card.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content
