"""Taking in radiographs and getting them back."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from core.domain.accounts import COMMAND_LINE, Role
from core.domain.errors import BadInputError, NotAllowedError, UnreadableImageError
from core.domain.radiograph import Polarity
from core.services.images.images import ImageService
from core.store.blobs import BlobDamagedError, BlobNotFoundError, BlobStore
from core.store.unit_of_work import Store
from tests.records import add_user, new_store
from tests.workplace import radiograph_png


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
        images.add(add_user(store, Role.ANNOTATOR), radiograph_png(), "film.png")
    assert not list((tmp_path / "originals").rglob("*"))


def test_a_full_workspace_says_so_and_takes_nothing(blobs: BlobStore, store: Store) -> None:
    data = radiograph_png()
    images = ImageService(blobs, store, limit_bytes=int(len(data) * 1.5))
    images.add(COMMAND_LINE, data, "film.png")
    with pytest.raises(BadInputError, match="at most"):
        images.add(COMMAND_LINE, radiograph_png(7), "more.png")
    with store.read() as work:
        assert len(work.images.latest(9)) == 1
