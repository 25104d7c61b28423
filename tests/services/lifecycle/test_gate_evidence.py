"""Which evaluations the gate reads, and what it says when they were not made."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.domain.model_version import ModelVersion
from core.evaluate.gate_report import CheckState
from core.evaluate.outcome_table import OutcomeTable
from core.evaluate.promotion_gate import judge
from core.services.evaluation.version_records import POD_FILE, TIMES_FILE, VersionRecords
from core.services.lifecycle.gate_evidence import StoredEvidence
from tests.artefacts import write_artefact
from tests.evaluate.test_gate_measures import SUMMARY, table
from tests.memory_registry import MemoryRegistry


class KnownSet(NamedTuple):
    digest: str
    name: str
    n_images: int
    n_boxes: int


class Stored(NamedTuple):
    summary: dict[str, Any]
    outcomes: OutcomeTable
    device: str


SMALL, LARGE = KnownSet("a" * 64, "ten films", 10, 10), KnownSet("b" * 64, "thirty films", 30, 30)


class Kept:
    """Evaluations by version and set."""

    def __init__(self, sets: list[KnownSet]) -> None:
        self.sets = sets
        self.of: dict[tuple[int, str], Stored] = {}

    def measure(self, version: int, chosen: KnownSet) -> None:
        outcomes = table([True] * 24 + [False] * 6 if chosen is LARGE else [True] * 10)
        self.of[version, chosen.digest] = Stored(dict(SUMMARY), outcomes, "cpu")

    def sets_of(self, model: str) -> list[KnownSet]:
        return self.sets

    def has(self, version: ModelVersion, set_digest: str) -> bool:
        return (version.version, set_digest) in self.of

    def stored(self, version: ModelVersion, set_digest: str) -> Stored | None:
        return self.of.get((version.version, set_digest))


class NoRuns:
    """Keeps nothing in a run."""

    def log_figures(self, name: str, version: int, file_name: str, figures: Any) -> None:
        return None


def pods(folder: Path) -> VersionRecords:
    return VersionRecords(folder, NoRuns(), POD_FILE)


def times(folder: Path) -> VersionRecords:
    return VersionRecords(folder / "times", NoRuns(), TIMES_FILE)


def evidence_of(kept: Kept, registry: MemoryRegistry, folder: Path = Path("nowhere")) -> StoredEvidence:
    return StoredEvidence(kept, registry, pods(folder), times(folder))


@pytest.fixture
def registry(tmp_path: Path) -> MemoryRegistry:
    made = MemoryRegistry()
    made.add(write_artefact(tmp_path / "one", seed=1), alias="champion")
    trained_on = (table([True] * 30).digests[3],)
    made.add(write_artefact(tmp_path / "two", seed=2, trained_on=trained_on))
    return made


def versions(registry: MemoryRegistry) -> tuple[ModelVersion, ModelVersion]:
    """Candidate and champion."""
    return registry.resolve("weld", version=2)[0], registry.resolve("weld")[0]


def test_what_both_were_measured_on_comes_first_then_the_larger(registry: MemoryRegistry) -> None:
    kept = Kept([SMALL, LARGE])
    evidence = evidence_of(kept, registry)
    assert [one.name for one in evidence.sets(*versions(registry))] == ["thirty films", "ten films"]
    kept.measure(1, SMALL)
    kept.measure(2, SMALL)
    kept.measure(2, LARGE)
    found = evidence.sets(*versions(registry))
    assert [(one.name, one.is_measured) for one in found] == [("ten films", True), ("thirty films", False)]


def test_what_was_measured_is_read_and_overlap_is_found_in_the_manifest(registry: MemoryRegistry) -> None:
    kept = Kept([LARGE])
    kept.measure(1, LARGE)
    kept.measure(2, LARGE)
    found = evidence_of(kept, registry).measured(*versions(registry), None)
    assert (found.candidate, found.champion, found.set_name) == (2, 1, "thirty films")
    assert (found.n_trained_on, found.champion_trained_on) == (1, 0)
    assert "it was trained on 1 of 30 images" in judge(found).reasons[0]


def test_a_leak_through_two_generations_is_caught(tmp_path: Path) -> None:
    registry, digest = MemoryRegistry(), table([True] * 30).digests[3]
    registry.add(write_artefact(tmp_path / "1", seed=1, trained_on=(digest,)), alias="champion")
    for number in (2, 3):
        card = {"lineage": f"weld v{number - 1}"}
        registry.add(write_artefact(tmp_path / str(number), seed=number, trained_on=(), card=card))
    kept = Kept([LARGE])
    kept.measure(1, LARGE)
    kept.measure(3, LARGE)
    candidate = registry.resolve("weld", version=3)[0]
    found = evidence_of(kept, registry).measured(candidate, registry.resolve("weld")[0], None)
    assert found.trained_through == {"weld v1": 1}
    assert "1 of them through weld v1" in judge(found).reasons[0]


@pytest.mark.parametrize(
    ("measured", "digest", "why"),
    [
        ([], None, "v2 and v1 not measured on thirty films"),
        ([2], None, "v1 not measured on thirty films"),
        ([1, 2], "c" * 64, "there is no such evaluation set of weld"),
    ],
)
def test_what_was_not_measured_refuses_and_says_which(
    registry: MemoryRegistry, measured: list[int], digest: str | None, why: str
) -> None:
    kept = Kept([LARGE])
    for version in measured:
        kept.measure(version, LARGE)
    report = judge(evidence_of(kept, registry).measured(*versions(registry), digest))
    assert not report.is_green
    assert all(why in reason for reason in report.reasons)


def test_without_any_set_nothing_passes(registry: MemoryRegistry) -> None:
    report = judge(evidence_of(Kept([]), registry).measured(*versions(registry), None))
    assert len(report.reasons) == 4
    assert "there is no evaluation set of weld" in report.reasons[0]


def test_the_champion_is_not_compared_with_itself(registry: MemoryRegistry) -> None:
    kept = Kept([LARGE])
    kept.measure(1, LARGE)
    champion = versions(registry)[1]
    found = evidence_of(kept, registry).measured(champion, champion, None)
    assert (found.champion, found.recall) == (None, None)


def test_the_size_that_is_found_is_read_where_it_was_measured(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    candidate, champion = versions(registry)
    for version, a90_95 in ((candidate, 1.4), (champion, 1.0)):
        figures = {
            "model": version.name,
            "version": version.version,
            "sha256": version.sha256,
            "calibration_id": version.calibration.calibration_id,
            "set_digest": "e" * 64,
            "n_trained_on": 0,
            "pod": {"a90_95": a90_95, "reason": ""},
        }
        pods(tmp_path / "pod").keep(figures)
    kept = Kept([LARGE])
    found = evidence_of(kept, registry, tmp_path / "pod").measured(candidate, champion, None)
    (check,) = (one for one in judge(found).checks if one.name.startswith("Size"))
    assert (check.state, check.measured) == (CheckState.REFUSED, "1.40 mm against 1.00 mm")
    found = evidence_of(kept, registry, tmp_path / "none").measured(candidate, champion, None)
    (check,) = (one for one in judge(found).checks if one.name.startswith("Size"))
    assert (check.state, check.sentence) == (
        CheckState.NOTED,
        "skipped: `radikal pod` did not measure v2 and v1",
    )


def test_times_in_turn_take_the_place_of_times_of_different_moments(
    registry: MemoryRegistry, tmp_path: Path
) -> None:
    kept = Kept([LARGE])
    kept.measure(1, LARGE)
    kept.measure(2, LARGE)
    evidence = evidence_of(kept, registry, tmp_path)
    candidate, champion = versions(registry)
    before = evidence.measured(candidate, champion, None)
    assert (before.ms_per_image, before.is_timed_in_turn) == (100, False)
    pair = {"device": "cpu", "own_ms": [30.0, 90.0, 33.0], "other_ms": [10.0, 30.0, 99.0]}
    figures = {"model": "weld", "version": 2, "sha256": candidate.sha256, "against": {champion.sha256: pair}}
    times(tmp_path).keep(figures)
    found = evidence.measured(candidate, champion, None)
    # the image that took three times as long in both says what the others say
    assert (found.ms_per_image, found.champion_ms_per_image) == (33, pytest.approx(11))
    assert found.is_timed_in_turn
    assert "it takes 3.00 times as long as the champion" in " ".join(judge(found).reasons)
