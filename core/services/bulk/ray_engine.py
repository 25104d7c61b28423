"""Workers of a Ray cluster through Ray Data: one actor a worker, on as much of a GPU as asked for.

Ray restarts an actor whose process or machine died and gives its files to another one. Results come back in
blocks, so that a death costs the readings of a block at most. A reader that fails to start fails the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from core.engine.ray_session import ray_session
from core.services.bulk.archive import ArchiveFile
from core.services.bulk.reader import FileOutcome, PictureReading, Reader, ReaderSpec

_FILES_A_BLOCK = 8
_MOST_BLOCKS = 10_000


def read_on_ray(
    spec: ReaderSpec, files: Sequence[ArchiveFile], *, n_workers: int, gpus_each: float = 0.0
) -> Iterator[FileOutcome]:
    """What comes of each file, block by block.

    The cluster is the one that `RAY_ADDRESS` names, else a new one on this machine for as long as this takes.

    Raises:
        ConfigurationError: Ray is not installed.
    """
    with ray_session():
        import ray

        ray.data.DataContext.get_current().enable_progress_bars = False
        n_blocks = max(1, min(_MOST_BLOCKS, -(-len(files) // _FILES_A_BLOCK)))
        listed = ray.data.from_items(
            [{"name": file.name, "stamp": file.stamp} for file in files], override_num_blocks=n_blocks
        )
        read = listed.map(
            _RayReader,
            fn_constructor_args=(ray.put(spec),),
            compute=ray.data.ActorPoolStrategy(size=n_workers, max_tasks_in_flight_per_actor=2),
            num_cpus=1,
            num_gpus=gpus_each,
            max_restarts=-1,
            max_task_retries=-1,
        )
        for row in read.iter_rows():
            yield _outcome(row)


class _RayReader:
    """What an actor runs."""

    def __init__(self, spec: Any) -> None:
        import ray

        self._reader = Reader(ray.get(spec) if isinstance(spec, ray.ObjectRef) else spec)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        found = asdict(self._reader.read(str(row["name"]), str(row["stamp"])))
        return {**found, "readings": list(found["readings"]), "problems": list(found["problems"])}


def _outcome(row: dict[str, Any]) -> FileOutcome:
    return FileOutcome(
        str(row["name"]),
        str(row["stamp"]),
        tuple(PictureReading(**one) for one in row["readings"]),
        tuple(str(one) for one in row["problems"]),
        bool(row["is_radiograph"]),
    )
