import dataclasses

import numpy as np
import pytest
import torch

from core.training.crops import CropDataset, collate, cut
from core.training.images import TrainingImage
from core.training.mask_target import OutlinedPiece, mask_target
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
    from tests.training.conftest import make_image

    rare = dataclasses.replace(make_image(1, boxes=()), weight=0.05)
    crops = CropDataset([image, rare], Schedule(steps=200, batch=1, crop_px=64), seed=0)
    with_box = sum(len(crops[i].boxes) > 0 for i in range(200))
    assert with_box > 100


@pytest.mark.parametrize("seed", range(6))
def test_without_variation_grey_values_and_scale_stay(image, seed):
    plain = Schedule(steps=1, batch=1, crop_px=128, flaw_share=1.0, variation=0.0, turned_share=0.0)
    crop = cut(image, plain, np.random.default_rng(seed))
    pixels = crop.image[0].numpy()
    assert np.median(pixels) == pytest.approx(0.4, abs=0.005)
    whole = [b for b in crop.boxes.numpy() if b.min() > 0 and b.max() < 128]
    for box in whole:
        np.testing.assert_allclose(box[2:] - box[:2], (20, 16), atol=0.01)
        assert pixels[int(box[1]) + 3 : int(box[3]) - 2, int(box[0]) + 3 : int(box[2]) - 2].min() > 0.99


@pytest.mark.parametrize(("share", "is_turned"), [(0.0, False), (1.0, True)])
def test_crops_are_turned_in_the_share_that_is_asked_for(image, share, is_turned):
    schedule = Schedule(steps=1, batch=1, crop_px=64, flaw_share=1.0, variation=0.0, turned_share=share)
    same, turned = (
        [cut(image, s, np.random.default_rng(seed)).boxes.numpy() for seed in range(20)]
        for s in (Schedule(**{**_fields(schedule), "turned_share": 0.0}), schedule)
    )
    assert any(not np.allclose(a, b) for a, b in zip(same, turned, strict=True)) == is_turned


def test_crops_are_placed_at_boxes_that_teach(image):
    far = np.array([[280.0, 180.0, 298.0, 198.0]], np.float32)
    hidden = dataclasses.replace(
        image,
        boxes=np.concatenate((image.boxes, far)),
        class_ids=np.append(image.class_ids, -1),
        is_ignored=np.append(image.is_ignored, True),
    )
    schedule = Schedule(steps=1, batch=1, crop_px=64, flaw_share=1.0, variation=0.0)
    for seed in range(20):
        crop = cut(hidden, schedule, np.random.default_rng(seed))
        assert (~crop.is_ignored).any()


@pytest.fixture
def outlined(image):
    """The image with its bright rectangle of 20 x 16 px outlined."""
    piece = OutlinedPiece((100, 60), np.ones((16, 20), np.bool_))
    return dataclasses.replace(image, mask=mask_target(image.pixels.shape, [piece]))


@pytest.mark.parametrize("seed", range(12))
def test_the_outline_stays_on_its_flaw_whatever_the_scale_and_turn(outlined, seed):
    schedule = dataclasses.replace(SCHEDULE, variation=0.6)
    crop = cut(outlined, schedule, np.random.default_rng(seed))
    share, _ = crop.mask.numpy()
    halved = crop.image[0].numpy().reshape(64, 2, 64, 2).mean(axis=(1, 3))
    if (share > 0.99).sum() < 20:
        return
    assert np.median(halved[share > 0.99]) > np.percentile(halved[share < 0.01], 99)


def test_a_cell_holds_the_share_of_flaw_in_its_pixels(outlined):
    plain = Schedule(steps=1, batch=1, crop_px=128, flaw_share=1.0, variation=0.0, turned_share=0.0)
    crop = cut(outlined, plain, np.random.default_rng(0))
    box, share = crop.boxes[0].numpy(), crop.mask[0].numpy()
    assert share.sum() * 4 == pytest.approx(20 * 16, abs=0.5)
    rows, columns = np.nonzero(share)
    assert (columns.min(), rows.min()) == tuple((box[:2] // 2).astype(int))
    assert crop.mask[1].min() > 0


def test_a_coarse_crop_teaches_no_outline(outlined):
    coarse = Schedule(steps=1, crop_px=64, coarse_share=1.0)
    large = dataclasses.replace(outlined)
    assert not cut(large, coarse, np.random.default_rng(1)).mask[1].any()


def test_a_flaw_under_lead_is_not_outlined(outlined):
    schedule = Schedule(steps=1, crop_px=128, flaw_share=1.0, variation=0.0, turned_share=0.0)
    lettered = dataclasses.replace(schedule, letters_share=1.0)
    for seed in range(40):
        hidden = cut(outlined, lettered, np.random.default_rng(seed))
        if hidden.is_ignored.any():
            on_flaw = hidden.mask[1][hidden.mask[0] > 0]
            assert on_flaw.min() < 0.5
            return
    pytest.fail("no letter covered the flaw")


def test_a_batch_has_masks_when_all_its_crops_have(outlined, image):
    with_mask, without = (cut(i, SCHEDULE, np.random.default_rng(0)) for i in (outlined, image))
    assert collate([with_mask, with_mask]).masks.shape == (2, 2, 64, 64)
    assert collate([with_mask, without]).masks is None


def test_crops_are_placed_around_mined_places_as_often_as_asked_for(image):
    schedule = Schedule(steps=100, batch=1, crop_px=32, flaw_share=1.0, mined_share=0.5, variation=0.0)
    mined = {0: np.array([[10.0, 150.0, 20.0, 160.0]], np.float32)}
    crops = CropDataset([image], schedule, 0, mined)
    away = sum(len(crops[i].boxes) == 0 for i in range(100))
    assert 35 <= away <= 65


def test_longer_boxes_are_drawn_more_often_when_asked_for(image):
    boxes = np.array([[10, 10, 20, 20], [5, 150, 295, 152]], np.float32)
    two = dataclasses.replace(
        image, boxes=boxes, class_ids=np.zeros(2, np.int64), is_ignored=np.zeros(2, np.bool_)
    )
    seen = {}
    for power in (0.0, 1.0):
        schedule = Schedule(
            steps=1, crop_px=64, flaw_share=1.0, length_power=power, variation=0.0, turned_share=0.0
        )
        crops = [cut(two, schedule, np.random.default_rng(seed)) for seed in range(60)]
        seen[power] = sum(bool((c.boxes[:, 2] - c.boxes[:, 0] > 12).any()) for c in crops)
    assert seen[0.0] < 42 < 52 < seen[1.0]


def _fields(schedule):
    return dataclasses.asdict(schedule)
