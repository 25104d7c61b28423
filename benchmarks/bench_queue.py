"""How long the queue of corrections takes with 100,000 items and annotations. Writes benchmarks/queue.json.

A seeded SQLite database in a temporary folder: 10,000 images, each with an inspection, ten items of the
queue and ten versions of labels. Read through the same services as the pages: a page of 50 lines with its
counts, the next image, the labels of an image, a save, and the export of all labels. Median and slowest of
`REPEATS`, after one call that does not count.
"""

import json
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Engine, insert

from core.domain.accounts import Identity, Role
from core.domain.correction import CorrectionCase, FoundBox, Origin, Reason
from core.domain.indication import IndicationClass
from core.domain.labels import Label
from core.domain.records import LABELS
from core.labelling.entries import LabelFormat
from core.services.workspaces import Workspace, make_workspace
from core.store.account_tables import PersonRow, UserRow
from core.store.audit_trail import open_store
from core.store.database import open_database, upgrade
from core.store.learning_tables import QueueItemRow
from core.store.queue import QueueFilter, QueueState
from core.store.record_tables import AnnotationRow, InspectionRow
from core.store.tables import ImageRow

N_IMAGES, N_EACH = 10_000, 10
REPEATS = 15
LIMIT_MS = 1_000
RESULT = Path(__file__).with_name("queue.json")
START = datetime(2025, 1, 1, tzinfo=UTC)
WHO = Identity(f"u-{1:016x}", "annotator1", Role.ANNOTATOR)
_BATCH = 500
_CLASSES = list(IndicationClass)


def fill(engine: Engine, n_images: int, seed: int = 6) -> None:
    """Put images with inspections, queue items and versions of labels into an empty database."""
    chance = random.Random(seed)
    with engine.begin() as connection:
        people = [f"u-{number:016x}" for number in range(12)]
        connection.execute(insert(UserRow), [_user(one) for one in people])
        named = [{"user_id": one, "name": f"annotator{i}", "full_name": f"Annotator {i}"} for i, one in
                 enumerate(people)]  # fmt: skip
        connection.execute(insert(PersonRow), named)
    for begin in range(0, n_images, _BATCH):
        numbers = range(begin, min(begin + _BATCH, n_images))
        with engine.begin() as connection:
            connection.execute(insert(ImageRow), [_image(one) for one in numbers])
            connection.execute(insert(InspectionRow), [_inspection(one, chance) for one in numbers])
            items = [_item(one, k, chance) for one in numbers for k in range(N_EACH)]
            connection.execute(insert(QueueItemRow), items)
            versions = [_labels(one, k, chance) for one in numbers for k in range(N_EACH)]
            connection.execute(insert(AnnotationRow), versions)


def measure(desk: Workspace, folder: Path) -> dict[str, dict[str, Any]]:
    """Median and slowest time of what the pages ask for."""
    queue, labels = desk.queue, desk.labels
    middle = queue.page(WHO, QueueFilter(), limit=50)
    for _ in range(20):
        middle = queue.page(WHO, QueueFilter(), limit=50, before=middle.next_place)
    filters = {
        "open": QueueFilter(),
        "every state": QueueFilter(state=None),
        "one reason": QueueFilter(reason=Reason.READERS),
        "done": QueueFilter(state=QueueState.DONE),
        "name, rare": QueueFilter(text="film 417.png"),
        "name, nothing has it": QueueFilter(text="no such image"),
        "meant for one person": QueueFilter(assigned_to=WHO.user_id),
    }
    work: dict[str, Callable[[], object]] = {
        f"queue page, {name}": lambda w=wanted: queue.page(WHO, w, limit=50)  # type: ignore[misc]
        for name, wanted in filters.items()
    }
    work["queue page, in the middle"] = lambda: queue.page(
        WHO, QueueFilter(), limit=50, before=middle.next_place
    )
    work["catching up on 200 inspections"] = lambda: _caught_up(desk)
    work["taking the next image"] = lambda: queue.take_next(WHO)
    work["label page"] = lambda: labels.open(WHO, _digest(4_711))
    work["looking who holds an image"] = lambda: queue.hold(WHO, _digest(4_711))
    work["saving 10 labels"] = lambda: _save(desk, _digest(4_712))
    measured = {name: _times(one) for name, one in work.items()}
    with (folder / "labels.zip").open("w+b") as target:
        measured["export of all labels as COCO, not a page"] = _once(desk, target)
    return measured


