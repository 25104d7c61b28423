"""Figures of versions stand side by side only where they are of the same images."""

from pathlib import Path

from app.models.versions.rows import common_set, version_rows
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
