"""Making a data version: gather, split, check, keep. Runs as a job; see `core.services.jobs.jobs`."""

import json
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.accounts import SYSTEM
from core.domain.data_manifest import DataManifest, ManifestImage, Part, assign_parts
from core.domain.errors import DatasetError, JobCancelledError, RegistryUnavailableError
from core.domain.ports import JobLog, Registry
from core.registry.artefact import read_artefact
from core.registry.seen import calibration_parts
from core.services.datasets.data_checking import CheckRequest, DataCheck, DataCheckService
from core.services.datasets.data_export import write_coco, write_split
from core.services.datasets.data_gathering import import_coco, joined
from core.services.datasets.data_versions import DataRequest, data_request_from
from core.services.datasets.labelled_images import labelled_images
from core.services.jobs.job_worker import WorkerLog
from core.store.blobs import Blobs
from core.store.data_versions import DataVersion
from core.store.jobs import Job
from core.store.manifests import ManifestFiles
from core.store.unit_of_work import Store

log = logging.getLogger(__name__)
_NAMED = 5
_IMPORT_SHARE, _CHECK_SHARE = 0.4, 0.95


class DataMaker:
    """Makes data versions.

    Args:
        store: holds the labels.
        blobs: the originals.
        manifests: where manifests are kept.
        registry: tells what trained and what calibrated the versions that exist.
        evaluated: gives, of a model, the sha256 of every image that an evaluation set holds.
        log_dataset: notes the version in MLflow; called as `core.registry.data_log.log_dataset` by keywords.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        manifests: ManifestFiles,
        registry: Registry,
        *,
        evaluated: Callable[[str], Collection[str]],
        log_dataset: Callable[..., object],
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._manifests = manifests
        self._registry = registry
        self._evaluated = evaluated
        self._log_dataset = log_dataset

    def run(self, job: Job, worker_log: WorkerLog) -> dict[str, Any]:
        """The result of a job whose payload is a `DataRequest`.

        Raises:
            DatasetError: there is nothing, or the checks found an error; nothing was made.
        """
        request = data_request_from(job.payload)
        version, is_new = self.make(request, worker_log.folder, worker_log, by=job.started_by)
        return {
            "number": version.number,
            "manifest_sha256": version.manifest_sha256,
            "is_new": is_new,
            "counts": dict(version.counts),
        }

    def make(
        self, request: DataRequest, folder: Path, job_log: JobLog, *, by: str | None
    ) -> tuple[DataVersion, bool]:
        """The version, and False when the same content was a version already.

        Args:
            request: what it should hold.
            folder: for files on the way: the checked COCO files and `findings.json`.
            job_log: is told the progress.
            by: id of the account that asked.

        Raises:
            DatasetError: there is nothing, or the checks found an error; nothing was made.
            JobCancelledError: the job log said so; nothing was made.
        """
        images = self._gather(request, job_log)
        manifest = self._split(request, images)
        if (known := self._same_as_newest(manifest)) is not None:
            log.info("nothing changed since data version %d", known.number)
            return known, False
        check = self._check(request, manifest, folder, job_log)
        _refuse(check)
        return self._keep(request, manifest, by), True

    def _gather(self, request: DataRequest, job_log: JobLog) -> list[ManifestImage]:
        with self._store.read() as work:
            labelled, n_waiting = labelled_images(work, request.model_name)
        log.info("%d labelled images, %d more wait in the queue", len(labelled), n_waiting)
        imported: list[ManifestImage] = []
        if request.coco is not None:
            imported = import_coco(
                request.coco,
                request.images_dir or request.coco.parent,
                self._store,
                self._blobs,
                polarity=request.polarity,
                progress=_stage(job_log, 0.0, _IMPORT_SHARE, "imported"),
            )
        images = joined(labelled, imported)
        if not images:
            waiting = f"; {n_waiting} labelled images still wait in the queue" if n_waiting else ""
            raise DatasetError(f"no labelled image of {request.model_name} was found{waiting}")
        return images

    def _split(self, request: DataRequest, images: Sequence[ManifestImage]) -> DataManifest:
        """The images, each in its part: what judged or calibrated once never trains.

        Left out is what trained a version and has to judge: it can do neither any more.
        """
        with self._store.read() as work:
            earlier = work.data_versions.all(request.model_name)
        known: dict[str, Part] = {}
        trained_on, calibrated_on = self._used(request.model_name)
        known |= {image.series: Part.TRAIN for image in images if image.sha256 in trained_on}
        for version in reversed(earlier):
            known |= {
                image.series: image.part for image in self._manifests.read(version.manifest_sha256).images
            }
        known |= dict.fromkeys(calibrated_on, Part.CALIBRATION)
        evaluated = frozenset(self._evaluated(request.model_name))
        known |= {image.series: Part.TEST for image in images if image.sha256 in evaluated}
        parts = assign_parts(
            {image.series for image in images},
            known,
            calibration_share=request.calibration_share,
            test_share=request.test_share,
        )
        placed = [replace(image, part=parts[image.series]) for image in images]
        kept = [one for one in placed if one.part is Part.TRAIN or one.sha256 not in trained_on]
        if len(kept) < len(placed):
            log.info("%d images trained a version and have to judge: left out", len(placed) - len(kept))
        if not kept:
            raise DatasetError("every image trained a version and has to judge: nothing is left")
        parent = earlier[0].manifest_sha256 if earlier else None
        return DataManifest(request.model_name, request.licence, parent, tuple(kept))

    def _used(self, model_name: str) -> tuple[frozenset[str], frozenset[str]]:
        """sha256 of what trained any registered version, and the series that calibrated one."""
        trained_on: set[str] = set()
        calibrated_on: set[str] = set()
        if model_name in self._registry.names():
            for version in self._registry.versions(model_name):
                folder = self._registry.resolve(model_name, version=version.version)[1]
                trained_on |= read_artefact(folder).trained_on
                parts = calibration_parts(folder)
                calibrated_on |= {one.removeprefix("series:") for one in parts if one.startswith("series:")}
        return frozenset(trained_on), frozenset(calibrated_on)

    def _same_as_newest(self, manifest: DataManifest) -> DataVersion | None:
        """The newest version when nothing but its parent differs, else None."""
        if manifest.parent is None:
            return None
        newest = self._manifests.read(manifest.parent)
        if replace(manifest, parent=newest.parent) != newest:
            return None
        with self._store.read() as work:
            return work.data_versions.find(manifest.parent)

    def _check(
        self, request: DataRequest, manifest: DataManifest, folder: Path, job_log: JobLog
    ) -> DataCheck:
        data = folder / "data"
        with_boxes = [image for image in manifest.images if image.boxes or image.ignored]
        clean = [image for image in manifest.images if not image.boxes and not image.ignored]
        files = {
            name: write_coco(data / f"{name}.json", images, self._blobs, are_linked=True)
            for name, images in (("recorded", with_boxes), ("clean", clean))
            if images
        }
        has_champion = "champion" in self._registry.aliases(request.model_name)
        is_held_back = any(image.part is not Part.TRAIN for image in manifest.images)
        check = DataCheckService(self._registry).check(
            CheckRequest(
                recorded=(files["recorded"],) if "recorded" in files else (),
                clean=(files["clean"],) if "clean" in files else (),
                images_dir=data,
                split=write_split(data / "split.yaml", manifest.images),
                model=request.model_name if has_champion and is_held_back else None,
                should_search_copies=request.should_search_copies,
            ),
            progress=_stage(job_log, _IMPORT_SHARE, _CHECK_SHARE, "checked"),
        )
        (folder / "findings.json").write_text(json.dumps(check.to_dict(), indent=1), encoding="utf-8")
        for finding in check.findings:
            log.info("%s", finding)
        return check

    def _keep(self, request: DataRequest, manifest: DataManifest, by: str | None) -> DataVersion:
        sha256 = self._manifests.write(manifest)
        with self._store.write() as work:
            version = DataVersion(
                manifest_sha256=sha256,
                model_name=request.model_name,
                number=work.data_versions.next_number(),
                note=request.note,
                licence=request.licence,
                parent_sha256=manifest.parent,
                counts=manifest.counts(),
                created_by=by,
                created_at=work.now,
            )
            work.data_versions.add(version)
            work.audit.record(
                SYSTEM,
                action="data_version.made",
                object_type="data_version",
                object_id=sha256,
                after=manifest.counts(),
                details={"number": version.number, "model": request.model_name, "asked_by": by or "command"},
            )
        try:
            self._log_dataset(
                model=version.model_name,
                number=version.number,
                manifest=self._manifests.path(sha256),
                counts=dict(version.counts),
            )
        except RegistryUnavailableError as error:
            log.warning("the data version is kept, but not noted in MLflow: %s", error)
        return version


def _stage(job_log: JobLog, start: float, end: float, what: str) -> Callable[[int, int], None]:
    """Reports `done` of `total` as a part of the whole job, and ends it when that is asked for."""

    def progress(done: int, total: int) -> None:
        if job_log.is_cancelled():
            raise JobCancelledError(f"stopped after {done} of {total} images; nothing was made")
        share = start + (end - start) * done / max(total, 1)
        job_log.progress(round(1000 * share), 1000, f"{what} {done} of {total} images")

    return progress


def _refuse(check: DataCheck) -> None:
    """Return when the check found no error.

    Raises:
        DatasetError: names the first five.
    """
    errors = [finding for finding in check.findings if finding.is_error]
    if errors:
        named = "; ".join(
            f"{finding.kind}: {finding.image or ''} {finding.message}" for finding in errors[:_NAMED]
        )
        more = f"; {len(errors) - _NAMED} more in the log" if len(errors) > _NAMED else ""
        raise DatasetError(f"the data checks found {len(errors)} errors, so nothing was made: {named}{more}")