def main() -> None:
    """Fill, measure and write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = open_database(f"sqlite:///{folder}/queue.db")
        upgrade(engine)
        fill(engine, N_IMAGES)
        size_mb = round(sum(one.stat().st_size for one in folder.iterdir()) / 2**20)
        measured = measure(make_workspace("", open_store(engine), folder / "originals"), folder)
        engine.dispose()
    pages = [one["slowest_ms"] for key, one in measured.items() if not key.startswith("export")]
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "sqlite": sqlite3.sqlite_version,
        "n_images": N_IMAGES,
        "n_items": N_IMAGES * N_EACH,
        "n_annotations": N_IMAGES * N_EACH,
        "database_mb": size_mb,
        "limit_ms": LIMIT_MS,
        "slowest_ms": max(pages),
        "measured": measured,
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def _caught_up(desk: Workspace) -> int:
    desk.queue._looked_until = None  # as in a process that has just started
    return desk.queue.catch_up(WHO)


def _save(desk: Workspace, sha256: str) -> None:
    version = desk.labels.open(WHO, sha256).version
    boxes = [Label(f"h{n}", (10.0 * n, 10, 10.0 * n + 8, 30 + version), _CLASSES[n % 7]) for n in range(10)]
    desk.labels.save(WHO, sha256, boxes, expected_version=version)


def _once(desk: Workspace, target: IO[bytes]) -> dict[str, float]:
    start = time.perf_counter()
    desk.label_files.export(WHO, target, LabelFormat.COCO, with_images=False)
    spent = round((time.perf_counter() - start) * 1000, 1)
    return {"median_ms": spent, "slowest_ms": spent}


def _times(work: Callable[[], object]) -> dict[str, float]:
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return {"median_ms": round(statistics.median(times), 1), "slowest_ms": round(max(times), 1)}


def _machine() -> str:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{os.cpu_count()} cores, {gib:.0f} GiB, {system}"


def _digest(number: int) -> str:
    return f"{number:064x}"


def _user(user_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "role": "annotator", "is_active": True, "password_hash": None,
            "must_change_password": False, "credentials_version": 1, "created_at": START}  # fmt: skip


def _image(number: int) -> dict[str, Any]:
    return {"sha256": _digest(number), "name": f"film {number}.png", "file_format": "PNG", "width": 5000,
            "height": 1300, "bit_depth": 12, "polarity": "film", "n_bytes": 9_000_000, "fields": {},
            "created_at": START}  # fmt: skip


def _inspection(number: int, chance: random.Random) -> dict[str, Any]:
    made = START + timedelta(minutes=number)
    detections = [
        {"bbox": list(one.bbox), "class": one.indication_class.value, "iso6520": None, "score": 0.5,
         "probability": one.probability}
        for one in (_box(chance) for _ in range(12))
    ]  # fmt: skip
    return {
        "inspection_id": f"{number:032x}", "image_sha256": _digest(number),
        "image_name": f"film {number}.png", "polarity": "film", "inspector_id": None, "model_name": "weld",
        "model_version": 2, "model_sha256": "ab" * 32, "calibration_id": "0123456789ab", "score_cut": 0.15,
        "operating_probability": 0.4, "detections": detections, "created_at": made, "disposition": "accept",
        "standard": None, "quality_level": None, "note": "", "version": 2, "updated_at": made,
        "updated_by": None, "part": "", "setup": {}, "image_quality": None, "state": "signed",
        "search_text": "", "found": "",
    }  # fmt: skip


def _box(chance: random.Random) -> FoundBox:
    x, y = round(chance.uniform(0, 4900), 2), round(chance.uniform(0, 1200), 2)
    return FoundBox((x, y, x + 40, y + 20), chance.choice(_CLASSES), chance.random(), Origin.MODEL)


def _item(number: int, k: int, chance: random.Random) -> dict[str, Any]:
    boxes = tuple(_box(chance) for _ in range(chance.choice((1, 1, 2, 5))))
    finding = CorrectionCase(list(Reason)[k % 7], _digest(number), f"{number:032x}", "weld", 0.4, boxes)
    state = chance.choice(("open", "open", "done", "skipped"))
    return {
        "item_id": f"{number * N_EACH + k:032x}", "finding_key": f"{finding.key}-{k}",
        "image_sha256": finding.image_sha256, "inspection_id": finding.inspection_id, "model_name": "weld",
        "reason": finding.reason.value, "detail": {"boxes": [one.to_dict() for one in boxes]},
        "priority": finding.priority, "state": state,
        "assigned_to": f"u-{chance.randrange(12):016x}" if chance.random() < 0.1 else None,
        "leased_by": None, "leased_until": None, "note": "", "version": 1, "created_at": START,
        "updated_at": START, "closed_by": None,
    }  # fmt: skip


def _labels(number: int, k: int, chance: random.Random) -> dict[str, Any]:
    boxes = [
        Label(f"h{n}", one.bbox, one.indication_class).to_box()
        for n, one in enumerate((_box(chance) for _ in range(5)), 1)
    ]
    return {"annotation_id": f"{number * N_EACH + k:032x}", "image_sha256": _digest(number), "track": LABELS,
            "inspection_id": None, "version": k + 1, "source": "human", "author_id": WHO.user_id,
            "model_name": None, "model_version": None, "boxes": boxes, "note": "",
            "created_at": START}  # fmt: skip


if __name__ == "__main__":
    main()
