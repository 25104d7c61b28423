"""Taking in files beside the script thread."""

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.inspection import state
from app.inspection.numbers import Numbers
from app.inspection.uploads import Intake
from app.shared.uploads import MIB, UploadLimits, UploadStore
from app.shared.worklist import EntryState, Worklist, WorklistEntry, recalled, worklists
from core.domain.accounts import COMMAND_LINE, Identity, Role, User
from core.domain.numbering import Numbering
from core.domain.radiograph import Polarity
from core.domain.reading import Setup
from core.imaging.uploads import IncomingFile, take_folder
from core.services.images.images import ImageService
from core.services.workspaces import Workspace, make_workspace
from core.store.database import open_database
from tests.empty_stores import copy_empty_database
from tests.imaging.pictures import write_dicom
from tests.records import new_store
from tests.workplace import incoming, radiograph_png


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    engine = open_database(copy_empty_database(tmp_path / "images.db"))
    yield make_workspace("", new_store(engine), tmp_path / "originals")
    engine.dispose()


@pytest.fixture
def images(workspace: Workspace) -> ImageService:
    return workspace.images


@pytest.fixture
def intake(workspace: Workspace) -> Iterator[Intake]:
    intake = Intake(lambda _identity: workspace, in_memory)
    yield intake
    intake.close()


@pytest.fixture
def worklist() -> Worklist:
    return Worklist()


def in_memory(identity: Identity, data: bytes) -> Callable[[], bytes]:
    """In place of the disk."""
    return partial(bytes, data)


def received(intake: Intake, worklist: Worklist, data: bytes, name: str = "film.png") -> WorklistEntry:
    """The first entry, when all reading ended."""
    key = intake.receive(worklist, COMMAND_LINE, incoming(name, data), Polarity.FILM)
    wait(worklist)
    entry = worklist.get(key)
    assert entry is not None
    return entry


def wait(worklist: Worklist) -> None:
    """Until all reading ended."""
    end = time.monotonic() + 120
    while any(e.state is EntryState.READING for e in worklist.entries()) and time.monotonic() < end:
        time.sleep(0.01)


