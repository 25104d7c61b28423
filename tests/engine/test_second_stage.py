import json
from dataclasses import replace

import numpy as np
import pytest

from core.domain.detections import CellOrigin, Detections, View
from core.domain.errors import ModelArtefactError
from core.domain.flaw_group import FlawGroup
from core.domain.indication import IndicationClass
from core.domain.radiograph import Polarity
from core.engine.look_features import FEATURES, look_features
from core.engine.seam_view import VIEW_HEIGHT, VIEW_WIDTH, Seam, seam_of, seam_views
from core.engine.second_stage import LOOKS, Layer, Look, Reliability, SecondStage

RNG = np.random.default_rng(5)


def weld(height=300, width=1200):
    """A bright band from 100 to 200 with a little noise, more metal brighter."""
    rows = np.where((np.arange(height) >= 100) & (np.arange(height) < 200), 0.7, 0.4).astype(np.float32)
    noise = RNG.normal(0, 0.004, (height, width)).astype(np.float32)
    return np.repeat(rows[:, None], width, axis=1) + noise


def detections(boxes):
    n = len(boxes)
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.linspace(0.9, 0.5, n).astype(np.float32),
        (IndicationClass.POROSITY,) * n,
        (CellOrigin(View(0, 0, 9, 9), 0, 0, 0),) * n,
        class_shares=np.full((n, 6), 1 / 6, np.float32),
    )


def features(image, box):
    values = look_features(image, detections([box]), seam_of(image, Polarity.FILM))[0]
    return dict(zip(FEATURES, values.tolist(), strict=True))


def stage(logits, **changes):
    """A second stage that says the same of everything."""
    whole = SecondStage(
        np.zeros(len(FEATURES)),
        np.ones(len(FEATURES)),
        (Layer(np.zeros((len(FEATURES), len(LOOKS))), np.array(logits, np.float64)),),
        Reliability(1.0, 0.0),
        Reliability(1.0, 0.0),
        0.6,
        0.6,
        "nothing",
    )
    return replace(whole, **changes)


def logits(**shares):
    return [np.log(shares.get(look.name.lower(), 1e-6)) for look in LOOKS]


def test_a_view_has_the_indication_in_its_middle_and_the_seam_along_it() -> None:
    image = weld()
    image[140:150, 600:610] = 0.1
    (view,) = seam_views(image, np.array([[600, 140, 610, 150]], np.float32), seam_of(image, Polarity.FILM))
    assert view.picture.shape == (VIEW_HEIGHT, VIEW_WIDTH)
    assert view.picture[46:51, 126:131].mean() < 0.2
    assert view.px_per_px == 1
    assert abs(view.place.offset) < 0.2
    assert view.place.half_width_px == pytest.approx(50, rel=0.25)


def test_an_upright_weld_is_seen_as_one_that_lies() -> None:
    image = weld()
    image[160:164, 500:580] = 0.1
    lying, upright = features(image, (498, 158, 582, 166)), features(image.T.copy(), (158, 498, 166, 582))
    for name in ("log_along", "log_across", "sign", "part_ratio", "part_turn", "direction"):
        assert upright[name] == pytest.approx(lying[name], abs=0.12), name
    assert upright["offset"] == pytest.approx(lying["offset"], abs=0.05)


def test_a_long_indication_is_shrunk_into_its_view() -> None:
    image = weld(width=4000)
    (view,) = seam_views(image, np.array([[500, 150, 2180, 154]], np.float32), Seam(None, (4000, 300)))
    assert view.px_per_px == pytest.approx(10)
    assert view.place.half_width_px == 0


def test_features_tell_line_from_spot_and_dark_from_bright() -> None:
    image = weld()
    image[148:151, 300:360] = 0.3
    image[140:152, 700:712] = 0.3
    image[140:148, 1000:1008] = 1.0
    line, spot, bright = (
        features(image, box) for box in ((298, 145, 362, 154), (697, 137, 715, 155), (997, 137, 1011, 151))
    )
    assert line["part_ratio"] > 2 > 0.5 > spot["part_ratio"]
    assert line["sign"] > 0.5 > -0.5 > bright["sign"]
    assert line["log_ratio"] > 1 > abs(spot["log_ratio"])


def test_nothing_found_has_no_features_and_no_claims() -> None:
    none = replace(detections([]), class_shares=np.zeros((0, 6), np.float32))
    assert look_features(weld(), none, Seam(None, (1200, 300))).shape == (0, len(FEATURES))
    assert stage(logits(crack=1)).claimed(weld(), none).claims == ()


def test_a_first_stage_without_class_shares_is_refused() -> None:
    with pytest.raises(ValueError, match="class shares"):
        look_features(weld(), replace(detections([(1, 1, 9, 9)]), class_shares=None), Seam(None, (1200, 300)))


