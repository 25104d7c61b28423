"""Data versions as people see them: the list, their differences, a preview of the next one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.domain.accounts import COMMAND_LINE, Identity
from core.domain.data_manifest import DataManifest, ManifestChanges, difference
from core.domain.errors import BadInputError
from core.domain.permissions import Action, require
from core.domain.radiograph import Polarity
from core.services.datasets.labelled_images import labelled_images
from core.services.jobs.jobs import JobService
from core.store.data_versions import DataVersion
from core.store.manifests import ManifestFiles
from core.store.unit_of_work import Store

#: The kind of job that makes one, and the queue that it waits in: it does not wait for a training.
MAKE_DATA_VERSION = "data version"
LANE = "disk"
_LONGEST_TEXT = 255
_LARGEST_SHARE = 0.8
_NAMED_SETS = 3


@dataclass(frozen=True, slots=True)
class DataRequest:
    """The wanted content of a new data version.

    Attributes:
        model_name: "weld" or "casting".
        licence: what the images may be used for, in words; goes onto the card of what is trained.
        note: why it is made.
        coco, images_dir: a COCO file and its images to import, None for none.
        polarity: of imported images when neither they nor the file say.
        calibration_share, test_share: of the parts, held back from training.
        should_search_copies: False leaves the search for near-duplicates out.
    """

    model_name: str
    licence: str
    note: str = ""
    coco: Path | None = None
    images_dir: Path | None = None
    polarity: Polarity = Polarity.UNKNOWN
    calibration_share: float = 0.2
    test_share: float = 0.2
    should_search_copies: bool = True

    def to_payload(self) -> dict[str, Any]:
        """Plain values for the payload of a job."""
        return {
            "model": self.model_name,
            "licence": self.licence,
            "note": self.note,
            "coco": None if self.coco is None else str(self.coco),
            "images_dir": None if self.images_dir is None else str(self.images_dir),
            "polarity": self.polarity.value,
            "calibration_share": self.calibration_share,
            "test_share": self.test_share,
            "search_copies": self.should_search_copies,
        }


def data_request_from(payload: Mapping[str, Any]) -> DataRequest:
    """The request in a job's payload, as `to_payload` wrote it."""
    coco, images_dir = payload["coco"], payload["images_dir"]
    return DataRequest(
        model_name=payload["model"],
        licence=payload["licence"],
        note=payload["note"],
        coco=None if coco is None else Path(coco),
        images_dir=None if images_dir is None else Path(images_dir),
        polarity=Polarity(payload["polarity"]),
        calibration_share=payload["calibration_share"],
        test_share=payload["test_share"],
        should_search_copies=payload["search_copies"],
    )


