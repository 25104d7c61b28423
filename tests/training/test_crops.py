import numpy as np
import pytest
import torch

from core.training.crops import CropDataset, cut
from core.training.images import TrainingImage
from core.training.recipe import Schedule

SCHEDULE = Schedule(steps=10, batch=2, crop_px=128, flaw_share=1.0)


@pytest.mark.parametrize("seed", range(25))
def test_the_box_stays_on_its_flaw_whatever_the_scale_and_turn(image, seed):
    """The bright rectangle is where the box says, to about a pixel."""
    crop = cut(image, SCHEDULE, np.random.default_rng(seed))
    pixels = crop.image[0].numpy()
    for box, is_ignored in zip(crop.boxes.numpy(), crop.is_ignored.numpy(), strict=True):
        if is_ignored or min(box[2] - box[0], box[3] - box[1]) < 8:
            continue
        inside = pixels[int(box[1]) + 3 : int(box[3]) - 2, int(box[0]) + 3 : int(box[2]) - 2]
        ring = np.ones(pixels.shape, bool)
        ring[max(0, int(box[1]) - 2) : int(box[3]) + 3, max(0, int(box[0]) - 2) : int(box[2]) + 3] = False
        assert np.median(inside) > np.percentile(pixels[ring], 95)


def test_the_same_number_gives_the_same_crop(image):
    first, second = (CropDataset([image], SCHEDULE, seed=5)[3] for _ in range(2))
    torch.testing.assert_close(first.image, second.image, rtol=0, atol=0)
    torch.testing.assert_close(first.boxes, second.boxes, rtol=0, atol=0)


def test_other_numbers_give_other_crops(image):
    crops = CropDataset([image], SCHEDULE, seed=5)
    assert not torch.equal(crops[0].image, crops[1].image)


def test_there_are_as_many_crops_as_the_schedule_asks_for(image):
    assert len(CropDataset([image], SCHEDULE, seed=0)) == 20


def test_an_image_smaller_than_the_crop_is_padded_by_its_border():
    small = TrainingImage(
        np.full((40, 30), 0.7, np.float16),
        np.zeros((0, 4), np.float32),
        np.zeros(0, np.int64),
        np.zeros(0, np.bool_),
        "part",
        1.0,
        {},
    )
    crop = cut(small, SCHEDULE, np.random.default_rng(1))
    assert crop.image.shape == (1, 128, 128)
    assert torch.isfinite(crop.image).all()


def test_heavier_images_are_drawn_more_often(image):
    import dataclasses

    from tests.training.conftest import make_image

    rare = dataclasses.replace(make_image(1, boxes=()), weight=0.05)
    crops = CropDataset([image, rare], Schedule(steps=200, batch=1, crop_px=64), seed=0)
    with_box = sum(len(crops[i].boxes) > 0 for i in range(200))
    assert with_box > 100
