#!/usr/bin/env python3
"""Looks for known vulnerabilities of what requirements files lock; exit code 1 when there are any.

    .ci/audit.py REQUIREMENTS...

Where the service that knows them cannot be asked, or does not know a package, that is said: it is advice that
could not be had, not a failure, and never "no vulnerabilities".
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LIMIT_S = 600


def report(requirements: str) -> list[dict[str, Any]]:
    """The dependencies as pip-audit tells about them; empty when it could ask nobody."""
    command = [
        str(Path(sys.executable).with_name("pip-audit")),
        *("--disable-pip", "--require-hashes", "--progress-spinner", "off"),
        *("--format", "json", "--requirement", requirements),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
        return list(json.loads(done.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []


def judge(requirements: str, dependencies: list[dict[str, Any]]) -> tuple[list[str], int]:
    """Lines to print about one file, and the number of known vulnerabilities."""
    asked = [one for one in dependencies if "skip_reason" not in one]
    found = [(one, vulnerability) for one in asked for vulnerability in one["vulns"]]
    lines = [
        f"{one['name']} {one['version']}: {vulnerability['id']}, "
        f"fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for one, vulnerability in found
    ]
    lines.append(f"{requirements}: {len(asked)} packages asked about, {len(found)} known vulnerabilities")
    if len(asked) < len(dependencies) or not dependencies:
        unasked = str(len(dependencies) - len(asked)) if dependencies else "all"
        lines.append(f"advisory: {unasked} packages of {requirements} could not be asked about from here")
    return lines, len(found)


def main(files: list[str]) -> int:
    """Ask about every file; the exit code."""
    n_found = 0
    for file in files:
        lines, n = judge(file, report(file))
        print("\n".join(lines))
        n_found += n
    return 1 if n_found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
