"""Castings: severity levels by graded reference radiographs, in the words of their standards."""

import pytest

from core.domain.errors import RuleSetError
from core.domain.indication import IndicationClass
from core.domain.kinds import WORD_KINDS, Family, family_of
from core.standards.evaluation import evaluate
from core.standards.finding import Imperfection, InspectedPart
from core.standards.kinds import class_of, kinds_of, name_of, offered_kinds
from core.standards.reading import read_rule_set
from core.standards.rule_set import NOTHING_KNOWN
from core.standards.shipped import SHIPPED, shipped_rule_set
from core.standards.verdict import ImageVerdict, Verdict
from tests.standards.graded import ACCEPTABLE, GRADED, NOT_ACCEPTABLE, NOT_EVALUABLE, TEXT

TEMPLATES = [name for name in SHIPPED if name.startswith("castings")]
PART = InspectedPart(wall_mm=12)


def seen(kind: str | None, grade: int | None = None, name: str = "1") -> Imperfection:
    return Imperfection(name, class_of(kind or ""), kind, grade=grade)


def judged(*found: Imperfection, level: str = "zone 2", part: InspectedPart = PART) -> ImageVerdict:
    return evaluate(found, part, GRADED, level)


@pytest.mark.parametrize(
    ("kind", "grade", "level", "expected"),
    [
        ("gas-hole", 1, "zone 1", ACCEPTABLE),
        ("gas-hole", 2, "zone 1", ACCEPTABLE),
        ("gas-hole", 3, "zone 1", NOT_ACCEPTABLE),
        ("gas-hole", 3, "zone 2", ACCEPTABLE),
        ("gas-hole", 8, "zone 2", NOT_ACCEPTABLE),
        ("gas-hole", None, "zone 2", NOT_EVALUABLE),
        ("shrinkage-sponge", 1, "zone 2", NOT_EVALUABLE),
        ("cold-shut", 1, "zone 2", NOT_EVALUABLE),
        ("film-artefact", None, "zone 2", NOT_EVALUABLE),
        ("2011", 1, "zone 2", NOT_EVALUABLE),
        ("crack", None, "zone 2", NOT_ACCEPTABLE),
        ("hot-tear", 1, "zone 2", NOT_ACCEPTABLE),
    ],
)
def test_a_level_is_compared_with_the_highest_one_allowed(
    kind: str, grade: int | None, level: str, expected: Verdict
) -> None:
    assert judged(seen(kind, grade), level=level).verdict is expected


def test_the_reason_names_the_level_and_the_limit() -> None:
    assert judged(seen("gas-hole", 5)).indications[0].reasons == ("severity level 5 > 4",)
    assert judged(seen("gas-hole")).indications[0].reasons == ("no severity level was given",)


def test_one_ungraded_indication_of_a_kind_keeps_the_radiograph_from_being_accepted() -> None:
    assert judged(seen("gas-hole", 1, "a"), seen("gas-hole", None, "b")).verdict is NOT_EVALUABLE


@pytest.mark.parametrize(
    ("wall", "expected"), [(10, NOT_ACCEPTABLE), (10.1, ACCEPTABLE), (None, NOT_EVALUABLE)]
)
def test_the_section_thickness_chooses_the_limit(wall: float | None, expected: Verdict) -> None:
    part = InspectedPart(wall_mm=wall)
    assert judged(seen("round-gas-porosity", 4), part=part).verdict is expected


def test_what_only_has_a_class_is_tried_as_each_kind_of_castings() -> None:
    crack = Imperfection("1", IndicationClass.CRACK)
    pore = Imperfection("1", IndicationClass.POROSITY, grade=1)
    assert judged(crack).verdict is NOT_ACCEPTABLE
    assert judged(pore).verdict is ACCEPTABLE
    assert judged(Imperfection("1", IndicationClass.UNCLASSIFIED, grade=1)).verdict is NOT_EVALUABLE


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_shipped_template_states_no_limit_so_nothing_is_evaluable_by_it(name: str) -> None:
    template = shipped_rule_set(name)
    stances = {band.requirements[0].stance for rule in template.rules for band in rule.bands}
    assert stances <= NOTHING_KNOWN
    assert evaluate([], PART, template).verdict is NOT_EVALUABLE
    for kind in kinds_of(Family.CASTING):
        assert evaluate([seen(kind, 1)], PART, template).verdict is NOT_EVALUABLE


def test_a_weld_by_a_template_of_castings_and_a_casting_by_a_table_of_welds_are_not_evaluable() -> None:
    assert evaluate([seen("gas-hole", 1)], PART, shipped_rule_set("iso-5817"), "B").verdict is NOT_EVALUABLE
    for kind in ("504", "507", "510", "515", "602", "film-artefact"):
        verdict = evaluate([seen(kind)], PART, shipped_rule_set("iso-5817"), "D")
        assert verdict.verdict is NOT_EVALUABLE
        assert "has no row for" in verdict.indications[0].reasons[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("zone 1: [{check: grade, at_most: 2}]", "zone 1: [{check: grade, at_most: 5}]", "permits more"),
        ("zone 2: [{check: grade, at_most: 4}]", "zone 2: not stated", "permits more"),
        ("zone 2: [{check: grade, at_most: 4}]", "zone 2: [{check: grade, at_most: 9}]", "from 1 to 8"),
        ("zone 2: [{check: grade, at_most: 4}]", "zone 2: [{check: grade, at_most: 0}]", "from 1 to 8"),
        ("highest: 8", "highest: 9", "1 to 8"),
        ("grades: {references: ASTM E155, highest: 8}\n", "", "grades at the head"),
        ("kinds: [gas-hole]", "kinds: [gashole]", "gas-hole"),
        ("kinds: [gas-hole]", 'kinds: ["2011"]', "gas-hole"),
        ("family: casting", "family: forging", "'casting'"),
        ("family: casting\n", "", "ISO 6520-1"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_with_what_was_expected(
    old: str, new: str, told: str
) -> None:
    assert old in TEXT
    with pytest.raises(RuleSetError, match=told):
        read_rule_set(TEXT.replace(old, new), "table")


def test_the_words_of_a_family_do_not_reach_the_other_one() -> None:
    castings, welds = kinds_of(Family.CASTING), kinds_of(Family.WELD)
    assert set(castings) & set(welds) == {"film-artefact"}
    assert castings["dendritic-shrinkage"] == "dendritic shrinkage"
    assert "2011" in welds
    assert "2011" not in castings
    assert offered_kinds(IndicationClass.CRACK, Family.CASTING) == ("crack", "hot-tear")
    assert offered_kinds(IndicationClass.UNCLASSIFIED, Family.WELD)[:2] == ("504", "507")


@pytest.mark.parametrize("family", Family)
def test_every_kind_of_a_family_is_offered_under_its_class_or_covers_one_that_is(family: Family) -> None:
    offered = {kind for one in IndicationClass for kind in offered_kinds(one, family)}
    missing = [kind for kind in kinds_of(family) if kind not in offered]
    assert missing == [kind for kind in missing if any(one.startswith(kind.rstrip("0")) for one in offered)]
    assert {kind: class_of(kind) for kind in WORD_KINDS} == {
        kind: one.indication_class for kind, one in WORD_KINDS.items()
    }
    assert all(name_of(kind) for kind in offered)


@pytest.mark.parametrize(("name", "family"), [("weld", "weld"), ("casting", "casting"), ("other", "weld")])
def test_the_family_follows_from_the_model(name: str, family: str) -> None:
    assert family_of(name) == family
