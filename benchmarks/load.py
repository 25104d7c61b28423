"""50 users at once through API and pages. Writes benchmarks/load.json.

Serves the shipped models from a temporary folder on this machine, with an account for each user, and runs
`benchmarks/locustfile.py` by locust (`pip install .[load]`) without its page: two of five users are programs
that call the API, the others are tabs that draw pages over their WebSocket. `make bench-load`, or

    python -m benchmarks.load --users 50 --seconds 300
"""

import argparse
import csv
import json
import os
import platform
import subprocess
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.faults.served import COOKIE, person
from core.config import ROOT, Settings
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE
from core.domain.api_keys import Scope
from tests.e2e.serving import served

RESULT = Path(__file__).with_name("load.json")
_CHAMPIONS = {"weld": ROOT / "models" / "checkpoints" / "weld-v4",
              "casting": ROOT / "models" / "checkpoints" / "casting-v4"}  # fmt: skip


def main() -> None:
    """Run it and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=300)
    asked = parser.parse_args()
    began, before = datetime.now(UTC), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), champions=_CHAMPIONS) as server:
        settings = Settings(_env_file=None, **{key.lower(): v for key, v in server.environment.items()})
        with open_container(settings) as services:
            keys, cookies = _people(services, asked.users)
        lines = _run(
            server.address, keys, cookies, users=asked.users, seconds=asked.seconds, folder=Path(folder)
        )
        with urllib.request.urlopen(f"{server.address}/metrics", timeout=60) as answer:
            told = answer.read().decode()
    result = {
        "measured": began.isoformat(timespec="minutes"),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version()},
        "load_average": {"before": round(before, 1), "after": round(os.getloadavg()[0], 1)},
        "users": asked.users,
        "seconds": asked.seconds,
        "server_memory_mib": round(_metric(told, "process_resident_memory_bytes") / 2**20),
        "requests": lines,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for line in lines:
        print(
            f"{line['name']:36} {line['n']:6} {line['failures']:4} failed, median {line['median_ms']} ms, "
            f"95 % {line['p95_ms']} ms, slowest {line['slowest_ms']} ms"
        )


def _people(services: Container, n: int) -> tuple[list[str], list[str]]:
    """A key and the cookie of a session for each of `n` people."""
    keys, cookies = [], []
    for _ in range(n):
        identity, ticket = person(services)
        scopes = [Scope.DETECT, Scope.READ]
        keys.append(services.api_keys.add(COMMAND_LINE, identity.name, "load", scopes, days=1).token)
        session = services.signing_in.exchange(
            ticket, "load"
        )  # signing in by the page has a limit of its own
        cookies.append(f"{COOKIE}={session}")
    return keys, cookies


def _run(
    address: str, keys: list[str], cookies: list[str], *, users: int, seconds: int, folder: Path
) -> list[dict[str, Any]]:
    """What locust measured: a line for each kind of request."""
    environment = {**os.environ, "RADIKAL_KEYS": " ".join(keys), "RADIKAL_COOKIES": " ".join(cookies)}
    command = [
        sys.executable, "-m", "locust", "--locustfile", str(Path(__file__).with_name("locustfile.py")),
        "--host", address, "--headless", "--users", str(users), "--spawn-rate", "5",
        "--run-time", f"{seconds}s", "--csv", str(folder / "load"), "--only-summary",
        "--exit-code-on-error", "0",
    ]  # fmt: skip
    subprocess.run(command, env=environment, check=True, timeout=seconds + 120, stdout=subprocess.DEVNULL)
    with (folder / "load_stats.csv").open(encoding="utf-8") as file:
        return [
            {
                "name": f"{row['Type']} {row['Name']}".strip(),
                "n": int(row["Request Count"]),
                "failures": int(row["Failure Count"]),
                "median_ms": round(float(row["Median Response Time"] or 0)),
                "p95_ms": round(float(row["95%"])) if row["95%"] != "N/A" else None,
                "slowest_ms": round(float(row["Max Response Time"])),
                "per_second": round(float(row["Requests/s"]), 2),
            }
            for row in csv.DictReader(file)
        ]


def _metric(told: str, name: str) -> float:
    return next(float(line.split()[1]) for line in told.splitlines() if line.startswith(f"{name} "))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
