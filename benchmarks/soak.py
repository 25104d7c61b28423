"""Crashes and broken uploads in numbers that `make slow` has no time for. Writes benchmarks/soak.json.

Runs tests/crash and tests/fuzz as they are, with the counts below unless the environment says otherwise, and
keeps the figures that they report; then the campaigns in benchmarks/faults. PostgreSQL is reached by a socket
file, servers of the product listen on this machine alone.
"""

import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

from tests.postgres import find_binaries

ROOT = Path(__file__).resolve().parents[1]
RESULT = Path(__file__).with_name("soak.json")
COUNTS = {"RADIKAL_CRASH_KILLS": "100", "RADIKAL_CRASH_SERVER_KILLS": "20", "RADIKAL_FUZZ_INPUTS": "5000"}
LIMIT_S = 3600


def main() -> int:
    """Run the tests, write, run the campaigns of faults; 0 when all went well. Failures are written down."""
    environment = COUNTS | dict(os.environ)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "-o",
            "junit_family=xunit1",
        ]
        command += [f"--junitxml={report}", "tests/crash", "tests/fuzz"]
        try:
            code = subprocess.run(command, cwd=ROOT, env=environment, timeout=LIMIT_S, check=False).returncode
        except subprocess.TimeoutExpired:
            print(f"stopped after {LIMIT_S} s", file=sys.stderr)
            return 1
        tests = figures(report)
    content = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "asked_for": {name: int(environment[name]) for name in COUNTS},
        "passed": code == 0,
        "wall_s": round(time.perf_counter() - start),
        "tests": tests,
        "faults": kept_faults(),
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))
    faults = subprocess.run([sys.executable, "-m", "benchmarks.faults"], cwd=ROOT, check=False)
    return code or faults.returncode


def kept_faults() -> dict[str, object]:
    """What the campaigns of faults counted last; each is replaced as it ends."""
    known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    found: dict[str, object] = known.get("faults", {})
    return found


def figures(report: Path) -> dict[str, dict[str, object]]:
    """What each test that counted something counted, with its outcome and time; the others as one number."""
    found: dict[str, dict[str, object]] = {}
    n_others = 0
    for case in ET.parse(report).iter("testcase"):
        counted = {item.get("name", ""): value(item.get("value", "")) for item in case.iter("property")}
        is_bad = case.find("failure") is not None or case.find("error") is not None
        if counted or is_bad:
            outcome = "failed" if is_bad else "passed"
            seconds = round(float(case.get("time", "0")), 1)
            found[case.get("name", "")] = {"outcome": outcome, "seconds": seconds, **counted}
        elif case.find("skipped") is None:
            n_others += 1
    return found | {"others": {"passed": n_others}}


def value(text: str) -> object:
    """The number, or whatever else of JSON, that `text` is; else the text."""
    try:
        return round(read, 2) if isinstance(read := json.loads(text), float) else read
    except json.JSONDecodeError:
        return text


def machine() -> str:
    """Cores, memory and system in plain words."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        system = platform.system()
    return f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, {system}"


def versions() -> dict[str, str]:
    """Of what keeps the data."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    if (binaries := find_binaries()) is not None:
        told = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        found["postgresql"] = told.stdout.split()[2]
    return found


if __name__ == "__main__":
    sys.exit(main())
