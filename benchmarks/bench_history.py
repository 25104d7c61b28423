"""How long the history of 100,000 inspections takes to open and to filter. Writes benchmarks/history.json.

A seeded SQLite database in a temporary folder, read through the same service as the page: a page of 50 lines,
the count of all, the inspectors' names. Median and slowest of `REPEATS`, after one call that does not count.
"""

import json
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert

from core.domain.accounts import COMMAND_LINE
from core.domain.indication import IndicationClass
from core.domain.records import Disposition, InspectionState
from core.services.inspections.history import HistoryService
from core.store.account_tables import PersonRow, UserRow
from core.store.audit_trail import open_store
from core.store.database import open_database, upgrade
from core.store.inspection_history import HistoryFilter, found_text, search_words
from core.store.record_tables import InspectionRow
from core.store.tables import ImageRow

N_INSPECTIONS = 100_000
REPEATS = 15
LIMIT_MS = 300
RESULT = Path(__file__).with_name("history.json")
START = datetime(2025, 1, 1, tzinfo=UTC)
_BATCH = 2_000
_CLASSES = [one.value for one in IndicationClass]


def fill(engine: Engine, n: int, seed: int = 4) -> None:
    """Put `n` inspections by 12 inspectors over 20 months into an empty database."""
    chance = random.Random(seed)
    people = [f"u-{number:016x}" for number in range(12)]
    with engine.begin() as connection:
        connection.execute(insert(UserRow), [_user(one) for one in people])
        named = [{"user_id": one, "name": f"inspector{i}", "full_name": f"Inspector {i}"} for i, one in
                 enumerate(people)]  # fmt: skip
        connection.execute(insert(PersonRow), named)
    for begin in range(0, n, _BATCH):
        numbers = range(begin, min(begin + _BATCH, n))
        with engine.begin() as connection:
            connection.execute(insert(ImageRow), [_image(number) for number in numbers])
            connection.execute(
                insert(InspectionRow), [_inspection(number, n, chance, people) for number in numbers]
            )


def filters() -> dict[str, HistoryFilter]:
    """Every filter alone, frequent and rare, and some of them together."""
    part_of_it = {"since": START + timedelta(days=200), "until": START + timedelta(days=230)}
    return {
        "none": HistoryFilter(),
        "text, frequent": HistoryFilter(text="film"),
        "text, one part": HistoryFilter(text="vessel-0417"),
        "text, two words": HistoryFilter(text="vessel w-7"),
        "text, nothing has it": HistoryFilter(text="no such part"),
        "one month": HistoryFilter(**part_of_it),
        "class, frequent": HistoryFilter(indication_class=IndicationClass.POROSITY),
        "class, rare": HistoryFilter(indication_class=IndicationClass.UNDERCUT),
        "disposition": HistoryFilter(disposition=Disposition.REJECT),
        "undecided": HistoryFilter(is_undecided=True),
        "state": HistoryFilter(state=InspectionState.RETURNED),
        "model version, rare": HistoryFilter(model_name="weld", model_version=1),
        "inspector": HistoryFilter(inspector_id=f"u-{3:016x}"),
        "all together": HistoryFilter(
            text="vessel",
            indication_class=IndicationClass.CRACK,
            disposition=Disposition.REJECT,
            state=InspectionState.SIGNED,
            model_name="weld",
            model_version=3,
            inspector_id=f"u-{3:016x}",
            **part_of_it,
        ),
    }


def measure(service: HistoryService) -> dict[str, dict[str, Any]]:
    """Median and slowest time of the first page for each filter, of a page deep inside, of the choices."""
    result = {}
    for name, wanted in filters().items():
        page = service.search(COMMAND_LINE, wanted)
        result[name] = {"found": page.count_words, **_times(lambda w=wanted: service.search(COMMAND_LINE, w))}
    middle = (START + timedelta(days=300), "")
    deep = _times(lambda: service.search(COMMAND_LINE, HistoryFilter(), before=middle))
    result["none, a page in the middle"] = deep
    result["choices of the filters"] = _times(lambda: service.choices(COMMAND_LINE))
    return result


def main() -> None:
    """Fill, measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/history.db")
        upgrade(engine)
        fill(engine, N_INSPECTIONS)
        size_mb = round(sum(one.stat().st_size for one in Path(folder).iterdir()) / 2**20)
        measured = measure(HistoryService(open_store(engine)))
        engine.dispose()
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "sqlite": sqlite3.sqlite_version,
        "n_inspections": N_INSPECTIONS,
        "database_mb": size_mb,
        "limit_ms": LIMIT_MS,
        "slowest_ms": max(one["slowest_ms"] for one in measured.values()),
        "filters": measured,
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def _times(work: Any) -> dict[str, float]:
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


def _user(user_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "role": "inspector", "is_active": True, "password_hash": None,
            "must_change_password": False, "credentials_version": 1, "created_at": START}  # fmt: skip


def _image(number: int) -> dict[str, Any]:
    return {"sha256": f"{number:064x}", "name": f"film {number}.png", "file_format": "PNG", "width": 5000,
            "height": 1300, "bit_depth": 12, "polarity": "film", "n_bytes": 9_000_000, "fields": {},
            "created_at": START}  # fmt: skip


def _inspection(number: int, n: int, chance: random.Random, people: list[str]) -> dict[str, Any]:
    detections = [_detection(chance) for _ in range(chance.choice((0, 2, 5, 12, 40)))]
    setup = {
        "part": f"VESSEL-{chance.randrange(900):04d}",
        "weld_number": f"W-{chance.randrange(60)}",
        "material": "S355",
        "technique": "single wall, single image",
    }
    made = START + timedelta(days=600) * (number / n)
    state = chance.choice(("open", "signed", "signed", "concurred", "concurred", "returned"))
    decided = chance.choice(("accept", "accept", "reject", "refer"))
    disposition = decided if state != "open" else None
    who, name = chance.choice(people), f"film {number}.png"
    return {
        "inspection_id": f"{chance.getrandbits(128):032x}",
        "image_sha256": f"{number:064x}",
        "image_name": name,
        "polarity": "film",
        "inspector_id": who,
        "model_name": "weld",
        "model_version": 1 if chance.random() < 0.002 else chance.choice((2, 3)),
        "model_sha256": "ab" * 32,
        "calibration_id": "0123456789ab",
        "score_cut": 0.15,
        "operating_probability": 0.4,
        "detections": detections,
        "created_at": made,
        "disposition": disposition,
        "standard": "iso-5817",
        "quality_level": "B",
        "note": "",
        "version": 2,
        "updated_at": made,
        "updated_by": who,
        "part": setup["part"],
        "setup": setup,
        "image_quality": {"checks": [{"name": "clipping", "state": "passed", "message": "0.1 %"}] * 4},
        "state": state,
        "search_text": search_words(setup, name),
        "found": found_text(one for one in detections if one["probability"] >= 0.4),
    }


def _detection(chance: random.Random) -> dict[str, Any]:
    x, y = chance.uniform(0, 4900), chance.uniform(0, 1200)
    kind = chance.choices(_CLASSES, (60, 5, 20, 5, 5, 0.01, 5))[0]
    return {
        "bbox": [round(x, 2), round(y, 2), round(x + chance.uniform(5, 90), 2), round(y + 20, 2)],
        "class": kind,
        "iso6520": "201",
        "score": round(chance.random(), 6),
        "probability": round(chance.random(), 6),
    }


if __name__ == "__main__":
    main()
