"""A process that moves the champion to and fro is killed at random moments.

    python -m benchmarks.faults.promotions ACKNOWLEDGEMENTS

is that process, on the settings of its environment.
"""

import random
import signal
import sys
import time
from pathlib import Path

from benchmarks.faults.home import Acknowledgements, Home, assert_whole
from core.domain.accounts import COMMAND_LINE
from core.domain.serving import CHAMPION, ChangeKind
from core.services.lifecycle.alias_moves import Move
from tests.artefacts import write_artefact

MODEL = "weld"
SEED = 20_262
MOST_MOVES, LONGEST_MOVE_S = 4, 0.3


def run(folder: Path, rounds: int) -> dict[str, int]:
    """The figures of so many kills.

    Raises:
        AssertionError: a move that was acknowledged is missing, or registry, history and audit log differ.
    """
    home, dice = Home.at(folder), random.Random(SEED)
    with home.opened() as services:
        for seed in (1, 2):
            alias = CHAMPION if seed == 1 else None
            services.registry.register(write_artefact(folder / f"v{seed}", seed=seed), alias=alias)
        services.alias_mover.catch_up()
    said = Acknowledgements(folder / "acknowledged")
    n_cut = 0
    for _ in range(rounds):
        process = home.process("-m", "benchmarks.faults.promotions", str(folder / "acknowledged"))
        said.wait_for(1 + dice.randrange(1, MOST_MOVES), process)
        time.sleep(dice.uniform(0, LONGEST_MOVE_S))
        process.send_signal(signal.SIGKILL)
        process.wait()
        with home.opened() as services:
            n_cut = _examined(services, {str(one["change"]) for one in said.read() if "change" in one})
    n_moves = sum("change" in one for one in said.read())
    return {"kills": rounds, "moves_acknowledged": n_moves, "moves_kept_without_author": n_cut}


def _examined(services: object, acknowledged: set[str]) -> int:
    """Number of moves that are known from the registry alone, because the kill came before their record."""
    services.alias_mover.catch_up()
    with services.store.read() as work:
        changes = work.serving.of(MODEL, CHAMPION)
    assert acknowledged <= {one.change_id for one in changes}, "acknowledged, and not there"
    assert services.registry.aliases(MODEL)[CHAMPION] == changes[-1].version, "the history ends elsewhere"
    for before, after in zip(changes, changes[1:], strict=False):
        assert after.previous_version == before.version != after.version
    assert_whole(services)
    outside = [one for one in changes if one.kind is ChangeKind.OUTSIDE]
    assert not acknowledged & {one.change_id for one in outside}
    return len(outside)


def move_for_ever(home: Home, said: Acknowledgements) -> None:
    """Move the champion to the other version, again and again."""
    with home.opened() as services:
        said.write(act="ready")
        while True:
            services.alias_mover.catch_up()
            seen = services.registry.aliases(MODEL)[CHAMPION]
            move = Move(MODEL, 3 - seen, seen=seen)
            change = services.alias_mover.move(COMMAND_LINE, move, ChangeKind.PROMOTED)
            said.write(act="moved", change=change.change_id)


if __name__ == "__main__":
    from core.cli.conventions import read_settings

    settings = read_settings()
    environment = {
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
    }
    move_for_ever(Home(Path(settings.data_dir), environment), Acknowledgements(Path(sys.argv[1])))
