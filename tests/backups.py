"""An installation with a signed inspection in it, its backups, and what may happen to them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.cli import main
from core.cli.conventions import read_settings
from core.container import Container, open_container
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.radiograph import Polarity
from core.domain.reading import Call, Setup
from core.domain.records import Disposition, InspectionState
from core.services.inspections.inspecting import Decision
from core.store.backups.manifest import FileRole
from core.store.backups.place import open_place
from tests.crash.place import SOMEBODY
from tests.empty_stores import copy_empty_mlflow, upgraded
from tests.records import PASSWORD, detection_result
from tests.workplace import radiograph_png

BY_RULE = Setup(standard="iso-5817", quality_level="B", wall_mm=10, thickness_mm=10)


def run(*arguments: object) -> Result:
    """What `radikal ARGUMENTS` says."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def one_line(result: Result, code: int) -> str:
    """The line on standard error of a command that failed with that code and said nothing else there."""
    lines = [line for line in result.stderr.splitlines() if not line.endswith(" files")]
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert len(lines) == 1, lines
    return lines[0]


@dataclass
class Installation:
    """An installation that the environment names, and where its backups go.

    Attributes:
        folder: holds the data folder, `var`, and the backups, `backups`.
        inspection_id: of the signed inspection.
    """

    folder: Path
    inspection_id: str = ""

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return self.folder / "var"

    @property
    def backups(self) -> Path:
        """The place of backups."""
        return self.folder / "backups"

    @contextmanager
    def opened(self) -> Iterator[Container]:
        """The services."""
        with open_container(read_settings()) as services:
            yield services

    def add_film(self, seed: int) -> str:
        """The digest of one more film."""
        with self.opened() as services:
            data = radiograph_png(seed)
            return services.workspace.images.add(SOMEBODY, data, f"{seed}.png", polarity=Polarity.FILM).sha256

    def lose(self, monkeypatch: pytest.MonkeyPatch, empty_database: str | None) -> None:
        """Delete the data folder, and of a server the database: from now on there is another, empty one."""
        shutil.rmtree(self.data_dir)
        if empty_database is not None:
            monkeypatch.setenv("DATABASE_URL", empty_database)

    def objects(self) -> list[Path]:
        """Every content in the place of backups."""
        return list(self.backups.glob("objects/??/*"))

    def database_object(self, passphrase: str) -> Path:
        """The copy of the database in the only backup."""
        place = open_place(self.backups, passphrase)
        file = place.manifest(place.names()[0]).of_role(FileRole.DATABASE)[0]
        return self.backups / place.stored_as(file.sha256)

    def is_signed(self) -> bool:
        """True when the signed inspection is there, with its signature and its film."""
        with self.opened() as services, services.store.read() as work:
            kept = work.inspections.find(self.inspection_id)
            assert kept is not None
            services.workspace.blobs.get(kept.image_sha256)
            return kept.state is InspectionState.SIGNED


def make_installation(
    folder: Path, monkeypatch: pytest.MonkeyPatch, database_url: str | None
) -> Installation:
    """One with two films and a signed inspection; `database_url` names an empty database of a server."""
    made = Installation(folder)
    url = database_url or f"sqlite:///{made.data_dir / 'radikal.db'}"
    monkeypatch.setenv("DATA_DIR", str(made.data_dir))
    monkeypatch.setenv("DATABASE_URL", url)
    made.data_dir.mkdir(mode=0o700)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", copy_empty_mlflow(made.data_dir / "mlflow.db"))
    upgraded(url)
    with made.opened() as services:
        services.audit.take_up(COMMAND_LINE)
        with services.store.write() as work:
            work.users.add(somebody(work.now), password_hash=None)
        made.inspection_id = signed_inspection(services)
    made.add_film(2)
    return made


def somebody(now) -> User:
    """Who works there."""
    return User(SOMEBODY.user_id, SOMEBODY.name, None, SOMEBODY.role, True, False, 1, now)


def signed_inspection(services: Container) -> str:
    """The id of an inspection that somebody signed: rejected for a crack."""
    admin = Identity(COMMAND_LINE.user_id, COMMAND_LINE.name, Role.ADMIN)
    signer = services.accounts.add(admin, "signer", "A Signer", Role.REVIEWER, PASSWORD).user
    who = Identity(signer.user_id, signer.name, signer.role)
    desk = services.workspace
    film = desk.images.add(who, radiograph_png(1), "film.png", polarity=Polarity.FILM)
    kept = desk.inspections.record(who, detection_result(film, n=1), setup=BY_RULE)
    shown = desk.open_readings.open(who, kept.inspection_id).reading
    called = [replace(one, call=Call.CONFIRMED) for one in shown.indications]
    desk.readings.save(who, kept.inspection_id, called, expected_version=shown.version)
    decision = Decision(Disposition.REJECT)
    version = desk.open_readings.open(who, kept.inspection_id).reading.inspection.version
    desk.inspections.decide(who, kept.inspection_id, decision, expected_version=version)
    seen = desk.open_readings.open(who, kept.inspection_id).reading
    desk.signing_off.sign(
        who,
        kept.inspection_id,
        PASSWORD,
        expected_version=seen.inspection.version,
        expected_reading=seen.version,
        address="127.0.0.1",
    )
    return kept.inspection_id
