"""The shipped samples."""

from pathlib import Path

import pytest

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.services.images.samples import SampleLibrary

CARD = """
samples:
  files:
  - {file: one.png, title: One pore, model: casting, polarity: film}
  - {file: no_title.png}
  - {file: gone.png, title: Gone}
"""


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    (tmp_path / "card.yaml").write_text(CARD)
    for name in ("one.png", "no_title.png"):
        (tmp_path / name).write_bytes(b"")
    return SampleLibrary(tmp_path / "card.yaml", tmp_path)


def test_lists_what_the_card_names_and_the_folder_holds(library: SampleLibrary) -> None:
    one, untitled = library.all()
    assert (one.title, one.model, one.polarity) == ("One pore", "casting", Polarity.FILM)
    assert (untitled.title, untitled.model, untitled.polarity) == ("no title", "weld", Polarity.UNKNOWN)


def test_an_unknown_sample_is_named(library: SampleLibrary) -> None:
    with pytest.raises(DatasetError, match="nothing.png"):
        library.get("nothing.png")


@pytest.mark.parametrize("content", ["", "samples: {}", "samples: {files: [{title: no file}]}", "a: [b"])
def test_a_card_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "card.yaml").write_text(content)
    with pytest.raises(DatasetError, match=r"card\.yaml"):
        SampleLibrary(tmp_path / "card.yaml", tmp_path).all()


def test_every_shipped_sample_can_be_read(repository: Path) -> None:
    shipped = SampleLibrary(repository / "data" / "dataset_card.yaml", repository / "data" / "samples")
    assert len(shipped.all()) >= 6
    for sample in shipped.all():
        assert shipped.read(sample).polarity in (sample.polarity, Polarity.FILM, Polarity.DIGITAL)
        assert shipped.get(sample.name) == sample
