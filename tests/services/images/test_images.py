"""Taking in radiographs and getting them back."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import BadInputError, NotAllowedError, UnreadableImageError
from core.domain.radiograph import Polarity
from core.services.images.images import ImageService
from core.services.images.orphan_cleanup import sweep_originals
from core.store.blobs import BlobDamagedError, BlobNotFoundError, BlobStore
from core.store.unit_of_work import Store
from tests.conftest import ON_EACH_DATABASE
from tests.imaging.pictures import picture, write_dicom
from tests.records import add_user, new_store
from tests.workplace import radiograph_png

pytestmark = ON_EACH_DATABASE


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "originals")


@pytest.fixture
def store(engine: Engine) -> Store:
    return new_store(engine)


@pytest.fixture
def images(blobs: BlobStore, store: Store) -> ImageService:
    return ImageService(blobs, store)


def small_png(seed: int) -> bytes:
    return radiograph_png(seed, height=8, width=8)


def test_an_added_radiograph_comes_back_by_its_digest(images: ImageService) -> None:
    added = images.add(COMMAND_LINE, radiograph_png(), "film 7.png", polarity=Polarity.DIGITAL)
    loaded = images.load(added.sha256)
    assert (loaded.pixels == added.pixels).all()
    assert loaded.polarity is Polarity.DIGITAL
    assert images.name(added.sha256) == "film 7.png"


def test_what_is_no_radiograph_leaves_nothing_behind(images: ImageService, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError):
        images.add(COMMAND_LINE, b"not a picture", "film.png")
    assert not list((tmp_path / "originals").rglob("*"))


def test_another_polarity_may_be_asked_for_on_loading(images: ImageService) -> None:
    added = images.add(COMMAND_LINE, radiograph_png(), "film.png")
    assert images.load(added.sha256, polarity=Polarity.FILM).polarity is Polarity.FILM
    assert images.load(added.sha256).polarity is Polarity.UNKNOWN


def test_many_images_are_loaded_again_after_they_left_memory(images: ImageService) -> None:
    added = [
        images.add(COMMAND_LINE, radiograph_png(seed, height=8, width=8), f"{seed}.png") for seed in range(9)
    ]
    for radiograph in added:
        assert (images.load(radiograph.sha256).pixels == radiograph.pixels).all()


def test_an_unknown_digest_is_said_to_be_unknown(images: ImageService) -> None:
    with pytest.raises(BlobNotFoundError):
        images.load("0" * 64)
    with pytest.raises(BlobNotFoundError):
        images.name("0" * 64)


def test_damaged_bytes_are_never_shown_as_the_radiograph(images: ImageService, blobs: BlobStore) -> None:
    added = [
        images.add(COMMAND_LINE, radiograph_png(seed, height=8, width=8), f"{seed}.png") for seed in range(9)
    ]
    blobs.path(added[0].sha256).write_bytes(radiograph_png(99))
    with pytest.raises(BlobDamagedError):
        images.load(added[0].sha256)
    assert np.any(images.load(added[1].sha256).pixels)


def test_who_handed_it_in_first_is_known(images: ImageService, store: Store) -> None:
    first, second = add_user(store), add_user(store)
    added = images.add(first, radiograph_png(), "film.png")
    images.add(second, radiograph_png(), "again.png")
    facts = images.facts(added.sha256)
    assert (facts.uploaded_by, facts.name) == (first.user_id, "film.png")


def test_a_role_that_may_not_leaves_nothing_behind(
    images: ImageService, store: Store, tmp_path: Path
) -> None:
    with pytest.raises(NotAllowedError):
        images.add(add_user(store, Role.ADMIN), radiograph_png(), "film.png")
    assert not list((tmp_path / "originals").rglob("*"))


def test_a_full_workspace_says_so_and_takes_nothing(blobs: BlobStore, store: Store) -> None:
    data = radiograph_png()
    images = ImageService(blobs, store, limit_bytes=int(len(data) * 1.5))
    images.add(COMMAND_LINE, data, "film.png")
    with pytest.raises(BadInputError, match="at most"):
        images.add(COMMAND_LINE, radiograph_png(7), "more.png")
    with store.read() as work:
        assert len(work.images.latest(9)) == 1


def panel(n_frames: int = 3) -> tuple[bytes, np.ndarray]:
    """A DICOM file of several frames that differ, and its pixels."""
    frames = np.stack([np.roll(picture(np.uint16, (48, 70), 12), 7 * n, axis=1) for n in range(n_frames)])
    return write_dicom(frames, bits=12, frames=n_frames), frames


def test_a_file_of_several_frames_is_stored_once_as_it_came_and_each_frame_comes_back(
    images: ImageService, blobs: BlobStore, store: Store
) -> None:
    data, frames = panel()
    added = [images.add(COMMAND_LINE, data, f"panel {n}.dcm", frame=n) for n in (1, 2, 3)]
    assert list(blobs.digests()) == [hashlib.sha256(data).hexdigest()]
    assert blobs.get(added[0].file_sha256) == data
    assert len({one.sha256 for one in added}) == 3
    fresh = ImageService(blobs, store)
    for one, pixels in zip(added, frames, strict=True):
        np.testing.assert_array_equal(fresh.load(one.sha256).pixels, pixels)
    with store.read() as work:
        assert work.images.total_bytes() == len(data)
        events = [one.details for one in work.audit.rows()]
    assert [(one["file"], one["frame"]) for one in events] == [(added[0].file_sha256, n) for n in (1, 2, 3)]


def test_further_frames_of_a_stored_file_need_no_room(blobs: BlobStore, store: Store) -> None:
    data, _ = panel()
    images = ImageService(blobs, store, limit_bytes=len(data))
    for frame in (1, 2, 3):
        images.add(COMMAND_LINE, data, "panel.dcm", frame=frame)
    with pytest.raises(BadInputError, match="this workspace holds at most"):
        images.add(COMMAND_LINE, radiograph_png(), "film.png")


def test_the_file_of_a_frame_is_no_orphan(images: ImageService, blobs: BlobStore, store: Store) -> None:
    added = images.add(COMMAND_LINE, panel()[0], "panel.dcm", frame=2)
    assert sweep_originals(blobs, store, older_than_s=0) == 0
    assert blobs.has(added.file_sha256)