def test_the_group_is_claimed_where_no_type_is_sure() -> None:
    shares = stage(logits(crack=0.4, lack_of_fusion=0.35, porosity=0.25)).shares(np.zeros((1, len(FEATURES))))
    claim = stage([]).claim(shares[0])
    assert claim.group is FlawGroup.LINEAR
    assert claim.reliability == pytest.approx(0.75, abs=1e-3)
    assert [one.indication_class for one in claim.types] == [
        IndicationClass.CRACK,
        IndicationClass.LACK_OF_FUSION,
    ]
    assert claim.types[0].reliability == pytest.approx(0.75 * 0.4 / 0.75, abs=1e-3)
    assert stage([]).class_of(claim) is IndicationClass.UNCLASSIFIED


@pytest.mark.parametrize(("share", "group"), [(0.61, FlawGroup.ROUNDED), (0.59, None)])
def test_below_the_least_reliability_nothing_is_claimed(share: float, group: FlawGroup | None) -> None:
    said = stage(logits(porosity=share, crack=1 - share))
    found = said.claimed(weld(), detections([(100, 100, 110, 110)]))
    assert found.claims is not None
    assert found.claims[0].group is group
    assert found.classes[0] is (IndicationClass.POROSITY if group else IndicationClass.UNCLASSIFIED)


def test_a_group_of_one_type_has_the_reliability_of_the_group() -> None:
    claim = stage([]).claim(np.eye(len(LOOKS))[LOOKS.index(Look.TUNGSTEN)] * 0.8 + 0.2 / len(LOOKS))
    assert claim.types[0].reliability == claim.reliability


def test_each_group_bears_its_share_of_the_operating_probability() -> None:
    shares = {"linear": 0.5, "unclassified": 0.7}
    said = [
        stage(logits(**of), operating_shares=shares).claimed(weld(), detections([(9, 9, 30, 30)])).claims[0]
        for of in ({"crack": 1.0}, {"crack": 0.5, "porosity": 0.5}, {"porosity": 1.0})
    ]
    assert [one.operating_share for one in said] == [0.5, 0.7, 1.0]


def test_it_comes_back_from_its_file(tmp_path) -> None:
    made = replace(
        stage(RNG.normal(size=len(LOOKS))),
        centre=RNG.normal(size=len(FEATURES)),
        spread=RNG.uniform(1, 2, len(FEATURES)),
        operating_shares={"linear": 0.5},
    )
    path = tmp_path / "groups.json"
    path.write_text(json.dumps(made.to_dict()))
    read = SecondStage.load(path)
    asked = RNG.normal(size=(7, len(FEATURES)))
    np.testing.assert_allclose(read.shares(asked), made.shares(asked), atol=1e-3)
    assert read.operating_shares == {"linear": 0.5}


def test_one_that_was_fitted_before_some_features_existed_says_what_it_said(tmp_path) -> None:
    made = replace(
        stage([0.0] * len(LOOKS)),
        layers=(Layer(RNG.normal(size=(len(FEATURES), len(LOOKS))), np.zeros(len(LOOKS))),),
        centre=RNG.normal(size=len(FEATURES)),
        spread=RNG.uniform(1, 2, len(FEATURES)),
    )
    is_known = np.array([not name.startswith("toe_") for name in FEATURES])
    content = made.to_dict()
    content |= {
        "features": [name for name in FEATURES if not name.startswith("toe_")],
        "centre": np.array(content["centre"])[is_known].tolist(),
        "spread": np.array(content["spread"])[is_known].tolist(),
        "layers": [
            {"weights": np.array(one["weights"])[is_known].tolist(), "bias": one["bias"]}
            for one in content["layers"]
        ],
    }
    path = tmp_path / "groups.json"
    path.write_text(json.dumps(content))
    asked = RNG.normal(size=(7, len(FEATURES)))
    centred = np.where(is_known, asked, made.centre)
    read = SecondStage.load(path)
    np.testing.assert_allclose(read.shares(asked), made.shares(centred), atol=1e-2)
    assert read.to_dict()["features"] == list(FEATURES)


@pytest.mark.parametrize(
    "change",
    [
        {"features": []},
        {"features": list(reversed(FEATURES))},
        {"features": list(FEATURES[1:])},
    ],
)
def test_a_file_whose_features_and_weights_differ_is_refused(tmp_path, change) -> None:
    path = tmp_path / "groups.json"
    path.write_text(json.dumps(stage([0.0] * len(LOOKS)).to_dict() | change))
    with pytest.raises(ModelArtefactError, match="groups.json"):
        SecondStage.load(path)


@pytest.mark.parametrize(
    "change", [{"features": ["other"]}, {"looks": []}, {"layers": None}, {"group_reliability": [1]}]
)
def test_a_file_of_something_else_is_refused(tmp_path, change) -> None:
    path = tmp_path / "groups.json"
    path.write_text(json.dumps(stage([0.0] * len(LOOKS)).to_dict() | change))
    with pytest.raises(ModelArtefactError, match="groups.json"):
        SecondStage.load(path)
