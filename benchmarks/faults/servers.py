"""Two servers on one database: what one is told, the other knows; when one is killed, the other goes on."""

import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.faults.home import Home, assert_whole
from benchmarks.faults.served import Server, fill, person, serving
from core.container import Container
from core.domain.accounts import COMMAND_LINE, Identity, Role
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.domain.records import new_id
from core.domain.serving import CHAMPION, ChangeKind
from core.services.lifecycle.alias_moves import Move
from core.services.training.retraining import RETRAIN
from core.store.jobs import JobState
from tests.records import add_user
from tests.services.learning import noise

MODEL = "weld"
_LIMIT_S = 300.0
#: What somebody is answered who may not have what was asked for.
_REFUSED = {401, 403, 404}


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """The figures of so many rounds: a session, a job and a new champion across both servers.

    Raises:
        AssertionError: the servers disagree, or a job was done twice.
    """
    home = Home.at(folder)
    with home.opened() as services:
        fill(services, folder)
        engineer = add_user(services.store, Role.ML_ENGINEER)
    followed_s: list[float] = []
    with serving(home) as first, serving(home) as second:
        for number in range(rounds):
            here, there = (first, second) if number % 2 == 0 else (second, first)
            with home.opened() as services:
                _session_counts_on_both(services, here, there)
                followed_s.append(_champion_follows(services, here, there))
                _job_is_done_once(services, engineer)
        os.kill(first.pid, signal.SIGKILL)
        began = time.monotonic()
        assert second.health()["models"][MODEL]["usable"], "the other one went, too"
        answered_s = time.monotonic() - began
    with home.opened() as services:
        assert_whole(services)
    return {
        "rounds": rounds,
        "sessions_known_to_both": rounds,
        "jobs_done_once": rounds,
        "longest_until_both_serve_a_new_champion_s": round(max(followed_s), 2),
        "answer_of_the_other_after_one_was_killed_s": round(answered_s, 2),
    }


def _session_counts_on_both(services: Container, here: Server, there: Server) -> None:
    """A session begun on one is known to the other, and ended there, unknown to the first."""
    identity, ticket = person(services)
    film = services.workspace.images.add(identity, noise(1), "film.png", polarity=Polarity.FILM)
    entry = (new_id(), film.sha256, "film.png", Polarity.FILM, MODEL, Setup(), "")
    services.workspace.worklist.put(identity, *entry)
    address = f"/thumbnails/{film.sha256}"
    cookie = here.sign_in(ticket)
    assert [_status(one, address, cookie) for one in (here, there)] == [200, 200]
    stranger = _status(there, address, "")
    assert stranger in _REFUSED, f"it is theirs alone, and a stranger is told {stranger}"
    request = urllib.request.Request(
        f"{there.address}/signout", b"", {"Origin": there.address, "Cookie": cookie}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=120):
        pass
    left = [_status(one, address, cookie) for one in (here, there)]
    assert set(left) <= _REFUSED, f"signed out, and still told {left}"


def _champion_follows(services: Container, *servers: Server) -> float:
    """Seconds until all of them serve the champion that a third process made."""
    services.alias_mover.catch_up()
    seen = services.registry.aliases(MODEL)[CHAMPION]
    services.alias_mover.move(COMMAND_LINE, Move(MODEL, 3 - seen, seen=seen), ChangeKind.PROMOTED)
    began = time.monotonic()
    while any(one.health()["models"][MODEL]["version"] != 3 - seen for one in servers):
        assert time.monotonic() < began + _LIMIT_S, "a server does not follow"
        time.sleep(0.05)
    return time.monotonic() - began


def _job_is_done_once(services: Container, engineer: Identity) -> None:
    """A job that cannot be done is taken by one of the servers, fails, and is not taken by the other."""
    job_id = services.jobs.start(engineer, RETRAIN, {})
    limit = time.monotonic() + _LIMIT_S
    while services.jobs.find(engineer, job_id).state.is_active:
        assert time.monotonic() < limit, "nobody does the job"
        time.sleep(0.2)
    assert services.jobs.find(engineer, job_id).state is JobState.FAILED
    with services.store.read() as work:
        ended = [row for row in work.audit.rows() if row.object_id == job_id and row.action == "job.ended"]
    assert len(ended) == 1, "done twice"


def _status(server: Server, address: str, cookie: str) -> int:
    request = urllib.request.Request(f"{server.address}{address}", headers={"Cookie": cookie})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
