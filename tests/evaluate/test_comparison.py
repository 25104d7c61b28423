import numpy as np
import pytest

from core.evaluate.comparison import (
    Conclusion,
    FigureDifference,
    compare,
    holm,
    mcnemar_p,
)
from core.evaluate.resampling import Resampling, resample
from tests.evaluate.versions import Skill, measured, recorded, reported, table_of

N_RUNS = 200
#: Of 200 runs with a chance of 5 %, more than this have a chance below 2.5 %.
PLAUSIBLE = 16


def _plan(images: list, n_resamples: int = 1000) -> Resampling:
    return resample([image.cluster for image in images], n_resamples=n_resamples)


def _better(rows: tuple[FigureDifference, ...], verdict: Conclusion = Conclusion.BETTER) -> list[str]:
    return [row.figure for row in rows if row.verdict is verdict]


@pytest.mark.slow
@pytest.mark.parametrize(("n_images", "per_part"), [(40, 1), (60, 6)])
def test_of_two_equal_versions_neither_is_called_better(n_images: int, per_part: int) -> None:
    """A/A: the same skill twice. Counts every run in which any row of either table says better."""
    said = 0
    for run in range(N_RUNS):
        images = recorded(n_images, seed=run, per_part=per_part)
        plan = _plan(images, n_resamples=200)
        first, second = (
            measured(table_of(reported(images, Skill(), seed=10_000 + 2 * run + side)), plan)
            for side in (0, 1)
        )
        result = compare(first, second, plan)
        said += bool(_better(result.main) or _better(result.by_group))
    assert said <= PLAUSIBLE, f"{said} of {N_RUNS} runs called one of two equal versions better"


def test_a_version_that_finds_more_is_called_better_where_it_is() -> None:
    images = recorded(120, seed=1)
    plan = _plan(images)
    weak = measured(table_of(reported(images, Skill(found=0.45), seed=2)), plan)
    strong = measured(table_of(reported(images, Skill(found=0.75), seed=3)), plan)
    result = compare(weak, strong, plan)
    assert {"recall", "ap50"} <= set(_better(result.main))
    assert "false_calls_per_image" not in _better(result.main)
    assert {"recall", "ap50"} <= set(_better(compare(strong, weak, plan).main, Conclusion.WORSE))
    row = result.named("recall")
    assert row is not None
    assert row.difference == pytest.approx(row.second - row.first)
    assert row.interval is not None
    assert 0 < row.interval[0] < row.difference < row.interval[1]


def test_more_false_calls_are_worse_and_less_overconfidence_is_better() -> None:
    images = recorded(120, seed=1)
    plan = _plan(images)
    plain = measured(table_of(reported(images, Skill(), seed=2)), plan)
    noisy = measured(table_of(reported(images, Skill(false_calls=4.0, overconfidence=2.5), seed=3)), plan)
    worse = _better(compare(plain, noisy, plan).main, Conclusion.WORSE)
    assert {"false_calls_per_image", "precision", "d_ece", "brier", "images_no_false_call"} <= set(worse)
    assert "d_ece" in _better(compare(noisy, plain, plan).main)


def test_images_that_calibrated_a_version_judge_its_ranking_alone() -> None:
    images = recorded(120, seed=1)
    plan = _plan(images)
    weak = measured(table_of(reported(images, Skill(found=0.45), seed=2)), plan)
    strong = measured(table_of(reported(images, Skill(found=0.75), seed=3)), plan)
    result = compare(weak, strong, plan, why_not_calibrated="they calibrated v2")
    assert _better(result.main) == ["ap50", "ap50_classes"]
    recall = result.named("recall")
    assert recall is not None
    assert (recall.verdict, recall.why) == (Conclusion.NOT_JUDGED, "they calibrated v2")
    assert recall.difference is not None


