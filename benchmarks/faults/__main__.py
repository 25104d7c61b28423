"""Runs campaigns of faults and writes what they counted into benchmarks/soak.json.

    python -m benchmarks.faults [NAME ...] [--scale SHARE]

Without names all of them, each bounded and ending by itself. `--scale 0.1` does a tenth of everything, for a
machine that has other work; the counts that were done stand in the file, and the load beside.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.faults import (
    NotPossibleHereError,
    backups,
    clocks,
    disk,
    postgres,
    promotions,
    retrainings,
    servers,
    users,
)

RESULT = Path(__file__).resolve().parents[1] / "soak.json"
Campaign = Callable[[Path, int], dict[str, Any]]
#: What to run, and how often at scale 1.
CAMPAIGNS: dict[str, tuple[Campaign, int]] = {
    "date set": (clocks.run, 50),
    "disk full": (disk.run, 20),
    "postgresql restarted": (postgres.run_restarts, 20),
    "postgresql failed over": (postgres.run_failovers, 10),
    "killed while backing up": (backups.run, 40),
    "killed while backing up postgresql": (backups.run_postgresql, 20),
    "killed while promoting": (promotions.run, 20),
    "killed while retraining": (retrainings.run, 6),
    "two servers": (servers.run, 10),
    "users": (users.run_users, 25),
    "tabs": (users.run_tabs, 200),
}


def main(names: list[str], scale: float) -> int:
    """Run, write each result as soon as it is there, and return 1 when one of them failed."""
    is_failed = False
    for name in names or CAMPAIGNS:
        campaign, count = CAMPAIGNS[name]
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="radikal-faults-") as folder:
            try:
                found = {"passed": True} | campaign(Path(folder), max(1, round(scale * count)))
            except NotPossibleHereError as error:
                found = {"passed": None, "told": str(error)}
            except (AssertionError, RuntimeError) as error:
                found, is_failed = {"passed": False, "told": str(error)[:300]}, True
        found |= {
            "date": datetime.now(UTC).date().isoformat(),
            "wall_s": round(time.monotonic() - began),
            "load_average": round(os.getloadavg()[1], 1),
        }
        keep(name, found)
        print(name, json.dumps(found), flush=True)
    return int(is_failed)


def keep(name: str, found: dict[str, Any]) -> None:
    """Write the figures of one campaign beside the others."""
    content = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    content.setdefault("faults", {})[name] = found
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *CAMPAIGNS], metavar="NAME")
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    sys.exit(main(given.names, given.scale))