def zip_of(*files: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return stream.getvalue()


def test_a_radiograph_is_stored_and_belongs_to_the_visitor(intake, worklist, images):
    entry = received(intake, worklist, radiograph_png())
    assert entry.state is EntryState.STORED
    assert images.load(entry.sha256).polarity is Polarity.FILM
    assert Worklist().with_digest(entry.sha256) is None


def test_a_broken_file_is_told_in_one_line(intake, worklist):
    entry = received(intake, worklist, b"not a picture")
    assert entry.state is EntryState.FAILED
    assert "Nothing was stored" in entry.message
    assert "\n" not in entry.message


def test_a_name_is_shown_and_stored_without_what_could_deceive(intake, worklist, images):
    entry = received(intake, worklist, radiograph_png(), "..\\..\\we\u202egnp.ld\x00.png")
    assert entry.name == "wegnp.ld.png"
    assert images.name(entry.sha256) == "wegnp.ld.png"


def test_a_full_disk_is_told_with_a_reference(intake, worklist, tmp_path, caplog):
    (tmp_path / "originals").write_text("a file where the folder should be")
    entry = received(intake, worklist, radiograph_png())
    assert entry.state is EntryState.FAILED
    assert "reference" in entry.message
    assert "Traceback" in caplog.text


def test_a_file_that_cannot_be_read_is_not_to_be_tried_again(intake, worklist, monkeypatch, caplog):
    def breaks(*_arguments, **_options):
        raise RuntimeError("a library gave up")

    monkeypatch.setattr("core.services.images.images.read_radiograph", breaks)
    entry = received(intake, worklist, radiograph_png())
    assert entry.state is EntryState.FAILED
    assert entry.message.startswith("Reading film.png failed and would fail again. Tell an administrator")
    assert entry.message.endswith("Nothing was stored; your other images are not affected.")
    assert "again, and name" not in entry.message
    assert "a library gave up" in caplog.text


def test_a_zip_becomes_one_entry_for_each_of_its_files(intake, worklist, images):
    pictures = [radiograph_png(seed, height=8, width=8) for seed in range(3)]
    data = zip_of(
        ("shift 1/a.png", pictures[0]),
        ("__MACOSX/._a.png", b"resource fork"),
        ("b.png", pictures[1]),
        (".DS_Store", b"folder view"),
        ("c.png", pictures[2]),
    )
    first = received(intake, worklist, data, "films.zip")
    assert [e.name for e in worklist.entries()] == ["a.png", "b.png", "c.png"]
    assert {e.state for e in worklist.entries()} == {EntryState.STORED}
    assert first == worklist.entries()[0]
    assert [images.load(e.sha256).width for e in worklist.entries()] == [8, 8, 8]


def test_one_bad_file_of_a_zip_does_not_stop_the_others(intake, worklist):
    good = radiograph_png(height=8, width=8)
    data = zip_of(("readme.txt", b"text"), ("inner.zip", zip_of(("x.png", good))), ("good.png", good))
    received(intake, worklist, data, "films.zip")
    states = {e.name: (e.state, e.message) for e in worklist.entries()}
    assert states["good.png"][0] is EntryState.STORED
    assert "got a text file (readme.txt)" in states["readme.txt"][1]
    assert "got a ZIP archive (inner.zip)" in states["inner.zip"][1]


def test_a_multi_frame_file_becomes_one_entry_for_each_frame(intake, worklist, images):
    frames = np.stack([np.full((8, 9), 100 * n, np.uint16) for n in range(1, 4)])
    first = received(intake, worklist, write_dicom(frames, frames=3), "panel.dcm")
    entries = worklist.entries()
    assert [e.name for e in entries] == [f"panel frame {n} of 3.dcm" for n in (1, 2, 3)]
    assert first == entries[0]
    assert [int(images.load(e.sha256).pixels[0, 0]) for e in entries] == [100, 200, 300]
    assert "frame 2 of 3" in images.load(entries[1].sha256).notes[0]
    received(intake, worklist, write_dicom(frames, frames=3), "again.dcm")
    assert {e.sha256 for e in worklist.entries()} == {e.sha256 for e in entries}


def test_a_multi_frame_file_in_a_zip_becomes_its_frames_in_its_place(intake, worklist):
    frames = np.stack([np.full((8, 9), n, np.uint16) for n in range(2)])
    picture = radiograph_png(height=8, width=8)
    data = zip_of(("a.png", picture), ("b.dcm", write_dicom(frames, frames=2)), ("c.png", radiograph_png(1)))
    received(intake, worklist, data, "films.zip")
    names = ["a.png", "b frame 1 of 2.dcm", "b frame 2 of 2.dcm", "c.png"]
    assert [(e.name, e.state) for e in worklist.entries()] == [(name, EntryState.STORED) for name in names]


def test_too_many_frames_are_one_failed_entry(intake, worklist):
    frames = np.zeros((251, 2, 3), np.uint8)
    entry = received(intake, worklist, write_dicom(frames, frames=251), "panel.dcm")
    assert (len(worklist.entries()), entry.state) == (1, EntryState.FAILED)
    assert entry.message.startswith(
        "expected a DICOM file of at most 250 frames, got 251 (panel.dcm). Nothing"
    )


def test_all_frames_of_one_upload_are_counted_together(intake, worklist):
    frames = write_dicom(np.zeros((130, 2, 3), np.uint8), frames=130)
    more = write_dicom(np.ones((130, 2, 3), np.uint8), frames=130)
    received(intake, worklist, zip_of(("a.dcm", frames), ("b.dcm", more)), "films.zip")
    (failed,) = (e for e in worklist.entries() if e.state is EntryState.FAILED)
    assert (failed.name, len(worklist.entries())) == ("b.dcm", 131)
    assert "at most 250 radiographs at once, got 260 with these 130 frames" in failed.message


def test_a_folder_becomes_an_entry_for_each_radiograph(intake, worklist):
    films = [radiograph_png(seed, height=8, width=8) for seed in range(3)]
    folder = take_folder(
        [
            incoming("day/south/film.png", films[0]),
            incoming("day/north/film.png", films[1]),
            incoming("day/notes.txt", b"200 kV"),
            incoming("day/more.zip", zip_of(("inner.png", films[2]))),
            incoming("day/bad.zip", b"PK\x03\x04"),
        ]
    )
    key = intake.receive_folder(worklist, COMMAND_LINE, folder, Polarity.FILM)
    wait(worklist)
    states = {e.name: e.state for e in worklist.entries()}
    assert states == {
        "bad.zip": EntryState.FAILED,
        "inner.png": EntryState.STORED,
        "north - film.png": EntryState.STORED,
        "south - film.png": EntryState.STORED,
    }
    assert worklist.get(key).name == "inner.png"
    assert intake.receive_folder(worklist, COMMAND_LINE, take_folder([]), Polarity.FILM) is None


def test_a_damaged_zip_is_one_failed_entry_of_its_own_name(intake, worklist):
    entry = received(intake, worklist, zip_of(("a.png", radiograph_png()))[:-30], "films.zip")
    assert (entry.name, entry.state, len(worklist.entries())) == ("films.zip", EntryState.FAILED, 1)
    assert "expected an intact ZIP archive" in entry.message


def test_closing_drops_what_still_waits(workspace, worklist):
    intake = Intake(lambda _identity: workspace, in_memory)
    data = zip_of(*((f"{n}.png", radiograph_png(n, height=8, width=8)) for n in range(40)))
    intake.receive(worklist, COMMAND_LINE, incoming("films.zip", data), Polarity.UNKNOWN)
    intake.close()
    n_stored = sum(e.state is EntryState.STORED for e in worklist.entries())
    assert n_stored < 40
    time.sleep(0.05)
    assert sum(e.state is EntryState.STORED for e in worklist.entries()) == n_stored


def test_what_was_stored_is_on_the_worklist_after_a_restart_and_what_was_removed_does_not(workplace):
    who = Identity("u-1", "somebody", Role.INSPECTOR)
    with workplace.services.store.write() as work:
        account = User("u-1", "somebody", "Somebody", Role.INSPECTOR, True, False, 1, work.now)
        work.users.add(account, password_hash=None)
    worklist = worklists().of(who)
    keys = [
        state.intake().receive(worklist, who, incoming(f"{n}.png", radiograph_png(n)), Polarity.FILM)
        for n in range(3)
    ]
    end = time.monotonic() + 60
    while any(e.state is EntryState.READING for e in worklist.entries()) and time.monotonic() < end:
        time.sleep(0.01)
    workplace.services.workspace.worklist.remove(who, keys[1])
    state.intake().close()
    after = recalled(workplace.services.workspace_of, who)
    assert {one.name for one in after} == {"0.png", "2.png"}
    assert {one.key for one in after} == {keys[0], keys[2]}


@pytest.mark.parametrize("moment", ["while it is read", "as soon as it shows as stored"])
def test_what_is_taken_off_while_it_comes_in_stays_off(workplace, monkeypatch, moment):
    who = Identity("u-1", "somebody", Role.INSPECTOR)
    with workplace.services.store.write() as work:
        account = User("u-1", "somebody", "Somebody", Role.INSPECTOR, True, False, 1, work.now)
        work.users.add(account, password_hash=None)
    worklist, store, seen = worklists().of(who), Worklist.store, []

    def take_off(key: str) -> None:
        worklist.remove(key)
        workplace.services.workspace.worklist.remove(who, key)

    def stored(self: Worklist, key: str, sha256: str, setup: Setup) -> bool:
        if moment == "while it is read":
            take_off(key)
        is_listed = store(self, key, sha256, setup)
        if moment == "as soon as it shows as stored":
            take_off(key)
        seen.append(is_listed)
        return is_listed

    monkeypatch.setattr(Worklist, "store", stored)
    state.intake().receive(worklist, who, incoming("1.png", radiograph_png(1)), Polarity.FILM)
    end = time.monotonic() + 60
    while not seen and time.monotonic() < end:
        time.sleep(0.01)
    state.intake().close()
    assert seen == [moment != "while it is read"]
    assert recalled(workplace.services.workspace_of, who) == []


def numbers_of(worklist: Worklist) -> list[tuple[str, str]]:
    return [(entry.setup.weld_number, entry.setup.film_number) for entry in worklist.entries()]


def test_each_image_gets_its_own_numbers_and_one_that_cannot_be_read_takes_none(intake, worklist):
    numbers = Numbers(Numbering("W-{n:03}", "{n}", first=9, name_pattern="{weld}_a"))
    data = zip_of(
        ("1.png", radiograph_png(1, height=8, width=8)),
        ("bad.png", b"not a picture"),
        ("W7_a.png", radiograph_png(2, height=8, width=8)),
        ("3.png", radiograph_png(3, height=8, width=8)),
    )
    setup = Setup(part="flange 7", weld_number="W-1")
    intake.receive(worklist, COMMAND_LINE, incoming("films.zip", data), Polarity.FILM, setup, numbers=numbers)
    wait(worklist)
    stored = [("W-009", "9"), ("W7", "10"), ("W-011", "11")]
    assert [one for one in numbers_of(worklist) if any(one)] == stored
    assert {entry.setup.part for entry in worklist.entries()} == {"flange 7"}
    assert numbers.numbering.first == 12


def test_a_number_is_never_copied_to_all(intake, worklist):
    data = zip_of(*((f"{n}.png", radiograph_png(n, height=8, width=8)) for n in range(2)))
    setup = Setup(weld_number="W-1", film_number="2", position="A")
    intake.receive(worklist, COMMAND_LINE, incoming("films.zip", data), Polarity.FILM, setup)
    wait(worklist)
    assert numbers_of(worklist) == [("", ""), ("", "")]


@pytest.mark.parametrize(
    ("is_packed", "is_of_frames"),
    [(False, False), (True, False), (False, True), (True, True)],
    ids=["a film", "films in an archive", "frames", "frames in an archive"],
)
def test_what_waits_to_be_read_lies_on_disk_and_is_gone_when_it_was(
    workspace: Workspace, worklist: Worklist, tmp_path: Path, is_packed: bool, is_of_frames: bool
) -> None:
    store = UploadStore(tmp_path / "uploads", UploadLimits(person=9 * MIB, address=9 * MIB, reserve=0))
    seen: list[int] = []

    def waiting() -> int:
        return sum(store.n_bytes("person", one) for one in ("u-1", COMMAND_LINE.user_id))

    def watched(_identity: Identity) -> Workspace:
        seen.append(waiting())
        return workspace

    data = radiograph_png()
    if is_of_frames:
        frames = np.stack([np.full((8, 9), 100 * n, np.uint16) for n in range(1, 4)])
        data = write_dicom(frames, frames=3)
    if is_packed:
        data = zip_of(("film", data), ("other.png", radiograph_png(1)))
    file = store.expect(Identity("u-1", "ann", Role.INSPECTOR), "192.0.2.7", len(data))
    with file.open_to_write() as target:
        target.write(data)
    intake = Intake(watched, store.hold)
    intake.receive(worklist, COMMAND_LINE, IncomingFile("film", file.read, open=file.open), Polarity.FILM)
    del file
    wait(worklist)
    intake.close()
    assert [entry.state for entry in worklist.entries()] == [EntryState.STORED] * len(seen)
    assert len(seen) == (3 if is_of_frames else 1) + is_packed
    assert all(seen)
    assert waiting() == 0
    assert not [path for path in (tmp_path / "uploads").rglob("*") if path.is_file()]
    store.close()
