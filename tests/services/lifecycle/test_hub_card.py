"""The card with the fields of the Hub."""

from pathlib import Path

import pytest
import yaml

from core.domain.errors import ModelArtefactError
from core.registry.artefact import read_artefact
from core.services.lifecycle.hub_card import hub_card, hub_fields
from core.services.lifecycle.model_card import add_pod
from tests.artefacts import write_artefact

CARD = {
    "data_notice": "trained on GDXray: research and educational use only",
    "description": "Reads welds: all of them.",
    "limits": ["Knows no castings."],
    "evaluation": [
        {"on": "three films, held out", "ap50": 0.4, "recall": None, "class_aware": False, "n_boxes": 7}
    ],
    "classes": ["crack"],
}
POD = {"pod": {"a50": 0.5, "a90": 1.0, "a90_95": 1.2, "n_targets": 80, "n_found": 60, "reason": ""},
       "by_class": {}, "measure": "length", "on": "welds", "false_calls_per_image": 0.5}  # fmt: skip


def test_the_fields_of_the_hub_stand_in_front(tmp_path: Path) -> None:
    version = read_artefact(write_artefact(tmp_path / "v1", card=CARD)).as_version(3)
    text = hub_card(version, POD)
    _, front, body = text.split("---\n", 2)
    fields = yaml.safe_load(front)
    assert fields == hub_fields(version, POD)
    assert (fields["license"], fields["license_name"]) == ("other", "gdxray-research-and-education")
    assert fields["library_name"] == "radikal"
    assert {"object-detection", "weld", "crack"} <= set(fields["tags"])
    (index,) = fields["model-index"]
    evaluated, sized = index["results"]
    assert evaluated["dataset"] == {"name": "three films, held out", "type": "three-films-held-out"}
    assert evaluated["metrics"] == [{"type": "map_50", "name": "AP50", "value": 0.4}]
    assert sized["metrics"][0]["value"] == 1.2
    assert "# weld v3" in body
    assert "Knows no castings." in body
    assert "a90/95 1.20 mm" in body
    assert version.sha256 in body


def test_a_version_of_free_data_bears_the_licence_of_the_code(tmp_path: Path) -> None:
    version = read_artefact(write_artefact(tmp_path / "v1")).as_version(1)
    assert hub_fields(version)["license"] == "apache-2.0"


def test_the_card_takes_the_figures_of_its_own_weights_only(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "v1", card=CARD)
    artefact = read_artefact(folder)
    figures = {**POD, "sha256": artefact.sha256, "by_class": {"crack": {"a90": 1.0, "curve": {"pod": [1]}}}}
    add_pod(folder, figures)
    card = read_artefact(folder).card
    assert card["pod"]["by_class"]["crack"] == {"a90": 1.0, "curve": None}
    assert {key: card[key] for key in artefact.card} == dict(artefact.card)
    with pytest.raises(ModelArtefactError, match="of weights"):
        add_pod(folder, {**figures, "sha256": "0" * 64})
