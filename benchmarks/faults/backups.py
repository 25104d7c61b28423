"""A process that hands in films and backs them up is killed at random moments.

    python -m benchmarks.faults.backups PLACE ACKNOWLEDGEMENTS FIRST

is that process, on the settings of its environment; its films are counted from FIRST.
"""

import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.faults import NotPossibleHereError
from benchmarks.faults.home import Acknowledgements, Home, assert_whole
from core.backup import back_up
from core.cli.conventions import read_settings
from core.config import Settings
from core.container import open_container
from core.domain.radiograph import Polarity
from core.drill import drill
from core.recovery import Source
from core.services.operations.backing_up import Retention
from core.store.backups.manifest import FileRole
from core.store.backups.place import BackupPlace, open_place
from tests.backups import somebody
from tests.crash.place import SOMEBODY
from tests.empty_stores import upgraded
from tests.postgres import find_binaries, run_postgres
from tests.workplace import radiograph_png

SEED = 20_263
PASSPHRASE = "a passphrase for campaigns"
MOST_BACKUPS, LONGEST_S, KEPT = 3, 0.5, 6
FILMS_A_ROUND = 1_000


def run(folder: Path, rounds: int) -> dict[str, Any]:
    """The figures of so many kills on SQLite, each second one on encrypted backups.

    Raises:
        AssertionError: a backup that was acknowledged is missing or damaged, or one looks whole and is not.
    """
    return _run(Home.at(folder / "var"), folder, rounds)


def run_postgresql(folder: Path, rounds: int) -> dict[str, Any]:
    """The same on PostgreSQL.

    Raises:
        AssertionError: as `run`.
        NotPossibleHereError: there is no PostgreSQL.
    """
    if (binaries := find_binaries()) is None:
        raise NotPossibleHereError("PostgreSQL is not installed")
    home = Home.at(folder / "var")
    with run_postgres(binaries, is_durable=True) as server:
        url = upgraded(server.create_database("campaign"))
        return _run(replace(home, environment={**home.environment, "DATABASE_URL": url}), folder, rounds)


def _run(home: Home, folder: Path, rounds: int) -> dict[str, Any]:
    with home.opened() as services, services.store.write() as work:
        work.users.add(somebody(work.now), password_hash=None)
    dice, said = random.Random(SEED), Acknowledgements(folder / "acknowledged")
    found = {"kills": rounds, "backups_acknowledged": 0, "backups_unheard": 0, "contents_left_behind": 0}
    places = [folder / "backups", folder / "sealed"]
    for number in range(rounds):
        to = places[number % 2]
        arguments = [str(to), str(folder / "acknowledged"), str(number * FILMS_A_ROUND)]
        process = home.process("-m", "benchmarks.faults.backups", *arguments)
        said.wait_for(1 + dice.randrange(1, MOST_BACKUPS), process)
        time.sleep(dice.uniform(0, LONGEST_S))
        process.send_signal(signal.SIGKILL)
        process.wait()
        acknowledged = [str(one["name"]) for one in said.read() if one.get("round") == number * FILMS_A_ROUND]
        place = open_place(to, PASSPHRASE)
        found["backups_unheard"] += _examined(place, acknowledged)
        found["backups_acknowledged"] += len(acknowledged)
        found["contents_left_behind"] += len(_left_behind(place))
    settings = _settings(home)
    for to in places[:rounds]:
        place = open_place(to, PASSPHRASE)
        whole = drill(settings, Source(to, None, PASSPHRASE, None))
        assert whole.examined.findings == ()
        back_up(settings, to, is_sealed=place.is_sealed, passphrase=PASSPHRASE, retention=Retention(KEPT))
        assert _left_behind(place) == [], "the next backup uses or sweeps what a kill left"
    with home.opened() as services:
        assert_whole(services)
    return found


def _examined(place: BackupPlace, acknowledged: list[str]) -> int:
    """Number of backups that were done, but whose acknowledgement the kill cut off; every one is read."""
    names = place.names()
    assert set(acknowledged[-1:]) <= set(names), "acknowledged, and not there"
    for name in names:
        manifest = place.manifest(name)
        assert len(manifest.of_role(FileRole.DATABASE)) == 1
        assert manifest.problems == ()
        for file in manifest.files:
            assert sum(map(len, place.read(file.sha256))) == file.n_bytes
    return len(set(names[-1:]) - set(acknowledged)) if acknowledged else 0


def _left_behind(place: BackupPlace) -> list[Path]:
    needed = {file.sha256 for name in place.names() for file in place.manifest(name).files}
    assert (root := place.folder) is not None
    named = {root / place.stored_as(sha256) for sha256 in needed}
    stored = [*root.glob("objects/??/*"), *root.glob(".incoming-*"), *root.glob(".backup-*")]
    return [path for path in stored if path not in named]


def _settings(home: Home) -> Settings:
    return Settings(_env_file=None, **{name.lower(): value for name, value in home.environment.items()})


def back_up_for_ever(to: Path, said: Acknowledgements, first: int) -> None:
    """Hand in a film, back up, again and again."""
    settings = read_settings()
    said.write(act="ready")
    is_sealed, number = to.name == "sealed", first
    while True:
        with open_container(settings) as services:
            film = radiograph_png(number)
            services.workspace.images.add(SOMEBODY, film, f"{number}.png", polarity=Polarity.FILM)
        done = back_up(
            settings, to, is_sealed=is_sealed, passphrase=PASSPHRASE, retention=Retention(KEPT)
        ).done
        said.write(act="backed up", name=done.name, round=first)
        number += 1


if __name__ == "__main__":
    back_up_for_ever(Path(sys.argv[1]), Acknowledgements(Path(sys.argv[2])), int(sys.argv[3]))
