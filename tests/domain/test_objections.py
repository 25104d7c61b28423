"""What stands against a disposition: every combination of it with what a reading can stand at."""

from itertools import product

import pytest

from core.domain.errors import BadInputError
from core.domain.objections import objection_line, objections
from core.domain.override import Override, OverrideReason, override_from
from core.domain.records import DISPOSITIONS, Disposition, chosen_disposition
from core.domain.standing import ReadingVerdict, Standing, standing_from

ACCEPT, REJECT, REPAIR = Disposition.ACCEPT, Disposition.REJECT, Disposition.REPAIR
RULE = "ISO 5817 B"
COUNTS = (0, 1, 13)
BY_RULE = (None, ReadingVerdict.ACCEPTABLE, ReadingVerdict.NOT_ACCEPTABLE, ReadingVerdict.NOT_EVALUABLE)


def standing(n_open: int, n_confirmed: int, n_dismissed: int, by_rule: ReadingVerdict | None) -> Standing:
    """What a judged reading can be: nothing is rejected or not evaluable where nothing is confirmed."""
    is_rejected = by_rule is ReadingVerdict.NOT_ACCEPTABLE
    return Standing(
        n_open,
        n_confirmed,
        n_dismissed,
        is_stated=True,
        rule=RULE if by_rule else "",
        by_rule=by_rule,
        withheld=() if by_rule else ("no standard is chosen",),
        rejected=("crack",) * n_confirmed if is_rejected else (),
        n_not_evaluable=n_confirmed if by_rule is ReadingVerdict.NOT_EVALUABLE else 0,
    )


EVERY = [standing(*counts, by_rule) for *counts, by_rule in product(COUNTS, COUNTS, COUNTS, BY_RULE)]


@pytest.mark.parametrize("one", EVERY)
def test_accept_is_free_only_where_all_is_assessed_and_the_rule_finds_it_acceptable(one: Standing) -> None:
    is_free = not objections(ACCEPT, one)
    assert is_free == (one.n_open == 0 and one.by_rule is ReadingVerdict.ACCEPTABLE)
    assert is_free == (one.verdict is ReadingVerdict.ACCEPTABLE)


@pytest.mark.parametrize(("disposition", "one"), list(product((REJECT, REPAIR), EVERY)))
def test_reject_and_repair_are_free_only_where_something_confirmed_is_not_found_acceptable(
    disposition: Disposition, one: Standing
) -> None:
    is_free = not objections(disposition, one)
    assert is_free == (one.n_confirmed > 0 and one.by_rule is not ReadingVerdict.ACCEPTABLE)
    if is_free:
        assert one.verdict not in (ReadingVerdict.ACCEPTABLE, ReadingVerdict.NOT_ASSESSED)


@pytest.mark.parametrize("one", EVERY)
def test_refer_and_reshoot_decide_nothing_and_are_always_free(one: Standing) -> None:
    for disposition in set(Disposition) - {ACCEPT, REJECT, REPAIR}:
        assert objections(disposition, one) == ()


@pytest.mark.parametrize("one", EVERY)
def test_the_verdict_is_never_acceptable_while_one_is_open_and_says_how_many(one: Standing) -> None:
    if one.n_open:
        assert one.verdict is not ReadingVerdict.ACCEPTABLE
        assert one.words.endswith(f", {one.n_open} open")
    if not one.n_confirmed and one.n_open:
        assert one.verdict is ReadingVerdict.NOT_ASSESSED
    if one.n_confirmed and one.by_rule is ReadingVerdict.NOT_ACCEPTABLE:
        assert one.verdict is ReadingVerdict.NOT_ACCEPTABLE  # the worst confirmed one decides
    assert standing_from(one.to_dict()) == one


