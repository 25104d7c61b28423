"""The polarity that counts: stated, estimated or asked."""

import pytest

from core.domain.polarity import PolarityEstimate, decide_polarity
from core.domain.radiograph import Polarity, PolarityGround

FILM, DIGITAL, UNKNOWN = Polarity.FILM, Polarity.DIGITAL, Polarity.UNKNOWN
FILE, PERSON, ESTIMATED, ASSUMED = PolarityGround


def looks(polarity: Polarity) -> PolarityEstimate:
    return PolarityEstimate(
        polarity, 0.6 if polarity is UNKNOWN else 0.99, "the weld is darker than the plate"
    )


@pytest.mark.parametrize(
    ("stated", "ground", "expected", "seen", "counts", "why", "is_asked", "warns"),
    [
        (FILM, FILE, FILM, FILM, FILM, FILE, False, False),
        (FILM, FILE, FILM, DIGITAL, FILM, FILE, False, True),
        (DIGITAL, PERSON, FILM, DIGITAL, DIGITAL, PERSON, False, False),
        (DIGITAL, PERSON, FILM, FILM, DIGITAL, PERSON, False, True),
        (DIGITAL, PERSON, FILM, UNKNOWN, DIGITAL, PERSON, False, False),
        (UNKNOWN, ASSUMED, FILM, FILM, FILM, ESTIMATED, False, False),
        (UNKNOWN, ASSUMED, FILM, DIGITAL, UNKNOWN, ASSUMED, True, False),
        (UNKNOWN, ASSUMED, DIGITAL, DIGITAL, DIGITAL, ESTIMATED, False, False),
        (UNKNOWN, ASSUMED, FILM, UNKNOWN, UNKNOWN, ASSUMED, True, False),
        (UNKNOWN, ASSUMED, UNKNOWN, DIGITAL, DIGITAL, ESTIMATED, False, False),
    ],
)
def test_what_counts(
    stated: Polarity,
    ground: PolarityGround,
    expected: Polarity,
    seen: Polarity,
    counts: Polarity,
    why: PolarityGround,
    is_asked: bool,
    warns: bool,
) -> None:
    found = decide_polarity(stated, ground, expected, looks(seen))
    assert (found.polarity, found.ground, found.is_asked) == (counts, why, is_asked)
    assert bool(found.warning) is warns
