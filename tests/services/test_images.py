"""Taking in radiographs and getting them back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.domain.errors import UnreadableImageError
from core.domain.radiograph import Polarity
from core.services.images import ImageService
from core.store.blobs import BlobDamagedError, BlobNotFoundError, BlobStore
from core.store.database import open_database, upgrade
from core.store.images import ImageRepository
from tests.workplace import radiograph_png


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "originals")


@pytest.fixture
def images(tmp_path: Path, blobs: BlobStore) -> Iterator[ImageService]:
    engine = open_database(f"sqlite:///{tmp_path / 'images.db'}")
    upgrade(engine)
    yield ImageService(blobs, ImageRepository(engine))
    engine.dispose()


def test_an_added_radiograph_comes_back_by_its_digest(images: ImageService) -> None:
    added = images.add(radiograph_png(), "film 7.png", polarity=Polarity.DIGITAL)
    loaded = images.load(added.sha256)
    assert (loaded.pixels == added.pixels).all()
    assert loaded.polarity is Polarity.DIGITAL
    assert images.name(added.sha256) == "film 7.png"


def test_what_is_no_radiograph_leaves_nothing_behind(images: ImageService, tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError):
        images.add(b"not a picture", "film.png")
    assert not list((tmp_path / "originals").rglob("*"))


def test_another_polarity_may_be_asked_for_on_loading(images: ImageService) -> None:
    added = images.add(radiograph_png(), "film.png")
    assert images.load(added.sha256, polarity=Polarity.FILM).polarity is Polarity.FILM
    assert images.load(added.sha256).polarity is Polarity.UNKNOWN


def test_many_images_are_loaded_again_after_they_left_memory(images: ImageService) -> None:
    added = [images.add(radiograph_png(seed, height=8, width=8), f"{seed}.png") for seed in range(9)]
    for radiograph in added:
        assert (images.load(radiograph.sha256).pixels == radiograph.pixels).all()


def test_an_unknown_digest_is_said_to_be_unknown(images: ImageService) -> None:
    with pytest.raises(BlobNotFoundError):
        images.load("0" * 64)
    with pytest.raises(BlobNotFoundError):
        images.name("0" * 64)


def test_damaged_bytes_are_never_shown_as_the_radiograph(images: ImageService, blobs: BlobStore) -> None:
    added = [images.add(radiograph_png(seed, height=8, width=8), f"{seed}.png") for seed in range(9)]
    blobs.path(added[0].sha256).write_bytes(radiograph_png(99))
    with pytest.raises(BlobDamagedError):
        images.load(added[0].sha256)
    assert np.any(images.load(added[1].sha256).pixels)
