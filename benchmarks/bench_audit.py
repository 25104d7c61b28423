"""How long `radikal audit verify` takes with 100,000 events. Writes benchmarks/audit.json.

An installation in a temporary folder, filled through the program's own transactions: 16,667 films that were
handed in, inspected, read, decided and signed, and a sign-in each; six events a film, originals of 4 KiB. The
command runs as a process of its own, from its start to its end, on SQLite and, where its programs are
installed, on a copy in PostgreSQL. Originals of a real installation are read on top, as fast as its disk is.

    .venv/bin/python -m benchmarks.bench_audit [FOLDER]

FOLDER keeps what was filled, which takes minutes, for the next time.
"""

import hashlib
import json
import os
import platform
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, ColumnElement, DateTime, delete

from core.config import Settings
from core.container import Container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.store.account_tables import UserRow
from core.store.database import open_database, upgrade
from core.store.record_tables import (
    AnnotationRow,
    AuditHeadRow,
    InspectionRow,
    SignatureRow,
    SignedJudgementRow,
)
from core.store.schema import METADATA
from core.store.tables import ImageRow
from core.store.unit_of_work import Work
from tests.postgres import find_binaries, run_postgres

N_FILMS = 16_667
LIMIT_S = 60
RESULT = Path(__file__).with_name("audit.json")
_BATCH = 500
_ORIGINAL_BYTES = 4_096


class Filling:
    """Acts on an installation that has one inspector, whose films are numbered.

    Args:
        services: of an installation at the newest schema, without films.
    """

    def __init__(self, services: Container) -> None:
        self._services = services
        added = services.accounts.add(COMMAND_LINE, "eye", "An inspector", Role.INSPECTOR, "a long password")
        self._who = Identity(added.user.user_id, "eye", Role.INSPECTOR)
        self._chance = random.Random(7)

    def run(self, n_films: int) -> None:
        """Put so many films through their six acts, a batch at a time."""
        acts = (self._hand_in, self._inspect, self._read, self._decide, self._sign, self._sign_in)
        for begin in range(0, n_films, _BATCH):
            films = range(begin, min(begin + _BATCH, n_films))
            digests = [self._original(number) for number in films]
            for act in acts:
                with self._services.store.write() as work:
                    for number, sha256 in zip(films, digests, strict=True):
                        act(work, number, sha256)

    def _original(self, number: int) -> str:
        """The digest of an original that lies in its place now; not flushed, unlike a real one."""
        data = random.Random(number).randbytes(_ORIGINAL_BYTES)
        path = self._services.blobs.path(sha256 := hashlib.sha256(data).hexdigest())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return sha256

    def _hand_in(self, work: Work, number: int, sha256: str) -> None:
        row = ImageRow(
            sha256=sha256, file_sha256=sha256, name=f"film {number}.png", file_format="PNG", width=5000,
            height=1300, bit_depth=12, polarity="film", n_bytes=_ORIGINAL_BYTES, created_at=work.now,
            fields={"Manufacturer": "none", "KVP": "160"}, uploaded_by=self._who.user_id,
        )  # fmt: skip
        work._session.add(row)
        self._tell(work, "image.added", sha256)

    def _inspect(self, work: Work, number: int, sha256: str) -> None:
        row = InspectionRow(
            inspection_id=f"{number:032x}", image_sha256=sha256, image_name=f"film {number}.png",
            polarity="film", inspector_id=self._who.user_id, model_name="weld", model_version=3,
            model_sha256="ab" * 32, calibration_id="0123456789ab", score_cut=0.15, operating_probability=0.4,
            detections=[self._box() for _ in range(self._chance.choice((0, 2, 5, 12, 40)))],
            created_at=work.now, note="", version=1, updated_at=work.now, part="VESSEL-1",
            setup={"material": "S355", "technique": "single wall, single image"}, state="open",
            image_quality={"checks": [{"name": "clipping", "state": "passed", "message": "0.1 %"}] * 4},
        )  # fmt: skip
        work._session.add(row)
        self._tell(work, "inspection.recorded", f"{number:032x}")

    def _read(self, work: Work, number: int, sha256: str) -> None:
        row = AnnotationRow(
            annotation_id=f"{number:032x}", image_sha256=sha256, track=f"{number:032x}",
            inspection_id=f"{number:032x}", version=1, source="human", author_id=self._who.user_id,
            boxes=[self._box() for _ in range(self._chance.choice((0, 2, 5, 12)))], note="",
            created_at=work.now,
        )  # fmt: skip
        work._session.add(row)
        self._tell(work, "reading.saved", f"{number:032x}")

    def _decide(self, work: Work, number: int, _sha256: str) -> None:
        row = work._session.get_one(InspectionRow, f"{number:032x}")
        row.disposition, row.version = "reject", 2
        self._tell(work, "inspection.decided", f"{number:032x}")

    def _sign(self, work: Work, number: int, _sha256: str) -> None:
        row = work._session.get_one(InspectionRow, f"{number:032x}")
        row.state = "signed"
        signature = SignatureRow(
            signature_id=f"{number:032x}", inspection_id=f"{number:032x}", inspection_version=2,
            signer_id=self._who.user_id, meaning="reading", content_sha256="cd" * 32, signed_at=work.now,
            seal="ef" * 32,
        )  # fmt: skip
        work._session.add(signature)
        verdict = {"outcome": "reject", "reasons": ["crack: not permitted at level B"] * 4}
        work._session.add(SignedJudgementRow(signature_id=f"{number:032x}", judgement=verdict))
        self._tell(work, "inspection.signed", f"{number:032x}")

    def _sign_in(self, work: Work, _number: int, _sha256: str) -> None:
        work._session.get_one(UserRow, self._who.user_id).signed_in_at = work.now
        self._tell(work, "session.started", self._who.user_id)

    def _tell(self, work: Work, action: str, object_id: str) -> None:
        kind = action.partition(".")[0]
        work.audit.record(
            self._who, action=action, object_type=kind, object_id=object_id, details={"n_bytes": 9_000_000}
        )

    def _box(self) -> dict[str, Any]:
        x, y = round(self._chance.uniform(0, 4900), 2), round(self._chance.uniform(0, 1200), 2)
        score = round(self._chance.random(), 6)
        return {"bbox": [x, y, x + 40, y + 20], "class": "porosity", "score": score, "probability": score}


