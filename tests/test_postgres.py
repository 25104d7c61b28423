"""The PostgreSQL server that tests start: where it is missing, and that nothing of it stays behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres import run_postgres


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 passed, 1 skipped"), ("true", "1 passed, 1 error")])
def test_a_missing_server_skips_here_and_fails_in_ci(
    repository: Path, tmp_path: Path, ci: str, outcome: str
) -> None:
    test = "tests/store/test_integrity.py::test_a_new_database_is_whole"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider", test],
        env=os.environ | {"PG_BIN": str(tmp_path), "CI": ci},
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in ran.stdout
    assert "no PostgreSQL: install the package postgresql" in ran.stdout


def test_nothing_of_a_server_stays_behind_when_a_test_fails(postgres_binaries: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_postgres(postgres_binaries, is_durable=True) as server:  # noqa: PT012
        pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        1 / 0  # noqa: B018
    assert not server.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_killed_server_comes_back_with_what_it_acknowledged(postgres_binaries: Path) -> None:
    with run_postgres(postgres_binaries, is_durable=True) as server:
        server.execute("CREATE TABLE acts (n INTEGER)")
        server.execute("INSERT INTO acts VALUES (7)")
        server.kill()
        server.start()
        with psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection:
            assert connection.execute("SELECT n FROM acts").fetchall() == [(7,)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can stop a process with its parent")
def test_a_server_does_not_outlive_a_killed_test_process(postgres_binaries: Path) -> None:
    script = f"""
import os, pathlib, signal
from tests.postgres import run_postgres
with run_postgres(pathlib.Path({str(postgres_binaries)!r}), is_durable=False) as server:
    print(server.folder, (server.folder / "data" / "postmaster.pid").read_text().split()[0], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    folder, pid = killed.stdout.split()
    try:
        assert killed.returncode == -signal.SIGKILL
        limit = time.monotonic() + 20
        while Path(f"/proc/{pid}").exists() and time.monotonic() < limit:
            time.sleep(0.05)
        assert not Path(f"/proc/{pid}").exists()
    finally:
        shutil.rmtree(folder)
