from dataclasses import replace

import numpy as np
import pytest

from core.domain.flaw_group import FlawGroup
from core.engine.look_features import FEATURES
from core.engine.second_stage import LOOKS, Layer, Look
from core.training.group_figures import Answers
from core.training.group_fit import Bag, fit_network, fit_reliability, look_of_code

RNG = np.random.default_rng(3)
CLASS_1 = FEATURES.index("class_1")
POROSITY, CRACK = LOOKS.index(Look.POROSITY), LOOKS.index(Look.CRACK)


def separable(n=120):
    """Features of which the first tells porosity from cracks."""
    looks = np.repeat([POROSITY, CRACK], n // 2)
    values = RNG.normal(size=(n, len(FEATURES))).astype(np.float32)
    values[:, CLASS_1] += np.where(looks == CRACK, 3, -3)
    return values, looks


def test_known_looks_are_learnt() -> None:
    values, looks = separable()
    said = fit_network(values, looks, values[:0], [], seed=1).as_stage().shares(values)
    assert (said.argmax(axis=1) == looks).mean() > 0.95


def test_a_recorded_cell_teaches_that_one_of_its_reports_has_the_look() -> None:
    values, looks = separable()
    fusion = LOOKS.index(Look.LACK_OF_FUSION)
    # lack of fusion occurs in bags alone: one report of it, two pores
    reports = RNG.normal(size=(90, len(FEATURES))).astype(np.float32)
    reports[:, CLASS_1] -= 3
    reports[::3, CLASS_1] += 3
    reports[::3, CLASS_1 + 1] += 4
    bags = [Bag(np.arange(i, i + 3), fusion, frozenset({FlawGroup.LINEAR})) for i in range(0, 90, 3)]
    said = fit_network(values, looks, reports, bags, seed=1).as_stage().shares(reports)
    assert (said.argmax(axis=1)[::3] == fusion).mean() > 0.9
    assert (said.argmax(axis=1)[1::3] == fusion).mean() < 0.2


def test_a_reliability_never_falls_and_is_how_often_it_was_right() -> None:
    shares = RNG.uniform(0.3, 0.99, 4000)
    fitted = fit_reliability(shares, RNG.random(4000) < shares**2)
    said = np.array([fitted.of(share) for share in np.linspace(0.3, 0.99, 20)])
    assert (np.diff(said) >= 0).all()
    assert fitted.of(0.9) == pytest.approx(0.81, abs=0.05)


@pytest.mark.parametrize(
    ("code", "look"),
    [("1021", Look.CRACK), ("2015", Look.POROSITY), ("3011", Look.ELONGATED_SLAG), ("3013", Look.SLAG),
     ("3041", Look.TUNGSTEN), ("4013", Look.LACK_OF_FUSION), ("402", Look.LACK_OF_PENETRATION),
     ("5012", Look.UNDERCUT), ("515", None)],
)  # fmt: skip
def test_the_look_of_a_code(code: str, look: Look | None) -> None:
    assert look_of_code(code) is look


def test_recorded_cells_count_as_much_as_simulated_reports() -> None:
    shares = np.array([0.9] * 10 + [0.6, 0.7, 0.8])
    is_right = np.array([True] * 10 + [False, True, False])
    evened, right = Answers(shares, is_right, 10).evened()
    assert evened[:10].tolist() == [0.9] * 10
    assert sorted(evened[10:].tolist()) == [0.6] * 3 + [0.7] * 3 + [0.8] * 3
    assert right[10:].sum() == 3
    assert len(Answers(shares[:10], is_right[:10], 10).evened()[0]) == 10, "there need not be any film"


def test_it_says_the_mean_of_the_logits_of_networks_of_other_first_weights() -> None:
    values, looks = separable()
    whole = fit_network(values, looks, values[:0], [], seed=1).as_stage()
    hidden, last = whole.layers
    n = hidden.weights.shape[1] // 3
    parts = [slice(k * n, k * n + n) for k in range(3)]
    alone = [
        replace(
            whole,
            layers=(
                Layer(hidden.weights[:, part], hidden.bias[part]),
                Layer(3 * last.weights[part], np.zeros_like(last.bias)),
            ),
        ).shares(values)
        for part in parts
    ]
    mean = np.exp(np.mean(np.log(alone), axis=0) + last.bias)
    np.testing.assert_allclose(whole.shares(values), mean / mean.sum(axis=1, keepdims=True), atol=1e-6)
    assert np.abs(alone[0] - alone[1]).max() > 0.01
