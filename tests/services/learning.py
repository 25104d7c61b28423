"""A place with labelled radiographs, for tests of data versions and retraining."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from core.domain.accounts import Identity, Role
from core.domain.radiograph import Polarity
from core.domain.records import LABELS, Annotation, AnnotationSource
from core.imaging.encode import encode_png
from core.imaging.read import read_radiograph
from core.services.datasets.data_making import DataMaker
from core.services.datasets.data_versions import MAKE_DATA_VERSION, DataRequest, DataVersionService
from core.services.jobs.job_worker import JobWorker
from core.services.jobs.jobs import JobService
from core.store.blobs import BlobStore
from core.store.data_versions import DataVersion
from core.store.jobs import Job
from core.store.manifests import ManifestFiles
from tests.records import add_user, new_store
from tests.registries import FolderRegistry


class LearningPlace:
    """Store, originals, data versions and what makes them.

    Attributes:
        imports: the folder that COCO files are imported from.
        logged: numbers of the data versions that were noted in MLflow.
        evaluated: sha256 of images in evaluation sets.
    """

    def __init__(self, engine: Engine, folder: Path, *versions: Path) -> None:
        self.folder = folder
        self.store = new_store(engine)
        self.engineer: Identity = add_user(self.store, Role.ML_ENGINEER)
        self.annotator: Identity = add_user(self.store, Role.ANNOTATOR)
        self.blobs = BlobStore(folder / "originals")
        self.manifests = ManifestFiles(folder / "data_versions")
        self.registry = FolderRegistry(*versions)
        self.jobs = JobService(self.store, folder / "jobs", kinds=[MAKE_DATA_VERSION, "retrain"])
        self.imports = folder / "imports"
        self.data = DataVersionService(
            self.store,
            self.manifests,
            self.imports,
            self.jobs,
            held_by=lambda _model: {"judges": self.evaluated},
        )
        self.logged: list[int] = []
        self.evaluated: set[str] = set()
        self.maker = DataMaker(
            self.store,
            self.blobs,
            self.manifests,
            self.registry,  # type: ignore[arg-type]
            evaluated=lambda _model: self.evaluated,
            log_dataset=lambda *, number, **_: self.logged.append(number),
        )

    def add_image(self, seed: int, *, part: str = "", size: tuple[int, int] = (96, 128)) -> str:
        """The sha256 of a stored image of noise; `part` is its DICONDE component."""
        data = noise(seed, size)
        film = read_radiograph(data, f"{seed}.png", polarity=Polarity.FILM)
        self.blobs.put(data)
        with self.store.write() as work:
            work.images.add(film, f"film {seed}.png", len(data), at=work.now)
        return film.sha256

    def label(self, sha256: str, *boxes: tuple[float, float, float, float], name: str = "porosity") -> None:
        """Save the next version of the image's labels."""
        with self.store.write() as work:
            before = work.annotations.latest(sha256, LABELS)
            version = before.version + 1 if before else 1
            work.annotations.append(
                Annotation(
                    annotation_id=hashlib.sha256(f"{sha256}{version}".encode()).hexdigest()[:32],
                    image_sha256=sha256,
                    track=LABELS,
                    inspection_id=None,
                    version=version,
                    source=AnnotationSource.HUMAN,
                    author_id=self.annotator.user_id,
                    boxes=tuple(
                        {"id": f"h{n}", "bbox": list(box), "class": name} for n, box in enumerate(boxes, 1)
                    ),
                    note="",
                    created_at=work.now,
                )
            )

    def labelled(self, n: int) -> list[str]:
        """The sha256 of so many new images, each with one box."""
        found = [self.add_image(seed) for seed in range(n)]
        for sha256 in found:
            self.label(sha256, (10, 10, 40, 30))
        return found

    def make(self, **changes: Any) -> DataVersion:
        """A data version, made here and now as its job would."""
        job = self.run_job(**changes)
        assert job.state.value == "done", job.message
        with self.store.read() as work:
            found = work.data_versions.find(job.result["manifest_sha256"])
        assert found is not None
        return found

    def run_job(self, **changes: Any) -> Job:
        """The job after it ended."""
        request = DataRequest(**({"model_name": "weld", "licence": "ours alone"} | changes))
        job_id = self.data.start(self.engineer, request)
        JobWorker(self.store, self.folder / "jobs", lambda _kind: self.maker.run).work(job_id)
        return self.jobs.find(self.engineer, job_id)


def noise(seed: int, size: tuple[int, int] = (96, 128)) -> bytes:
    """A PNG of noise, (height, width)."""
    return encode_png(np.random.default_rng(seed).integers(0, 65535, size, np.uint16))


def write_coco(folder: Path, series: dict[str, str], *, box: tuple[int, ...] = (10, 10, 20, 15)) -> Path:
    """A COCO file of images of noise, file name to series, a box on each."""
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for number, (name, one) in enumerate(series.items()):
        (folder / name).write_bytes(noise(1000 + number))
        images.append({"id": number, "file_name": name, "width": 128, "height": 96, "series": one})
    content = {
        "images": images,
        "annotations": [{"id": i["id"], "image_id": i["id"], "category_id": 1, "bbox": box} for i in images],
        "categories": [{"id": 1, "name": "defect"}],
    }
    path = folder / "coco.json"
    path.write_text(json.dumps(content))
    return path
