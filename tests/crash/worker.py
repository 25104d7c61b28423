"""Uploads, inspects, decides, reads and labels until it is killed; says which acts were acknowledged.

    python -m tests.crash.worker DATABASE_URL FOLDER SEED ACKNOWLEDGEMENTS

One line of JSON is appended to the file ACKNOWLEDGEMENTS after each act that the services said was done, and
`{"act": "ready"}` before the first. It goes on when the database is gone or the disk is full for a while; a
refusal is a line, too, with what was `told`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from core.audit.canonical import digest
from core.domain.detections import CellOrigin, Detections, View
from core.domain.indication import IndicationClass
from core.domain.inspection import DetectionResult
from core.domain.labels import Label
from core.domain.model_version import CalibrationRecord, ModelVersion
from core.domain.radiograph import Polarity, Radiograph
from core.domain.reading import Call, ReadIndication
from core.domain.records import AnnotationSource, Disposition
from core.domain.storage import StorageError
from core.imaging.encode import encode_png
from core.services.inspections.annotations import annotation_content
from core.services.inspections.inspecting import Decision, decision_content, inspection_content
from core.services.workspaces import Workspace
from core.store.failures import DatabaseUnavailableError
from tests.crash.place import SOMEBODY, Place

N_THREADS = 3
MODEL = ModelVersion(
    name="weld",
    version=1,
    sha256="c" * 64,
    polarity=Polarity.FILM,
    calibration=CalibrationRecord("0123456789ab", "platt", (1.0, 0.0), 0.05, 0.5, "nothing"),
    card={},
)
_HEIGHT, _WIDTH = 24, 32
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """A file that takes one whole line at a time, from any thread."""

    handle: int

    def write(self, act: str, **facts: Any) -> None:
        """Append a line; once this returns it survives the process."""
        os.write(self.handle, (json.dumps({"act": act, **facts}) + "\n").encode())


def found_on(radiograph: Radiograph, random: np.random.Generator) -> DetectionResult:
    """What a model could have reported."""
    n_boxes = int(random.integers(0, 4))
    corner = random.uniform(0, 10, (n_boxes, 2))
    boxes = np.hstack([corner, corner + random.uniform(1, 10, (n_boxes, 2))]).astype(np.float32)
    scores = np.sort(random.uniform(0.1, 1, n_boxes)).astype(np.float32)[::-1].copy()
    origin = CellOrigin(View(0, 0, _WIDTH, _HEIGHT), 0, 0, 0)
    return DetectionResult(
        name="weld.png",
        radiograph=radiograph,
        model=MODEL,
        detections=Detections(
            boxes, scores, (IndicationClass.POROSITY,) * n_boxes, (origin,) * n_boxes, scores
        ),
        elapsed_ms=1.0,
        device="cpu",
    )


class Hears(Protocol):
    """Takes what was acknowledged."""

    def write(self, act: str, **facts: Any) -> None:
        """Note it."""


def work(place: Workspace, random: np.random.Generator, done: Hears) -> None:
    """One upload, its inspection, a decision, and up to two versions of a reading and of labels."""
    pixels = random.integers(0, 2**16, (_HEIGHT, _WIDTH), dtype=np.uint16)
    radiograph = place.images.add(SOMEBODY, encode_png(pixels), "weld.png", polarity=Polarity.FILM)
    sha256 = radiograph.sha256
    done.write("image", id=sha256, digest=sha256)
    inspection = place.inspections.record(SOMEBODY, found_on(radiograph, random))
    done.write("inspection", id=inspection.inspection_id, digest=digest(inspection_content(inspection)))
    for version in range(1, int(random.integers(1, 4))):
        decision = Decision(Disposition.REJECT, f"look {version}")
        decided = place.inspections.decide(
            SOMEBODY, inspection.inspection_id, decision, expected_version=version
        )
        done.write(
            "decision",
            id=f"{decided.inspection_id}/{decided.version}",
            digest=digest(decision_content(decided)),
        )
    for version in range(int(random.integers(0, 3))):
        place.readings.save(SOMEBODY, inspection.inspection_id, added(version), expected_version=version)
        with place.store.read() as stored:
            kept = stored.annotations.latest(sha256, inspection.inspection_id)
        assert kept is not None
        done.write(
            "reading",
            id=f"{inspection.inspection_id}/{kept.version}",
            digest=digest(annotation_content(kept)),
        )
    for version in range(int(random.integers(0, 3))):
        saved = place.labels.save(SOMEBODY, sha256, drawn(version), expected_version=version)
        done.write("labels", id=f"{sha256}/{saved.version}", digest=digest(annotation_content(saved)))


def added(n_boxes: int) -> list[ReadIndication]:
    """So many pores that a person added."""
    pore, human = IndicationClass.POROSITY, AnnotationSource.HUMAN
    return [
        ReadIndication(f"h{number + 1}", (1, 2, 3 + number, 9.5), pore, human, Call.CONFIRMED)
        for number in range(n_boxes)
    ]


def drawn(n_boxes: int) -> list[Label]:
    """So many pores that a person labelled."""
    return [
        Label(f"h{number + 1}", (1, 2, 3 + number, 9.5), IndicationClass.POROSITY)
        for number in range(n_boxes)
    ]


def repeat(act: Callable[[], None], done: Acknowledgements) -> None:
    """Do it again and again; wait a little when the database is gone or the disk is full."""
    while True:
        try:
            act()
        except (DatabaseUnavailableError, StorageError) as error:
            done.write("refused", told=str(error))
            time.sleep(_PAUSE_S)


def main(url: str, folder: Path, seed: int, acknowledgements: Path) -> None:
    """Work in `N_THREADS` threads, for ever."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    done = Acknowledgements(os.open(acknowledgements, flags, 0o600))
    place = Place.open(url, folder).workspace
    streams = np.random.default_rng(seed).spawn(N_THREADS)
    done.write("ready")
    for stream in streams:
        threading.Thread(target=repeat, args=(lambda own=stream: work(place, own, done), done)).start()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
