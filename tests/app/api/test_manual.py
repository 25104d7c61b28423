"""What docs/api.md tells to type works against a server on this machine, as it stands there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "api.md"


def block(title: str) -> str:
    """The first block of code below a heading."""
    section = MANUAL.read_text(encoding="utf-8").split(f"\n## {title}\n")[1]
    found = re.search(r"```\w+\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_lines_of_curl(environment: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    script = f"set -e\n{block('With curl')}".replace("curl -H", "curl -sSf -H")
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert '"inspection_id"' in done.stdout
    assert '"n_found":1' in done.stdout


def test_the_lines_of_python(environment: dict[str, str], tmp_path: Path) -> None:
    lines = block("With Python")
    assert len([line for line in lines.splitlines() if line]) <= 10
    check = 'assert report.content.startswith(b"%PDF")\n'
    command = [sys.executable, "-c", lines + check]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "unclassified" in done.stdout
