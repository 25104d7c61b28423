"""Handing in radiographs, to be inspected at once or by a job."""

import hashlib
import json
from collections.abc import Sequence
from typing import IO, Annotated, Literal

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import Request

from app.api.access import PREFIX, Caller
from app.api.answers import problems
from app.api.jobs import JobAnswer, job_answer
from app.api.problems import kind_of
from app.api.repeats import RepeatKey, done_once
from app.api.schemas import (
    DRIFT,
    QUALIFICATION,
    Detection,
    Familiarity,
    Image,
    ModelUsed,
    RecordId,
    Schema,
    detections_of,
    familiarity_of,
    model_of,
    standing_of,
)
from app.api.turns import in_turn
from app.shared.resources import resources
from core.domain.accounts import Identity
from core.domain.errors import WorkbenchError
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.imaging.limits import MAX_FRAMES
from core.imaging.uploads import IncomingFile
from core.services.intake.asked import Asked
from core.services.intake.inspecting_files import Inspected
from core.services.intake.taking_apart import is_archive_file, radiographs_in

#: More files than these, or bytes of one, are inspected by a job.
MOST_AT_ONCE, LARGE_BYTES = 4, 48 * 2**20
_BLOCK_BYTES = 2**20
router = APIRouter(prefix=PREFIX, tags=["detect"])


class InspectedImage(Schema):
    """A radiograph that was inspected: what the model reported, and the record that keeps it."""

    file: str = Field(description="Name of the file that was handed in.")
    frame: int | None = Field(
        description="Number of the frame or page, counted from 1; null for one picture."
    )
    inspection_id: RecordId
    image: Image
    model: ModelUsed
    threshold: float = Field(description="Probability, 0 to 1, at or above which boxes are reported.")
    n_reported: int = Field(description="Number of boxes that are reported.")
    detections: list[Detection] = Field(
        description="Every box above the score cut, highest score first; those below the threshold, too."
    )
    familiarity: Familiarity | None = Field(description="Null where the version cannot tell.")
    drift: str = Field(description=DRIFT)
    qualification: str = Field(description=QUALIFICATION)
    picked: str = Field(description="Why another model read it than the one asked for; empty where none did.")
    warning: str = Field(description="What the picture has against the stated polarity; empty where nothing.")
    elapsed_ms: float = Field(description="Time of normalising, detecting and calibrating in ms.")


class FailedFile(Schema):
    """A file that was not inspected; the others were."""

    file: str = Field(description="Name of the file that was handed in.")
    type: str = Field(description="Address of the kind of problem on the page of the API.")
    detail: str = Field(description="What was expected, what came, what to do.")


class DetectAnswer(Schema):
    """What came of each file."""

    results: list[InspectedImage] = Field(description="Radiographs that were inspected, in order.")
    failures: list[FailedFile] = Field(description="Files that were not.")


@router.post(
    "/detect",
    summary="Inspect radiographs",
    response_model=DetectAnswer,
    responses={
        **problems(404, 409, 411, 413, 507),
        202: {"model": JobAnswer, "description": "A job inspects them; `Location` is its address."},
    },
)
async def detect(
    request: Request,
    identity: Caller,
    files: Annotated[
        list[UploadFile],
        File(
            min_length=1,
            max_length=MAX_FRAMES,
            description="PNG, JPEG, BMP, TIFF, PGM, NumPy or DICOM radiographs, at native depth, or ZIP "
            f"archives of them; at most {MAX_FRAMES}.",
        ),
    ],
    model: Annotated[
        str, Form(min_length=1, max_length=64, description="Registered name, such as weld or casting.")
    ],
    version: Annotated[
        int | None,
        Form(ge=1, le=2**31 - 1, description="Number of the version; without it the alias counts."),
    ] = None,
    alias: Annotated[
        Literal["champion", "challenger"], Form(description="Alias of the version.")
    ] = "champion",
    polarity: Annotated[
        Literal["film", "digital", "unknown"],
        Form(description="Of files that do not state theirs; unknown lets it be estimated, or refused."),
    ] = "unknown",
    threshold: Annotated[
        float | None,
        Form(
            ge=0,
            le=1,
            description="Probability, 0 to 1, from which boxes are reported; default: the version's.",
        ),
    ] = None,
    part: Annotated[str, Form(max_length=128, description="Name of the part, as it stands in reports.")] = "",
    weld_number: Annotated[str, Form(max_length=128, description="Number of the weld.")] = "",
    as_job: Annotated[
        bool | None,
        Form(
            description="True: a job inspects them; false: at once; without it, a job where there are more "
            f"than {MOST_AT_ONCE} files, an archive, or a file above {LARGE_BYTES // 2**20} MiB."
        ),
    ] = None,
    repeat_key: RepeatKey = None,
) -> JSONResponse:
    """Store each radiograph, let a version read it, and record the inspection in the history.

    The same bytes read by the same version give the inspection of before. One file that fails does not stop
    the others: it stands in `failures`; where all fail, the first problem is the answer. Needs the scope
    `detect`.
    """
    asked = Asked(model, version, alias, Polarity(polarity), Setup(part=part, weld_number=weld_number))
    incoming = [_incoming(file) for file in files]

    def answer() -> JSONResponse:
        by_job = _needs_job(incoming, files) if as_job is None else as_job
        told = [asked.to_dict(), threshold, by_job, [[one.name, _digest(one)] for one in incoming]]
        if by_job:
            made = done_once(
                request, identity, repeat_key, told, lambda: (202, _started(identity, incoming, asked))
            )
            made.headers["Location"] = f"{PREFIX}/jobs/{json.loads(made.body)['job_id']}"
            return made
        return done_once(
            request,
            identity,
            repeat_key,
            told,
            lambda: (200, _inspected(identity, incoming, asked, threshold)),
        )

    return await in_turn(answer)


