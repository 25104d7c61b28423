"""A bad release: the one before refuses its database, and the backup from before brings all back."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from core.cli.conventions import read_settings
from core.domain.errors import ConfigurationError
from core.setting_up import require_ready
from core.store.database import MIGRATIONS, known_revisions, open_database, writing
from tests.backups import Installation, make_installation, one_line, run
from tests.conftest import ON_EACH_DATABASE

OF_NEXT_RELEASE = '''"""What the next release does to the schema."""

import sqlalchemy as sa
from alembic import op

revision = "r9999"
down_revision = "{newest}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("images", sa.Column("of_next_release", sa.String(8)))


def downgrade() -> None:
    op.drop_column("images", "of_next_release")
'''


def upgrade_by_next_release(url: str, folder: Path) -> None:
    """Do to the database what a release with one more migration does."""
    shutil.copytree(MIGRATIONS, folder)
    newest, _ = known_revisions()
    (folder / "versions" / "r9999_next.py").write_text(
        OF_NEXT_RELEASE.format(newest=newest), encoding="utf-8"
    )
    config = Config()
    config.set_main_option("script_location", str(folder))
    engine = open_database(url)
    with writing(engine).connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def films(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "originals").glob("*/*")}


@ON_EACH_DATABASE
def test_the_way_back_from_a_bad_release_is_the_backup_from_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_kind: str, new_database: Callable[[], str]
) -> None:
    monkeypatch.setenv("APP_ENV", "development")
    is_server = database_kind != "sqlite"
    url = new_database() if is_server else f"sqlite:///{tmp_path / 'var' / 'radikal.db'}"
    home: Installation = make_installation(tmp_path, monkeypatch, url)
    before = films(home.data_dir)
    key = Path(shutil.copy(home.data_dir / "signing.key", tmp_path / "kept.key"))
    assert run("backup", home.backups).exit_code == 0

    handed_in_later = home.add_film(3)
    upgrade_by_next_release(url, tmp_path / "next")

    refused = one_line(run("setup"), code=2)
    assert "r9999" in refused
    assert "install that one or restore a backup" in refused
    with pytest.raises(ConfigurationError, match="r9999"):  # what `radikal serve` asks before it serves
        require_ready(read_settings())
    assert films(home.data_dir).keys() == {*before, handed_in_later}

    bad = home.data_dir.rename(tmp_path / "bad")
    if is_server:
        monkeypatch.setenv("DATABASE_URL", new_database())
    restored = run("restore", home.backups, "--signing-key", key)
    assert restored.exit_code == 0, restored.output
    assert films(home.data_dir) == before
    assert home.is_signed()
    assert run("audit", "verify").exit_code == 0
    assert handed_in_later in films(bad)
