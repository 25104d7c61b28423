"""Taking in files beside the script thread."""

import time

import pytest

from app.resources import Resources
from app.tray import EntryState, TrayEntry
from core.domain.radiograph import Polarity
from tests.workplace import radiograph_png


def received(held: Resources, data: bytes, name: str = "film.png") -> TrayEntry:
    """The entry when its reading ended."""
    tray = held.trays.of("visitor")
    key = held.intake.receive(tray, data, name, Polarity.FILM)
    end = time.monotonic() + 30
    while tray.get(key).state is EntryState.READING and time.monotonic() < end:
        time.sleep(0.01)
    return tray.get(key)


def test_a_radiograph_is_stored_and_belongs_to_the_visitor(workplace: Resources) -> None:
    entry = received(workplace, radiograph_png())
    assert entry.state is EntryState.STORED
    assert workplace.services.images.load(entry.sha256).polarity is Polarity.FILM
    assert workplace.trays.of("another").with_digest(entry.sha256) is None


def test_a_broken_file_is_told_in_one_line(workplace: Resources) -> None:
    entry = received(workplace, b"not a picture")
    assert entry.state is EntryState.FAILED
    assert "Nothing was stored" in entry.message
    assert "\n" not in entry.message


def test_a_full_disk_is_told_with_a_reference(workplace: Resources, caplog: pytest.LogCaptureFixture) -> None:
    (workplace.services.settings.data_dir / "originals").write_text("a file where the folder should be")
    entry = received(workplace, radiograph_png())
    assert entry.state is EntryState.FAILED
    assert "reference" in entry.message
    assert "Traceback" in caplog.text