def _inspected(
    identity: Identity, files: Sequence[IncomingFile], asked: Asked, threshold: float | None
) -> DetectAnswer:
    """What came of each file.

    Raises:
        WorkbenchError: the problem of the first, where nothing was inspected.
    """
    service = resources().services.inspect_files
    results: list[InspectedImage] = []
    failures: list[FailedFile] = []
    first: WorkbenchError | None = None
    for file in files:
        for radiograph, error in radiographs_in(file):
            try:
                if error is not None:
                    raise error
                found = service.inspect(identity, radiograph, asked)
                results.append(inspected_image(file.name, radiograph, found, threshold))
            except WorkbenchError as refused:
                first = first or refused
                kind = kind_of(refused)
                failures.append(
                    FailedFile(file=radiograph.name, type=f"/api/docs#{kind.slug}", detail=f"{refused}.")
                )
    if first is not None and not results:
        raise first
    return DetectAnswer(results=results, failures=failures)


def _started(identity: Identity, files: Sequence[IncomingFile], asked: Asked) -> JobAnswer:
    services = resources().services
    return job_answer(identity, services.intake_jobs.start(identity, files, asked))


def inspected_image(
    file: str, radiograph: IncomingFile, found: Inspected, threshold: float | None
) -> InspectedImage:
    """The answer about one radiograph."""
    inspection, image = found.inspection, found.result.radiograph
    cut = inspection.model.operating_probability if threshold is None else threshold
    detections = detections_of(inspection, cut)
    return InspectedImage(
        file=file,
        frame=radiograph.frame,
        inspection_id=inspection.inspection_id,
        image=Image(
            sha256=image.sha256,
            name=radiograph.name,
            width_px=image.width,
            height_px=image.height,
            bit_depth=image.bit_depth,
            polarity=image.polarity.value,
            polarity_ground=image.polarity_ground.value,
            mm_per_px=image.pitch.mm_per_px if image.pitch else None,
        ),
        model=model_of(inspection),
        threshold=cut,
        n_reported=sum(one.is_reported for one in detections),
        detections=detections,
        familiarity=familiarity_of(inspection),
        **standing_of(inspection),
        picked=found.picked,
        warning=found.warning,
        elapsed_ms=round(found.result.elapsed_ms, 1),
    )


def _incoming(upload: UploadFile) -> IncomingFile:
    """The file that came, read from where it was put when it came."""

    def read() -> bytes:
        upload.file.seek(0)
        return upload.file.read()

    return IncomingFile(upload.filename or "radiograph", read, open=lambda: _Borrowed(upload.file))


class _Borrowed:
    """A file that is read from its beginning and stays open when it is closed: the request closes it."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        self._file = file

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def __enter__(self) -> "_Borrowed":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def close(self) -> None:
        """Leave it open."""


def _needs_job(files: Sequence[IncomingFile], uploads: Sequence[UploadFile]) -> bool:
    if len(files) > MOST_AT_ONCE or any((one.size or 0) > LARGE_BYTES for one in uploads):
        return True
    return any(is_archive_file(file) for file in files)


def _digest(file: IncomingFile) -> str:
    digest = hashlib.sha256()
    with file.opened() as opened:
        while block := opened.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
