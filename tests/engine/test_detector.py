import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.domain.detections import View
from core.domain.errors import ModelArtefactError
from core.domain.radiograph import Polarity
from core.engine.detector import Detector, Request, read_network


@pytest.fixture
def weights(tmp_path, tiny_network):
    path = tmp_path / "weights.safetensors"
    tensors = {n: t.half() if t.is_floating_point() else t for n, t in tiny_network.state_dict().items()}
    save_file(tensors, path, {"network": tiny_network.config.to_json(), "polarity": "film"})
    return path


@pytest.fixture
def image():
    rng = np.random.default_rng(0)
    return rng.random((300, 500), dtype=np.float32)


def test_weights_file_gives_a_detector_with_its_polarity(weights):
    assert Detector.load(weights).polarity is Polarity.FILM


def test_detections_are_inside_the_image_and_ordered(weights, image):
    found = Detector.load(weights).detect(image)
    assert len(found) > 0
    assert (found.boxes[:, :2] >= 0).all()
    assert (found.boxes[:, 2] <= 500).all()
    assert (found.boxes[:, 3] <= 300).all()
    assert (np.diff(found.scores) <= 0).all()


def test_detection_is_deterministic(weights, image):
    detector = Detector.load(weights)
    first, second = detector.detect(image), detector.detect(image)
    np.testing.assert_array_equal(first.boxes, second.boxes)
    np.testing.assert_array_equal(first.scores, second.scores)


def test_the_score_floor_is_a_cut_and_nothing_else(weights, image):
    detector = Detector.load(weights)
    assert (detector.detect(image, score_floor=0.3).scores >= 0.3).all()


def test_a_box_comes_from_the_cell_that_its_origin_names(weights, image):
    """The score logit at the origin's cell is the score of the box."""
    detector = Detector.load(weights)
    found = detector.detect(image)
    for i in range(min(5, len(found))):
        origin = found.origins[i]
        with torch.no_grad():
            outputs = detector.network(detector.view_tensor(image, origin.view))
        logit = outputs[origin.level].score_logit[0, 0, origin.row, origin.col]
        assert float(logit.sigmoid()) == pytest.approx(float(found.scores[i]), abs=0.03)


def test_a_large_film_is_tiled_and_its_boxes_are_absolute(weights):
    image = np.random.default_rng(1).random((400, 2600), dtype=np.float32)
    found = Detector.load(weights).detect(image, score_floor=0.3)
    assert {o.view.scale for o in found.origins} <= {1.0, 0.25}
    for box, origin in zip(found.boxes, found.origins, strict=True):
        assert origin.view.x0 <= box[2]
        assert box[0] <= origin.view.x1


def test_a_view_is_padded_to_multiples_of_32_by_its_own_border(weights, image):
    detector = Detector.load(weights)
    tensor = detector.view_tensor(image, View(0, 0, 500, 300))
    assert tensor.shape == (1, 1, 320, 512)
    np.testing.assert_array_equal(tensor[0, 0, 310, :500].cpu().numpy(), image[299])


def test_a_small_image_is_seen_in_the_middle_of_its_repeated_border(tiny_network):
    """As in training, where a crop of 128 px from an image of 90 x 40 is centred on it."""
    image = np.random.default_rng(2).random((40, 90), dtype=np.float32)
    detector = Detector(tiny_network, Polarity.FILM, torch.device("cpu"), dtype=torch.float32, least_px=128)
    found = detector.detect(image, score_floor=0.2)
    assert len(found) > 0
    padded = np.pad(image, ((44, 44), (19, 19)), mode="edge")
    with torch.no_grad():
        outputs = detector.network(torch.from_numpy(padded)[None, None])
    for box, score, origin in zip(found.boxes, found.scores, found.origins, strict=True):
        np.testing.assert_array_equal(detector.view_tensor(image, origin.view)[0, 0], padded)
        logit = outputs[origin.level].score_logit[0, 0, origin.row, origin.col]
        assert float(logit.sigmoid()) == pytest.approx(float(score), abs=1e-4)
        assert (box >= 0).all()
        assert (box <= [90, 40, 90, 40]).all()


def test_weights_say_how_large_the_crops_were(weights, tmp_path):
    network, metadata = read_network(weights)
    large = tmp_path / "large.safetensors"
    save_file(network.state_dict(), large, metadata | {"crop_px": "320"})
    small = np.random.default_rng(4).random((100, 200), dtype=np.float32)
    (view,) = {origin.view for origin in Detector.load(large).detect(small).origins}
    assert view == View(-60, -110, 260, 210)


def test_weights_say_how_a_film_is_cut(weights, tmp_path):
    """Weights of before say nothing, and keep the square tiles that they were calibrated on."""
    network, metadata = read_network(weights)
    banded = tmp_path / "banded.safetensors"
    save_file(network.state_dict(), banded, metadata | {"tiles": "bands"})
    film = np.random.default_rng(5).random((1320, 1500), dtype=np.float32)
    sizes = [
        {(o.view.x1 - o.view.x0, o.view.y1 - o.view.y0) for o in Detector.load(path).detect(film).origins}
        for path in (weights, banded)
    ]
    assert (1024, 1024) in sizes[0]
    assert sizes[1] <= {(1500, 1320)}


def test_a_tiny_image_is_detected_too(weights):
    assert Detector.load(weights).detect(np.full((3, 5), 0.5, np.float32)) is not None


def test_many_images_at_once_are_what_each_is_alone(tiny_network):
    detector = Detector(
        tiny_network, Polarity.FILM, torch.device("cpu"), dtype=torch.float32, views_at_once=3
    )
    rng = np.random.default_rng(3)
    shapes = [(96, 128), (400, 2600), (96, 128), (96, 130), (96, 128), (96, 128)]
    requests = [
        Request(rng.random(shape, dtype=np.float32), 0.05 + 0.03 * i) for i, shape in enumerate(shapes)
    ]
    together = detector.detect_many(requests)
    for request, found in zip(requests, together, strict=True):
        alone = detector.detect(request.image, score_floor=request.score_floor)
        assert len(found) == len(alone) > 0
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-4)


def test_no_request_gives_no_answer(tiny_network):
    assert Detector(tiny_network, Polarity.FILM, torch.device("cpu")).detect_many([]) == []


def test_missing_weights_are_one_clear_error(tmp_path):
    with pytest.raises(ModelArtefactError, match="cannot read the weights"):
        Detector.load(tmp_path / "weights.safetensors")


def test_damaged_weights_are_one_clear_error(weights):
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelArtefactError, match="cannot read the weights"):
        Detector.load(weights)


def test_weights_without_a_configuration_are_refused(tmp_path):
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(ModelArtefactError, match="no network configuration"):
        Detector.load(tmp_path / "w.safetensors")


@pytest.mark.gpu
def test_the_gpu_finds_what_the_cpu_finds(weights, image):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_cpu = Detector.load(weights).detect(image, score_floor=0.3)
    on_gpu = Detector.load(weights, device="cuda").detect(image, score_floor=0.3)
    assert abs(len(on_cpu) - len(on_gpu)) <= 0.1 * len(on_cpu)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_again_from_its_graphs(weights, image):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    detector = Detector.load(weights, device="cuda")
    first, *others = (detector.detect(image, score_floor=0.1) for _ in range(4))
    for other in others:
        assert len(other) == len(first)
        np.testing.assert_allclose(other.scores, first.scores, atol=0.01)
