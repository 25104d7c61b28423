"""The composition root: made lazily, closed alike."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.config import Settings
from core.container import open_container
from core.domain.accounts import COMMAND_LINE, Role
from core.store.anchor_file import AnchorFile


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "var",
        database_url=f"sqlite:///{tmp_path}/radikal.db",
        mlflow_tracking_uri=f"sqlite:///{tmp_path}/mlflow.db",
        device="cpu",
    )


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_command_did_is_anchored_when_it_ends_however_it_ends(
    settings: Settings, tmp_path: Path, fails: bool
) -> None:
    anchors = AnchorFile(tmp_path / "var" / "audit" / "anchors.jsonl")
    try:
        with open_container(settings, newest=True) as services:
            for number in range(3):
                services.accounts.add(COMMAND_LINE, f"name-{number}", "A Name", Role.INSPECTOR)
            if fails:
                raise RuntimeError
    except RuntimeError:
        pass
    with open_container(settings) as services, services.store.read() as work:
        head = work.audit.head()
    assert head is not None
    assert anchors.read().anchors[-1].seq == head.seq == 4  # before the accounts: that all records are proven


def test_opening_and_closing_makes_nothing(settings: Settings, tmp_path: Path) -> None:
    with open_container(settings):
        pass
    assert list(tmp_path.iterdir()) == []


def test_accounts_and_the_audit_log_load_no_networks(tmp_path: Path) -> None:
    script = (
        "import sys; from core.container import Container; from core.config import Settings\n"
        f"services = Container(Settings(_env_file=None, data_dir={str(tmp_path)!r},"
        f" database_url='sqlite:///{tmp_path}/radikal.db'))\n"
        "services.accounts, services.signing_in, services.audit, services.alias_history, services.jobs\n"
        "print(*sorted({'torch', 'mlflow', 'scipy', 'cv2', 'streamlit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