def test_a_version_is_not_distinguishable_from_itself() -> None:
    images = reported(recorded(30, seed=4), Skill(), seed=5)
    plan = _plan(images, 200)
    version = measured(table_of(images), plan)
    result = compare(version, version, plan)
    assert {row.verdict for row in result.main} == {Conclusion.SAME}
    assert {row.verdict for row in result.by_group} <= {Conclusion.SAME, Conclusion.NOT_JUDGED}
    assert all(row.difference == 0 and row.interval == (0.0, 0.0) for row in result.main)


def test_nothing_is_judged_on_few_parts_or_on_images_that_trained() -> None:
    images = recorded(40, seed=1, per_part=8)
    plan = _plan(images, 200)
    weak = measured(table_of(reported(images, Skill(found=0.2), seed=2)), plan)
    strong = measured(table_of(reported(images, Skill(found=0.9), seed=3)), plan)
    few = compare(weak, strong, plan)
    assert {row.verdict for row in few.main} == {Conclusion.NOT_JUDGED}
    assert few.main[0].why == "5 independent parts; 6 are the least that can tell"
    images = recorded(40, seed=1)
    plan = _plan(images, 200)
    told = compare(weak, strong, plan, why_not="the second version was trained on 3 of the images")
    assert {row.why for row in told.main} == {"the second version was trained on 3 of the images"}


def test_groups_are_compared_by_class_and_by_size_in_mm() -> None:
    images = recorded(80, seed=1)
    plan = _plan(images, 200)
    one = measured(table_of(reported(images, Skill(), seed=2)), plan)
    result = compare(one, one, plan)
    names = [row.figure for row in result.by_group]
    assert "recall:class:crack" in names
    assert "ap50:mm:below 1 mm" in names
    assert result.named("nothing of the kind") is None


def test_a_class_or_size_with_few_boxes_is_not_judged() -> None:
    images = recorded(40, seed=12)
    plan = _plan(images, 200)
    weak = measured(table_of(reported(images, Skill(found=0.1), seed=2)), plan)
    strong = measured(table_of(reported(images, Skill(found=0.95), seed=3)), plan)
    rows = {row.figure: row for row in compare(weak, strong, plan).by_group}
    small = rows["recall:mm:below 1 mm"]
    assert small.verdict is Conclusion.NOT_JUDGED
    assert small.why.endswith("recorded boxes; 20 are the least that can tell")
    assert rows["recall:class:crack"].verdict is Conclusion.BETTER


def test_holm_stops_at_the_first_that_is_not_small_enough() -> None:
    assert holm([0.01, 0.04, 0.03]) == [True, False, False]
    assert holm([0.01, 0.02, 0.03]) == [True, True, True]
    assert holm([None, 0.04]) == [False, True]
    assert holm([]) == []


@pytest.mark.parametrize(
    ("first", "second", "p"), [(0, 0, 1.0), (0, 5, 0.0625), (5, 0, 0.0625), (1, 8, 0.0390625), (4, 4, 1.0)]
)
def test_mcnemar_is_the_exact_binomial(first: int, second: int, p: float) -> None:
    assert mcnemar_p(first, second) == pytest.approx(p)


def test_images_of_one_part_count_once_in_mcnemar() -> None:
    """Ten images of one part that only the second version gets right are one part, not ten."""
    images = recorded(60, seed=3, per_part=10)
    truthful = [image for image in images if len(image.truth)]
    plan = _plan(truthful, 200)
    perfect = [_all_found(image) for image in truthful]
    spoilt = [_all_found(i) if i.cluster != "part 0" else i for i in truthful]
    rows = compare(measured(table_of(spoilt), plan), measured(table_of(perfect), plan), plan).main
    row = next(row for row in rows if row.figure == "images_nothing_missed")
    assert row.p_value == 1.0
    assert row.verdict is Conclusion.SAME


def _all_found(image):
    n = len(image.truth)
    return type(image)(
        image.name, image.cluster, image.truth, image.truth_labels, image.truth,
        np.full(n, 0.9, np.float32), image.truth_labels, np.full(n, 0.9), image.mm_per_px,
    )  # fmt: skip
