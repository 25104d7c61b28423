"""How long the page of versions takes with 100 versions. Writes benchmarks/versions.json.

The cache of a registry of 100 weld versions with a shipped card and weights of their own, and 200 moves,
read through the same service as the page; then the whole page by Streamlit's own test runner (no browser, no
network). The first call, which reads every file, is told apart from median and slowest of `REPEATS` others.
"""

import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from safetensors.numpy import load_file, save_file

from core.config import Settings
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.model_version import VersionAbout
from core.domain.records import new_id
from core.domain.serving import ChangeKind, ServingChange
from core.registry.artefact import file_sha256, read_artefact
from core.registry.version_cache import KnownModel, VersionCache
from core.setting_up import CHECKPOINTS
from core.store.clock import now_utc

N_VERSIONS, N_MOVES = 100, 200
REPEATS = 15
LIMIT_MS = 1_000
RESULT = Path(__file__).with_name("versions.json")


def fill_cache(root: Path, n: int) -> None:
    """Put `n` versions that differ in one weight into the cache of a registry."""
    cache, source = VersionCache(root), CHECKPOINTS / "weld-v4"
    weights, card = (
        load_file(source / "weights.safetensors"),
        yaml.safe_load((source / "card.yaml").read_text()),
    )
    name = next(key for key, value in weights.items() if value.size > 1)
    versions = {}
    with tempfile.TemporaryDirectory() as temporary:
        for number in range(1, n + 1):
            folder = Path(temporary) / f"weld-{number}"
            shutil.copytree(source, folder)
            weights[name].flat[0] = number / n
            save_file(weights, folder / "weights.safetensors")
            card["weights_sha256"] = file_sha256(folder / "weights.safetensors")
            (folder / "card.yaml").write_text(yaml.safe_dump(card))
            digest = read_artefact(folder).digest
            cache.store(folder, digest)
            versions[number] = digest
            shutil.rmtree(folder)
    about = {number: VersionAbout(f"{number:032x}", now_utc(), "") for number in versions}
    cache.record({"weld": KnownModel(versions, {"champion": n, "challenger": n - 1}, about)})


def fill_history(services: Container, n: int) -> None:
    """Record `n` moves of the champion, the last of them to the newest version."""
    with services.store.write() as work:
        for move in range(n):
            version = N_VERSIONS if move == n - 1 else move % N_VERSIONS + 1
            work.serving.add(
                ServingChange(
                    new_id(),
                    "weld",
                    "champion",
                    version,
                    "ab" * 32,
                    None,
                    ChangeKind.PROMOTED,
                    work.now,
                )  # fmt: skip
            )


def timed(call: Callable[[], object]) -> dict[str, float]:
    """Milliseconds of the first call, and median and slowest of the others."""
    taken = []
    for _ in range(REPEATS + 1):
        started = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - started))
    first, *others = taken
    return {
        "first_ms": round(first, 1),
        "median_ms": round(statistics.median(others), 1),
        "slowest_ms": round(max(others), 1),
    }


def page_run(services: Container) -> Callable[[], object]:
    """One run of the whole page for an ML engineer who is signed in."""
    from unittest.mock import patch

    from streamlit.testing.v1 import AppTest

    from app.shared.resources import Resources, use_resources
    from app.shared.visitors import SESSION_COOKIE

    use_resources(Resources(services))
    user = services.accounts.add(
        COMMAND_LINE, "m.engineer", "M Engineer", Role.ML_ENGINEER, "three pores in 4 welds"
    ).user
    with services.store.write() as work:
        work.users.set_password(user.user_id, work.users.password_hash(user.user_id), must_change=False)
    token = services.signing_in.exchange(services.signing_in.ticket_for(user.user_id), "benchmark")
    cookies = property(lambda _context: {SESSION_COOKIE: token})
    patch("streamlit.runtime.context.ContextProxy.cookies", cookies).start()
    root = Path(__file__).resolve().parents[1]
    page = AppTest.from_file(str(root / "app" / "main.py"), default_timeout=120)
    page.run().switch_page("../pages/versions.py")

    def run() -> object:
        page.run()
        assert not page.exception
        assert len(page.dataframe[0].value) == N_VERSIONS
        return page

    return run


def main() -> None:
    """Measure and write."""
    somebody = Identity("u-0", "somebody", Role.ML_ENGINEER)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'radikal.db'}",
            mlflow_tracking_uri=f"sqlite:///{folder / 'mlflow.db'}",
        )
        fill_cache(folder / "registry", N_VERSIONS)
        with open_container(settings, newest=True) as services:
            fill_history(services, N_MOVES)
            result: dict[str, Any] = {
                "listing": timed(lambda: services.versions.all(somebody, "weld")),
                "history": timed(lambda: services.alias_history.history(somebody, "weld")),
                "page": timed(page_run(services)),
            }
    is_met = result["page"]["slowest_ms"] <= LIMIT_MS
    content = {
        "what": f"{N_VERSIONS} versions, {N_MOVES} moves, {REPEATS} repeats",
        "limit_ms": LIMIT_MS,
        "is_met": is_met,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "load_average": [round(one, 2) for one in os.getloadavg()],
        **result,
    }
    RESULT.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
