"""An archive of any size read once: readings are stored as they come, and a run that was killed goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.domain.errors import ModelNotFoundError
from core.domain.kinds import model_for_new_parts
from core.domain.ports import ModelSource
from core.domain.radiograph import Polarity
from core.domain.serving import CHAMPION
from core.reports.bulk_report import bulk_report, most_telling
from core.reports.bulk_tables import DETECTIONS, PICTURES, detection_rows, picture_row, write_table
from core.services.bulk.archive import ArchiveFile, open_archive
from core.services.bulk.ledger import Ledger
from core.services.bulk.reader import FileOutcome, ReaderSpec
from core.services.inference.packed_version import PackedVersion
from core.store.clock import now_utc
from core.store.whole_file import write_whole

#: Reads the files that are left, in any order.
Engine = Callable[[ReaderSpec, Sequence[ArchiveFile]], Iterator[FileOutcome]]
Progress = Callable[[int, int, float], None]
PICTURES_FILE, DETECTIONS_FILE, REPORT, PROBLEMS = (
    "pictures.parquet",
    "detections.parquet",
    "report.html",
    "problems.txt",
)


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What a run came to.

    Attributes:
        counts: as `Ledger.counts` has them.
        n_read_now: files that this run read itself; the others had been read before.
        seconds: that it took them.
    """

    counts: dict[str, int]
    n_read_now: int
    seconds: float


class BulkService:
    """Reads archives.

    Args:
        models: knows which versions serve.
        device: as `DetectService` takes it.
    """

    def __init__(self, models: ModelSource, *, device: str) -> None:
        self._models = models
        self._device = device

    def read(
        self,
        place: str,
        out: Path,
        engine: Engine,
        *,
        model: str,
        version: int | None = None,
        alias: str = CHAMPION,
        polarity: Polarity = Polarity.UNKNOWN,
        n_threads: int = 1,
        tell: Progress = lambda _done, _total, _seconds: None,
    ) -> BulkResult:
        """Read every file of the archive that `out` does not hold yet, then write tables and report.

        Args:
            place: as `open_archive` takes it.
            out: folder of the run; a run that was killed goes on from what it holds.
            engine: reads.
            model: that reads; with its champion, the model for new parts may step in.
            version: of it; wins over `alias`.
            alias: of the version.
            polarity: of files that do not say.
            n_threads: of one worker.
            tell: files done now, files to be done now, seconds so far.

        Raises:
            BadInputError: no such place, nothing in it, or `out` holds another run.
            ModelNotFoundError: there is no such version.
        """
        spec = self._spec(place, model, version, alias, polarity, n_threads)
        listed = open_archive(place).files()
        run = _described(spec)
        ledger = Ledger(out, run)
        try:
            left = ledger.open_files(listed)
            started = time.monotonic()
            for n_done, outcome in enumerate(engine(spec, left) if left else (), 1):
                ledger.keep(outcome)
                tell(n_done, len(left), time.monotonic() - started)
            result = BulkResult(ledger.counts(), len(left), time.monotonic() - started)
            _write(out, ledger, run, result)
        finally:
            ledger.close()
        return result

    def _spec(
        self, place: str, model: str, version: int | None, alias: str, polarity: Polarity, n_threads: int
    ) -> ReaderSpec:
        served = [self._models.resolve(model, version=version, alias=alias)]
        other = model_for_new_parts(model) if version is None and alias == CHAMPION else None
        if other is not None:
            with suppress(ModelNotFoundError):  # where none serves, what was asked for reads everything
                served.append(self._models.resolve(other))
        packed = tuple(PackedVersion.of(*one) for one in served)
        return ReaderSpec(place, model, packed, polarity, self._device, n_threads)


def _described(spec: ReaderSpec) -> dict[str, str]:
    """What must be the same when a run goes on."""
    reader = spec.versions[0].version
    others = ", ".join(f"{one.version.name} v{one.version.version}" for one in spec.versions[1:])
    return {
        "place": spec.place,
        "model": reader.name,
        "version": str(reader.version),
        "weights": reader.sha256,
        "calibration": reader.calibration.calibration_id,
        "polarity": spec.polarity.value,
        "beside": others or "none",
    }


def _write(out: Path, ledger: Ledger, run: dict[str, str], result: BulkResult) -> None:
    """Tables, report and problems, each whole or not there."""

    def pictures() -> Iterator[dict[str, Any]]:
        return (picture_row(file, document) for file, document in ledger.readings())

    def detections() -> Iterator[dict[str, Any]]:
        seen: set[tuple[str, int | None]] = set()
        for _, document in ledger.readings():
            picture = (document["image"]["sha256"], document["image"].get("frame"))
            if picture not in seen:  # two files of the same content have one reading
                seen.add(picture)
                yield from detection_rows(document)

    for name, schema, rows in (
        (PICTURES_FILE, PICTURES, pictures()),
        (DETECTIONS_FILE, DETECTIONS, detections()),
    ):
        unfinished = out / f".{name}"
        write_table(unfinished, schema, rows)
        unfinished.replace(out / name)
    problems = [problem for _, problem in ledger.problems()]
    write_whole(out / PROBLEMS, "".join(f"{problem}\n" for problem in problems).encode())
    counts = result.counts
    figures = [
        ("Files", f"{counts['files']:,}"),
        ("of those no radiographs", f"{counts['other_files']:,}"),
        ("with something that could not be read", f"{counts['files_with_problems']:,}"),
        ("Pictures", f"{counts['pictures']:,}"),
        ("Pictures of distinct content", f"{counts['readings']:,}"),
    ]
    page = bulk_report(
        run, figures, most_telling(pictures()), problems, n_pictures=counts["pictures"], written_at=now_utc()
    )
    write_whole(out / REPORT, page.encode())
