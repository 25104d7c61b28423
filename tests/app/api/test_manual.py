"""What docs/api.md tells to type works against a server on this machine, as it stands there."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from app.shared.resources import Resources
from core.domain.accounts import Role
from core.domain.api_keys import Scope
from tests.app.api.conftest import new_key, stacked
from tests.workplace import radiograph_png

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "api.md"


@pytest.fixture
def environment(workplace: Resources, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Address and key as environment variables, while a server answers there."""
    server = uvicorn.Server(
        uvicorn.Config(stacked(workplace.services.settings), port=0, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    header = new_key(workplace, Role.INSPECTOR, Scope.DETECT, Scope.READ)["Authorization"]
    url, key = f"http://127.0.0.1:{port}/api/xai-qc", header.removeprefix("Bearer ")
    (tmp_path / "film.png").write_bytes(radiograph_png())
    yield {**os.environ, "RADIKAL_URL": url, "RADIKAL_KEY": key}
    server.should_exit = True
    thread.join()


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