def test_a_clean_radiograph_is_read_once_somebody_chose_a_disposition() -> None:
    untouched = Standing(0, 0, 0, is_stated=False, rule=RULE, by_rule=ReadingVerdict.ACCEPTABLE)
    stated = Standing(0, 0, 0, is_stated=True, rule=RULE, by_rule=ReadingVerdict.ACCEPTABLE)
    assert (untouched.words, stated.words) == ("not assessed", "acceptable")
    assert objections(ACCEPT, stated) == ()


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (
            Standing(13, 1, 0, True, RULE, ReadingVerdict.NOT_ACCEPTABLE, rejected=("crack",)),
            "1 confirmed crack is not acceptable by ISO 5817 B; 13 indications are not assessed",
        ),
        (
            Standing(
                0, 3, 1, True, RULE, ReadingVerdict.NOT_ACCEPTABLE, rejected=("crack", "porosity", "crack")
            ),
            "3 confirmed indications (2 crack, 1 porosity) are not acceptable by ISO 5817 B",
        ),
        (
            Standing(0, 2, 0, True, RULE, ReadingVerdict.NOT_ACCEPTABLE, rejected=("crack", "crack")),
            "2 confirmed indications (crack) are not acceptable by ISO 5817 B",
        ),
        (
            Standing(
                0, 2, 0, True, RULE, ReadingVerdict.NOT_ACCEPTABLE, rejected=("crack",), n_not_evaluable=1
            ),
            "1 confirmed crack is not acceptable by ISO 5817 B; "
            "1 confirmed indication is not evaluable by ISO 5817 B",
        ),
        (
            Standing(0, 2, 0, True, RULE, ReadingVerdict.NOT_EVALUABLE, n_not_evaluable=2),
            "2 confirmed indications are not evaluable by ISO 5817 B",
        ),
        (
            Standing(0, 0, 0, True, "ISO 10675-1 1", ReadingVerdict.NOT_EVALUABLE),
            "not evaluable by ISO 10675-1 1",
        ),
        (
            Standing(1, 0, 0, True, withheld=("no standard is chosen",)),
            "not evaluable: no standard is chosen; 1 indication is not assessed",
        ),
        (Standing(0, 0, 4, True, RULE, ReadingVerdict.ACCEPTABLE), ""),
    ],
)
def test_the_line_against_accepting_names_what_and_by_which_rule(one: Standing, line: str) -> None:
    assert objection_line(objections(ACCEPT, one)) == line


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (
            Standing(13, 0, 2, True, RULE, ReadingVerdict.ACCEPTABLE),
            "no indication is confirmed; 13 indications are not assessed",
        ),
        (
            Standing(0, 2, 0, True, RULE, ReadingVerdict.ACCEPTABLE),
            "2 confirmed indications are acceptable by ISO 5817 B",
        ),
        (Standing(13, 1, 0, True, RULE, ReadingVerdict.NOT_ACCEPTABLE, rejected=("crack",)), ""),
        (Standing(0, 1, 0, True, withheld=("no standard is chosen",)), ""),
    ],
)
def test_the_line_against_rejecting_says_what_is_missing(one: Standing, line: str) -> None:
    for disposition in (REJECT, REPAIR):
        assert objection_line(objections(disposition, one)) == line


def test_an_override_needs_an_objection_and_a_note_and_comes_back() -> None:
    kept = Override(("13 indications are not assessed",), OverrideReason.CONCESSION, "letter of 3 May", "u-1")
    assert override_from(kept.to_dict()) == kept
    assert kept.words == "concession: letter of 3 May"
    for objected, note, said in (
        ((), "a note", "nothing stands against"),
        (("x",), " \n", "write a note"),
        (("x",), "n" * 2_001, "at most 2000"),
    ):
        with pytest.raises(BadInputError, match=said):
            Override(objected, OverrideReason.OTHER, note)


def test_review_is_the_earlier_name_of_refer_and_is_not_offered() -> None:
    assert [one.value for one in DISPOSITIONS] == ["accept", "reject", "refer", "repair", "re-shoot"]
    assert chosen_disposition("review") is Disposition.REFER
    assert chosen_disposition("") is None
    assert Disposition("review").word == "refer"
    with pytest.raises(ValueError, match="maybe"):
        chosen_disposition("maybe")
