from pathlib import Path

import pytest
import yaml

from core.domain.model_version import CalibrationRecord
from core.registry.artefact import file_sha256, read_artefact
from core.services.lifecycle.model_card import (
    GDXRAY_NOTICE,
    MeasuredOn,
    TrainingFacts,
    data_notice,
    model_card,
    release,
    write_card,
)
from tests.artefacts import write_artefact

CALIBRATION = CalibrationRecord("0123456789ab", "platt", (1.0, 0.0), 0.05, 0.4, "three films")


def _card(sources: tuple[str, ...] = ("simulated welds, seeds 1 to 9",), **changes: object) -> dict:
    arguments = {
        "name": "weld",
        "description": "Finds indications in weld films.",
        "polarity": "film",
        "weights_sha256": "ab" * 32,
        "manifest_sha256": "cd" * 32,
        "training": TrainingFacts(sources, 9, "weld-v1.yaml", "2026-01-31", "2 CPU cores"),
        "calibration": CALIBRATION,
        "measured": [MeasuredOn("series held out", {"ap50": 0.123456, "ap50_ci": (0.1, 0.2), "n_images": 3})],
        "limits": ["No tungsten."],
    }
    return model_card(**(arguments | changes))  # type: ignore[arg-type]  # a table of keywords


@pytest.mark.parametrize(
    ("sources", "is_restricted"),
    [
        (("simulated welds",), False),
        (("GDXray castings: 20 series",), True),
        (("simulated welds", "welds of gdxray"), True),
    ],
)
def test_any_gdxray_source_restricts_the_version(sources: tuple[str, ...], is_restricted: bool) -> None:
    assert (data_notice(sources) == GDXRAY_NOTICE) is is_restricted
    assert (_card(sources)["data_notice"] == GDXRAY_NOTICE) is is_restricted


@pytest.mark.parametrize(
    ("figures", "is_released", "words"),
    [
        ({"ap50": 0.70}, True, "reaches the release threshold"),
        ({"ap50": 0.69}, False, "below release threshold: AP50 0.69 on x, 0.70 needed"),
        ({"ap50": None}, False, "was not measured"),
        ({}, False, "was not measured"),
    ],
)
def test_release_follows_the_figures(figures: dict, is_released: bool, words: str) -> None:
    found = release([MeasuredOn("x", figures), MeasuredOn("y", {"ap50": 0.99})])
    assert found["is_released"] is is_released
    assert words in found["note"]


def test_a_version_is_below_the_threshold_when_it_is_anywhere() -> None:
    found = release([MeasuredOn("known parts", {"ap50": 0.9}), MeasuredOn("other parts", {"ap50": 0.3})])
    assert found["is_released"] is False
    assert found["note"] == "below release threshold: AP50 0.30 on other parts, 0.70 needed"


def test_nothing_measured_is_not_released() -> None:
    assert release([])["is_released"] is False


def test_a_card_survives_its_file_and_belongs_to_its_weights(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "weld-v1")
    card = _card(
        weights_sha256=file_sha256(folder / "weights.safetensors"), classes=("crack",), alias="challenger"
    )
    assert yaml.safe_load(write_card(folder, card).read_text()) == card
    assert read_artefact(folder).card == card
    assert card["evaluation"][0] == {
        "on": "series held out",
        "ap50": 0.1235,
        "ap50_ci": [0.1, 0.2],
        "n_images": 3,
    }


def test_the_comparison_of_methods_stands_on_the_card_with_four_digits() -> None:
    assert _card()["calibration"]["comparison"] is None
    card = _card(comparison={"chosen": "platt", "methods": [{"method": "platt", "log_loss": 0.123456}]})
    assert card["calibration"]["comparison"]["methods"] == [{"method": "platt", "log_loss": 0.1235}]


def test_every_key_of_a_card_is_documented(repository: Path) -> None:
    text = (repository / "docs" / "model-cards.md").read_text()
    for key in _card(alias="challenger"):
        assert f"`{key}`" in text, f"docs/model-cards.md lacks {key}"