@dataclass(frozen=True, slots=True)
class Judging:
    """Images that evaluation sets hold, so that they never train.

    Attributes:
        n_images: such images.
        n_all: out of so many.
        sets: names of the sets.
    """

    n_images: int
    n_all: int
    sets: tuple[str, ...]

    @property
    def words(self) -> str:
        """How many never train and why, without a full stop; empty where there is none."""
        if not self.n_images:
            return ""
        named = "; ".join(self.sets[:_NAMED_SETS])
        rest = len(self.sets) - _NAMED_SETS
        more = f" and {rest} more" if rest > 0 else ""
        lie, train = ("lies", "trains") if self.n_images == 1 else ("lie", "train")
        sets = "an evaluation set" if len(self.sets) == 1 else "evaluation sets"
        return f"{self.n_images:,} of {self.n_all:,} {lie} in {sets} ({named}{more}) and never {train}"


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The content that the next version would have.

    Attributes:
        labelled: labelled images that nobody has to look at again.
        n_new: of them, those that the newest version lacks or has with other boxes.
        n_waiting: labelled images that still wait in the queue.
        judging: those of the labelled that never train.
    """

    labelled: int
    n_new: int
    n_waiting: int
    judging: Judging


class DataVersionService:
    """Data versions of the real workspace.

    Every method raises NotAllowedError for a role without the right to it.

    Args:
        store: where they are listed.
        manifests: where their content lies.
        imports: the only folder that COCO files are imported from, but by commands on the server.
        jobs: make them.
        held_by: gives, of a model, the sha256 of the images of each evaluation set by its name.
    """

    def __init__(
        self,
        store: Store,
        manifests: ManifestFiles,
        imports: Path,
        jobs: JobService,
        *,
        held_by: Callable[[str], Mapping[str, Collection[str]]],
    ) -> None:
        self._store = store
        self._manifests = manifests
        self._imports = imports
        self._jobs = jobs
        self._held_by = held_by

    def all(self, identity: Identity, model_name: str | None = None) -> list[DataVersion]:
        """Every version, the newest first."""
        require(identity, Action.DATA_READ)
        with self._store.read() as work:
            return work.data_versions.all(model_name)

    def numbered(self, identity: Identity, number: int) -> DataVersion:
        """The version that people call so.

        Raises:
            BadInputError: there is none.
        """
        require(identity, Action.DATA_READ)
        with self._store.read() as work:
            found = work.data_versions.numbered(number)
        if found is None:
            raise BadInputError(f"there is no data version {number}")
        return found

    def manifest(self, identity: Identity, version: DataVersion) -> DataManifest:
        """The content of the version.

        Raises:
            DatasetError: its file is missing or was changed.
        """
        require(identity, Action.DATA_READ)
        return self._manifests.read(version.manifest_sha256)

    def difference(self, identity: Identity, before: DataVersion, after: DataVersion) -> ManifestChanges:
        """The changes from one version to another.

        Raises:
            DatasetError: a file is missing or was changed.
        """
        require(identity, Action.DATA_READ)
        return difference(
            self._manifests.read(before.manifest_sha256), self._manifests.read(after.manifest_sha256)
        )

    def preview(self, identity: Identity, model_name: str) -> Preview:
        """The content of the next version without an import."""
        require(identity, Action.DATA_READ)
        with self._store.read() as work:
            labelled, n_waiting = labelled_images(work, model_name)
            versions = work.data_versions.all(model_name)
        known = {}
        if versions:
            newest = self._manifests.read(versions[0].manifest_sha256)
            known = {image.sha256: image.boxes for image in newest.images}
        n_new = sum(known.get(image.sha256) != image.boxes for image in labelled)
        judging = self._judging(model_name, [image.sha256 for image in labelled])
        return Preview(len(labelled), n_new, n_waiting, judging)

    def judging(self, identity: Identity, version: DataVersion) -> Judging:
        """The images of a version that evaluation sets hold.

        Raises:
            DatasetError: a file is missing or was changed.
        """
        images = self.manifest(identity, version).images
        return self._judging(version.model_name, [image.sha256 for image in images])

    def _judging(self, model_name: str, digests: Sequence[str]) -> Judging:
        held = {name: set(digests).intersection(of) for name, of in self._held_by(model_name).items()}
        found = {name: images for name, images in held.items() if images}
        return Judging(len(set().union(*found.values())), len(digests), tuple(sorted(found)))

    def authors(self, identity: Identity, versions: Sequence[DataVersion]) -> dict[str, str]:
        """The name of everybody who made one of the versions, by id."""
        require(identity, Action.DATA_READ)
        ids = {version.created_by for version in versions if version.created_by is not None}
        with self._store.read() as work:
            users = {user_id: work.users.find(user_id) for user_id in ids}
        return {user_id: user.shown_name for user_id, user in users.items() if user is not None}

    def importable(self, identity: Identity) -> list[str]:
        """COCO files in the imports folder, relative to it."""
        require(identity, Action.DATA_MAKE)
        return sorted(path.relative_to(self._imports).as_posix() for path in self._imports.rglob("*.json"))

    def start(self, identity: Identity, request: DataRequest) -> str:
        """The id of the job that makes the version.

        Raises:
            BadInputError: the licence is missing, a share is none, or the COCO file lies elsewhere.
        """
        require(identity, Action.DATA_MAKE)
        _require_sound(request)
        if request.coco is not None and identity.user_id != COMMAND_LINE.user_id:
            request = self._from_imports(request, request.coco)
        return self._jobs.start(identity, MAKE_DATA_VERSION, request.to_payload(), device=LANE)

    def _from_imports(self, request: DataRequest, coco: Path) -> DataRequest:
        """The request with the absolute path of a file in the imports folder; images lie beside it."""
        root = self._imports.resolve()
        path = (root / coco).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise BadInputError(f"{coco}: expected a COCO file in the folder of imports")
        return replace(request, coco=path, images_dir=path.parent)


def _require_sound(request: DataRequest) -> None:
    if not 0 < len(request.licence.strip()) <= _LONGEST_TEXT:
        raise BadInputError(
            f"licence: say in 1 to {_LONGEST_TEXT} characters what the images may be used for"
        )
    shares = (request.calibration_share, request.test_share)
    if min(shares) < 0 or sum(shares) > _LARGEST_SHARE:
        raise BadInputError(f"shares to hold back: expected 0 or more, together at most {_LARGEST_SHARE:g}")
