"""A workplace with an evaluation set, two weld versions and what they do on it."""

from pathlib import Path

from app.shared.resources import Resources
from core.domain.accounts import COMMAND_LINE
from core.engine.detector import Detector
from core.store.evaluations import EvaluationSet
from core.store.jobs import JobState
from tests.artefacts import write_artefact
from tests.recorded import write_recorded


def add_set(held: Resources, folder: Path, name: str = "six frames") -> EvaluationSet:
    """Six frames of three parts on which the first weld version is right every second time."""
    detector = Detector.load(folder / "weld" / "weights.safetensors")
    coco = write_recorded(folder / "recorded", detector)
    return held.services.evaluations.sets.add_files(COMMAND_LINE, name, "weld", coco, coco.parent)


def add_second_version(held: Resources, folder: Path) -> int:
    """The number of another weld version, which reports other boxes."""
    artefact = write_artefact(folder / "weld-other", seed=1, score_spread=1.0)
    return held.services.registry.add(artefact, alias="challenger")


def measure(held: Resources, chosen: EvaluationSet, numbers: tuple[int, ...] = (1, 2)) -> None:
    """Measure versions on a set, as the job does it."""
    job_id = held.services.evaluations.start(COMMAND_LINE, chosen, numbers)
    assert held.services.job_worker().work(job_id) is JobState.DONE