def fill(folder: Path) -> str:
    """The URL of the SQLite database of an installation that is filled in `folder`, or was before."""
    settings = Settings(
        _env_file=None, data_dir=folder / "var", database_url=f"sqlite:///{folder}/radikal.db"
    )
    if not (folder / "radikal.db").exists():
        with closing(Container(settings, hash_cost=4)) as services:
            upgrade(services.database)
            services.audit.take_up(COMMAND_LINE)
            Filling(services).run(N_FILMS)
    return settings.database_url


def copy(source: Path, target_url: str) -> None:
    """Put every row of a file of SQLite into another database, a new one, value for value."""
    target = open_database(target_url)
    upgrade(target)
    with closing(sqlite3.connect(source)) as reading, target.begin() as writing:
        writing.execute(delete(AuditHeadRow))
        for table in METADATA.sorted_tables:
            names = ", ".join(column.name for column in table.columns)
            places = ", ".join(["%s"] * len(table.columns))
            into = f"INSERT INTO {table.name} ({names}) VALUES ({places})"
            rows = reading.execute(f"SELECT {names} FROM {table.name}")
            while some := rows.fetchmany(_BATCH):
                writing.exec_driver_sql(into, [tuple(map(_as_other, table.columns, row)) for row in some])
    target.dispose()


def _as_other(column: ColumnElement[Any], value: Any) -> Any:
    """A value of SQLite as other databases take it."""
    if value is None:
        return None
    kind = getattr(column.type, "impl", column.type)
    return (
        bool(value) if isinstance(kind, Boolean) else f"{value}+00" if isinstance(kind, DateTime) else value
    )


def measure(data_dir: Path, database_url: str) -> dict[str, Any]:
    """What verifying an installation says, and the seconds and memory that it takes."""
    environment = os.environ | {"DATA_DIR": str(data_dir), "DATABASE_URL": database_url}
    command = [Path(sys.executable).with_name("radikal"), "audit", "verify", "--json"]
    start, before_kib = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = subprocess.run(command, env=environment, capture_output=True, timeout=1_200, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(f"not whole: {(done.stdout + done.stderr).decode()[:2_000]}")
    result = json.loads(done.stdout)
    peak_kib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "seconds": round(seconds, 1),
        "memory_mib": round(peak_kib / 1024) if peak_kib > before_kib else None,
        "n_events": result["n_events"],
        "records": result["records"],
    }


def main(folder: Path) -> None:
    """Fill, verify and write, on each database."""
    url = fill(folder)
    measured = {"sqlite": measure(folder / "var", url)}
    if (binaries := find_binaries()) is not None:
        with tempfile.TemporaryDirectory() as other, run_postgres(binaries, is_durable=False) as server:
            copied, data_dir = server.create_database("radikal"), Path(other) / "var"
            copy(folder / "radikal.db", copied)
            shutil.copytree(folder / "var", data_dir)
            measured["postgresql"] = measure(data_dir, copied)
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": _machine(),
        "load_average": round(os.getloadavg()[0], 1),
        "limit_s": LIMIT_S,
        "measured": measured,
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


def _machine() -> str:
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{os.cpu_count()} cores, {gib:.0f} GiB, {system}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
