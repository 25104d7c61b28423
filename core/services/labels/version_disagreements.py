"""The long job that compares champion and challenger on images of late, and queues what differs."""

from typing import Any

from core.domain.correction_findings import findings_of_versions
from core.domain.errors import BadInputError, JobCancelledError
from core.domain.ports import ModelSource
from core.domain.records import Inspection
from core.services.images.images import ImageService
from core.services.inference.detecting import DetectService
from core.services.inspections.correction_queue import COMPARED_IMAGES, put
from core.services.jobs.job_worker import WorkerLog
from core.store.jobs import Job
from core.store.unit_of_work import Store

#: Images of one run at most.
MOST_IMAGES = 500
#: So many inspections are looked through for images that differ.
_LOOKED_AT = 5_000


class VersionDisagreements:
    """Runs both versions on the newest images of a model; `run` is the job.

    The payload: `model`, and `count`, how many images at most.
    """

    def __init__(
        self, store: Store, images: ImageService, models: ModelSource, detect: DetectService
    ) -> None:
        self._store = store
        self._images = images
        self._models = models
        self._detect = detect

    def run(self, job: Job, log: WorkerLog) -> dict[str, Any]:
        """Compare images and queue new disagreements; returns the numbers of images and of new items.

        Raises:
            JobCancelledError: somebody asked it to stop; what was queued until then stays.
            BadInputError: there is no challenger, or it is the champion.
        """
        model = str(job.payload["model"])
        count = max(1, min(int(job.payload.get("count", COMPARED_IMAGES)), MOST_IMAGES))
        versions = [self._models.resolve(model, alias=alias)[0] for alias in ("champion", "challenger")]
        if versions[0].sha256 == versions[1].sha256:
            raise BadInputError(f"the challenger of {model} is its champion: there is nothing to compare")
        newest = self._newest(model, count)
        n_queued = 0
        for done, inspection in enumerate(newest):
            if log.is_cancelled():
                raise JobCancelledError(f"stopped after {done} of {len(newest)} images")
            log.progress(done, len(newest), f"{done} of {len(newest)} images, {n_queued} new")
            n_queued += self._compare(inspection, versions[0].version, versions[1].version)
        return {
            "model": model,
            "champion": versions[0].version,
            "challenger": versions[1].version,
            "n_images": len(newest),
            "n_queued": n_queued,
        }

    def _compare(self, inspection: Inspection, champion: int, challenger: int) -> int:
        """Compare one image; returns the number of new items, 0 or 1."""
        film = self._images.load(inspection.image_sha256, polarity=inspection.polarity, keep=False)
        answers = [
            self._detect.detect(film, inspection.image_name, model=inspection.model.name, version=version)
            for version in (champion, challenger)
        ]
        findings = findings_of_versions(inspection, *answers)
        with self._store.write() as work:
            return put(work, findings)

    def _newest(self, model: str, count: int) -> list[Inspection]:
        """The newest inspection of each of the newest `count` images of the model."""
        with self._store.read() as work:
            latest = work.inspections.latest(_LOOKED_AT)
        found: dict[str, Inspection] = {}
        for one in latest:
            if one.model.name == model and len(found) < count:
                found.setdefault(one.image_sha256, one)
        return list(found.values())
