"""Virtual flaws in training: only where the record of a film is empty; what is recorded teaches nothing."""

import numpy as np
import pytest
from PIL import Image

from core.domain.errors import DatasetError
from core.domain.radiograph import Polarity
from core.labelling.film_cells import FilmIndication, FilmRecord, FilmStatus
from core.simulate.config import SimulationConfig
from core.simulate.render import simulate_weld
from core.training.recipe import VirtualSource, recipe_from
from core.training.virtual import free_stretches, virtual_images

WIDTH = 1736  # seven centimetres


def record(*indications, status=FilmStatus.RECORDED):
    return FilmRecord("film.png", WIDTH, 600, status, tuple(FilmIndication(*i) for i in indications))


def test_a_film_without_indication_is_free_from_end_to_end():
    assert free_stretches(record(status=FilmStatus.NO_INDICATION)) == [(0, WIDTH)]


def test_nothing_is_free_on_a_film_that_nobody_recorded():
    assert free_stretches(record(status=FilmStatus.NOT_RECORDED)) == []


def test_a_cell_beside_a_recorded_one_is_not_free():
    assert free_stretches(record((4, "2011", 1.0))) == [(0, 2 * 248), (5 * 248, WIDTH)]


def test_a_long_indication_takes_all_its_cells():
    assert free_stretches(record((1, "1011", 40.0))) == [(5 * 248, WIDTH)]


@pytest.fixture
def data(tmp_path):
    config = SimulationConfig(
        flaw_groups=0, width_px=WIDTH, height_px=600, mm_per_px=(0.04, 0.0401), bit_depths=(8,)
    )
    pixels = simulate_weld(4, config).pixels.astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "film.png")
    (tmp_path / "films.csv").write_text(
        "film,width,height,status,start_cm,iso6520_code,length_mm\n"
        f"film.png,{WIDTH},600,recorded,4,2011,1.0\n",
        encoding="utf-8",
    )
    return tmp_path


def source(**changes):
    return VirtualSource(**({"virtual": "films.csv", "films": ("film",), "variants": 3, "seed": 9} | changes))


def test_flaws_lie_in_the_free_columns_and_the_recorded_seam_is_ignored(data):
    images = list(virtual_images(source(flaw_groups=30), Polarity.FILM, data))
    assert len(images) == 3
    for image in images:
        *flaws, unknown = image.boxes
        assert image.is_ignored[-1]
        assert (unknown[0], unknown[2]) == (2 * 248, 5 * 248)
        assert unknown[3] - unknown[1] > 60
        assert flaws
        assert all(x2 <= 2 * 248 + 5 or x1 >= 5 * 248 - 5 for x1, _, x2, _ in flaws)
        assert (image.class_ids[:-1] >= 0).all()


def test_each_variant_has_flaws_of_its_own_and_a_run_repeats_them(data):
    first, second = (list(virtual_images(source(flaw_groups=30), Polarity.FILM, data)) for _ in range(2))
    assert not np.array_equal(first[0].pixels, first[1].pixels)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)
        np.testing.assert_array_equal(a.boxes, b.boxes)


def test_the_weights_add_up_and_the_film_is_named(data):
    images = list(virtual_images(source(weight=0.3), Polarity.FILM, data))
    assert sum(i.weight for i in images) == pytest.approx(0.3)
    assert {i.identity["file_name"] for i in images} == {"film.png"}


def test_virtual_flaws_are_outlined_and_the_recorded_seam_teaches_nothing(data):
    plain = next(virtual_images(source(flaw_groups=30), Polarity.FILM, data))
    assert plain.mask is None
    image = next(virtual_images(source(flaw_groups=30), Polarity.FILM, data, has_mask=True))
    *flaws, unknown = image.boxes.astype(int)
    assert image.mask.is_flaw.any()
    for (x1, y1, x2, y2), is_ignored in zip(flaws, image.is_ignored, strict=False):
        assert is_ignored or max(x2 - x1, y2 - y1) < 6 or image.mask.is_flaw[y1:y2, x1:x2].any()
    x1, y1, x2, y2 = unknown
    assert not image.mask.weight[y1:y2, x1 + 6 : x2 - 6].any()


def test_the_first_picture_of_each_film_is_mined_when_asked_for(data):
    made = list(virtual_images(source(is_mined=True), Polarity.FILM, data))
    assert [image.is_mined for image in made] == [True, False, False]


def test_a_film_that_is_not_listed_is_named(data):
    with pytest.raises(DatasetError, match="no film other"):
        list(virtual_images(source(films=("other",)), Polarity.FILM, data))


def test_a_recipe_may_ask_for_virtual_flaws():
    content = {
        "model": "weld",
        "title": "t",
        "polarity": "film",
        "sources": [
            {"virtual": "films.csv", "films": ["a", "b"], "variants": 2, "seed": 1, "mix": {"undercut": 1}}
        ],
        "schedule": {"steps": 1},
    }
    (found,) = recipe_from(content).sources
    assert found == VirtualSource("films.csv", ("a", "b"), 2, 1, mix={"undercut": 1})


def test_digital_images_take_no_virtual_flaws():
    with pytest.raises(ValueError, match="films"):
        source(polarity=Polarity.DIGITAL)
