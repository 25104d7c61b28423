import numpy as np
import pytest

from core.domain.radiograph import Polarity
from core.training.crops import cut
from core.training.lettering import lay_letters
from core.training.recipe import Recipe, Schedule, SimulatedSource

SIDE = 256


def laid(seed, boxes=(), grey=0.4):
    pixels = np.full((SIDE, SIDE), grey, np.float32)
    return lay_letters(pixels, np.array(boxes, np.float32).reshape(-1, 4), 1.0, np.random.default_rng(seed))


def test_lead_only_makes_a_film_brighter():
    changed = 0
    for seed in range(20):
        pixels, _, _ = laid(seed)
        assert pixels.shape == (SIDE, SIDE)
        assert pixels.min() >= np.float32(0.4) - 1e-6
        assert pixels.max() <= 1.1 + 1e-6
        changed += bool((pixels > 0.45).any())
    assert changed > 10


def test_a_box_under_a_letter_teaches_nothing_and_one_beside_it_still_does():
    seed = next(s for s in range(50) if (laid(s)[0] > 0.45).mean() > 0.05)
    pixels, _, _ = laid(seed)
    row, col = np.unravel_index(np.argmax(pixels), pixels.shape)
    free_row, free_col = np.unravel_index(np.argmin(pixels), pixels.shape)
    boxes = [(col - 1, row - 1, col + 2, row + 2), (free_col, free_row, free_col + 1, free_row + 1)]
    _, is_covered, _ = laid(seed, boxes)
    assert is_covered.tolist() == [True, False]


def test_a_box_beside_the_crop_is_not_covered():
    assert not laid(1, [(300, 300, 310, 310)])[1].any()


def test_crops_bear_letters_as_often_as_asked_for(image):
    plain = Schedule(steps=1, crop_px=128, variation=0.0, turned_share=0.0)
    lettered = Schedule(steps=1, crop_px=128, variation=0.0, turned_share=0.0, letters_share=0.5)
    differ = sum(
        not np.array_equal(
            cut(image, plain, np.random.default_rng(seed)).image,
            cut(image, lettered, np.random.default_rng(seed)).image,
        )
        for seed in range(60)
    )
    assert 12 <= differ <= 36  # 30 on average less letters that miss the crop


def test_letters_are_refused_on_anything_but_films():
    with pytest.raises(ValueError, match="polarity digital"):
        Recipe(
            model="casting",
            title="test",
            polarity=Polarity.DIGITAL,
            sources=(SimulatedSource(1, 0),),
            schedule=Schedule(steps=1, letters_share=0.1),
        )
