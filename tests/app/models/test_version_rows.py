"""Figures of versions stand side by side only where they are of the same images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.models.versions.rows import (
    card_content,
    columns_on_show,
    common_set,
    overview_facts,
    version_rows,
)
from app.models.versions.second_stage import second_stage_content
from app.shared.templates import rendered
from core.registry.artefact import read_artefact
from core.services.lifecycle.versions import VersionSummary
from tests.artefacts import write_artefact


def summary(folder: Path, number: int, *evaluations: tuple[str, float]) -> VersionSummary:
    card = {
        "evaluation": [{"on": on, "ap50": ap50} for on, ap50 in evaluations],
        "lineage": f"weld v{number - 1}",
        "data_version": {"number": 7},
    }
    version = read_artefact(write_artefact(folder / str(number), seed=number, card=card)).as_version(number)
    return VersionSummary(
        number=number, version=version, aliases=(), in_use_since={},
        n_trained_on=1, n_bytes=1_000_000, manifest_sha256="", author="m.eng", run_id="0123456789abcdef",
        registered_at=None, shipped_as=None, problem="",
    )  # fmt: skip


def test_figures_are_those_on_the_images_that_all_were_measured_on(tmp_path: Path) -> None:
    versions = [
        summary(tmp_path, 2, ("three films", 0.4), ("sixty films", 0.2)),
        summary(tmp_path, 1, ("sixty films", 0.1)),
    ]
    assert common_set(versions) == "sixty films"
    rows = version_rows(versions)
    assert [(row["Measured on"], row["AP50"]) for row in rows] == [("sixty films", 0.2), ("sixty films", 0.1)]
    assert (rows[0]["From"], rows[0]["Data version"], rows[0]["Run"]) == ("weld v1", "7", "01234567")


def test_without_common_images_each_figure_stands_with_its_own(tmp_path: Path) -> None:
    versions = [summary(tmp_path, 2, ("three films", 0.4)), summary(tmp_path, 1, ("sixty films", 0.1))]
    assert common_set(versions) == ""
    assert [row["Measured on"] for row in version_rows(versions)] == ["three films", "sixty films"]


@pytest.mark.parametrize(("common", "says_on_which"), [("sixty films", False), ("", True)])
def test_columns_on_show_are_those_of_the_rows_and_name_the_images_where_they_differ(
    tmp_path: Path, common: str, says_on_which: bool
) -> None:
    (row,) = version_rows([summary(tmp_path, 1, ("sixty films", 0.1))])
    assert set(columns_on_show(common)) < set(row)
    assert ("Measured on" in columns_on_show(common)) is says_on_which


def _measured(n_boxes: int, *, passes: bool, added: tuple[float, float]) -> dict[str, Any]:
    """What `radikal explain-eval` writes, as far as pages show it."""
    gap = {"value": 0.1, "interval": [0.05, 0.2]}
    one = {"gain": 0.3, "passes": passes, "fails": [] if passes else ["not better than edges"],
           "better_than": {"edges": gap}}  # fmt: skip
    drawn = {**one, "passes": False, "fails": ["not better than a Gaussian on the box"]}
    without = {"n_boxes": n_boxes, "helps": False, "added": {"value": 0.0, "interval": list(added)}}
    return {"n_boxes": n_boxes, "n_images": 9, "methods": {"gradcam": one, "gaussian": drawn},
            "without_it": without}  # fmt: skip


@pytest.mark.parametrize(
    ("n_boxes", "passes", "said"),
    [
        (300, True, "Grad-CAM per box passed (measured on 300 boxes of 9 images)"),
        (300, False, "no method passes for this version"),
        (299, True, "not measured for this version: on 299 boxes only, 300 are asked for"),
    ],
)
def test_card_and_overview_say_how_far_maps_of_the_version_can_be_believed(
    tmp_path: Path, n_boxes: int, passes: bool, said: str
) -> None:
    figures, one = _measured(n_boxes, passes=passes, added=(-0.02, 0.01)), summary(tmp_path, 1)
    assert said in overview_facts(one, figures)["Explanations"]
    page = rendered("models/versions/templates/card.html", **card_content(one, figures))
    assert said in page
    assert "edges +0.10 (+0.05 to +0.20)" in page
    assert "drawn: a gaussian on the box" in page
    assert "no better than the probability alone (" in page


def test_a_version_that_was_not_measured_has_no_table_of_maps(tmp_path: Path) -> None:
    content = card_content(summary(tmp_path, 1))
    assert (content["explanations"], content["explanations_trust"]) == ([], "")
    assert content["explanations_standing"] == "not measured for this version"


def test_the_second_stage_of_a_card_is_a_table_and_no_dump() -> None:
    simulated = {
        "groups": ["linear", "rounded"],
        "recorded_by_claimed": [[1294, 33, 25], [45, 232, 24]],
        "coverage": 0.9269,
        "f1": {"linear": 0.8509, "rounded": 0.8406},
        "macro_f1": 0.8223,
        "type_right": [424, 526],
    }
    films = simulated | {"recorded_by_claimed": [[59, 9, 0], [0, 0, 0]], "f1": {"linear": 0.9147}}
    nothing = {"groups": ["linear"], "recorded_by_claimed": [[0, 0]], "coverage": None, "f1": {}}
    stage = {
        "sha256": "ab",
        "simulated": simulated,
        "virtual": nothing,
        "films": films,
        "fitted_on": "70 welds",
    }
    content = second_stage_content(stage)
    first, second = content["tables"]  # no virtual flaw was judged
    assert first["rows"][0] == ("linear", ["1,294", "33", "25"], "0.85")
    assert first["said"].startswith("1,653 reports of known flaws; a group is claimed of 93 %; macro-F1 0.82")
    assert "type right in 424 of 526" in first["said"]
    assert second["rows"][1] == ("rounded", ["0", "0", "0"], "–")
    assert content["facts"]["Fitted on"] == "70 welds"
    assert second_stage_content({}) == {}


def test_the_rest_of_a_card_is_in_words(tmp_path: Path) -> None:
    one = summary(tmp_path, 2)
    assert one.version is not None
    released = {"minimum_ap50": 0.7, "is_released": False, "note": "below release threshold"}
    card = {**one.card, "second_stage": {"sha256": "ab"}, "n_training_images": 3, "release": released}
    version = replace(one.version, card=card)
    rest = card_content(replace(one, version=version))["rest"]
    assert rest["Training images"] == "3"
    assert rest["Release"] == "below release threshold"
    assert "second_stage" not in rest
